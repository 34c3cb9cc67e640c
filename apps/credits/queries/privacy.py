"""What a client is told of the use of the data."""

from django.utils.translation import gettext as _

from apps.institutions.queries import setting_on
from apps.tenancy.language import current_lang

NOTICE_SETTING = "privacy_notice"


def privacy_notice() -> str:
    """Return what a client is told of the use of the data: the institution's text, or the standard one.

    The setting ``privacy_notice`` holds one text, or one per language code.
    """
    own = setting_on(NOTICE_SETTING)
    if isinstance(own, dict):
        own = own.get(current_lang()) or own.get("fr")
    return own or standard_notice()


def standard_notice() -> str:
    """Return the standard privacy notice in the active language; paragraphs are parted by empty lines."""
    paragraphs = (
        _(
            "Your institution collects these data to examine your credit application, to follow its "
            "repayment and to meet its legal duties. It is the controller of their processing under law "
            "no. 2024/017 of 23 December 2024 on the protection of personal data in Cameroon."
        ),
        _(
            "They are read by the people of the institution who handle your file, and each reading is kept "
            "on record. They are given to a credit register (CREMF, BIC) only as the law requires, and such "
            "a register is consulted only with your consent."
        ),
        _(
            "A computed score advises the person who decides; it never decides alone. You may ask for the "
            "main reasons and for your application to be examined again."
        ),
        _(
            "You may read your data, have them corrected, object to their use, withdraw your consent or ask "
            "for their deletion, by writing to the data protection officer of the institution."
        ),
    )
    return "\n\n".join(paragraphs)
