"""The targets that the site knows, in the order in which a new institution imports them."""

from django.utils.translation import gettext as _

from apps.credits.importing.clients import ClientsTarget
from apps.credits.importing.external_credits import ExternalCreditsTarget
from apps.credits.importing.targets import Target
from apps.tenancy.errors import ObjectNotFound

#: One a line: each is added where it comes after what it needs.
TARGETS: tuple[Target, ...] = (
    ClientsTarget(),
    ExternalCreditsTarget(),
)


def target_named(name: str) -> Target:
    """Return the target of this name; raise ``ObjectNotFound``."""
    for target in TARGETS:
        if target.name == name:
            return target
    raise ObjectNotFound(_("No such import."))
