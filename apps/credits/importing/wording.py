"""What targets refuse, in sentences for the person who sent the file. Each target adds its codes here."""

from collections.abc import Callable

from django.utils.translation import gettext as _

#: Code -> the rule that was broken; ``%(name)s`` comes from the arguments of the problem (JSON).
RULES: dict[str, Callable[[], str]] = {
    "repeated": lambda: _("“%(key)s” is already on an earlier line of the file."),
    "unknown_agency": lambda: _("No agency that you see has this code or name."),
    "unknown_client": lambda: _("No client that you see has this reference."),
    "unseen": lambda: _("The text has line breaks, tabs or characters that cannot be seen."),
    "phone": lambda: _("This is not a phone number."),
    "minor": lambda: _("The client is under 18."),
    "too_old": lambda: _("The client would be over 110."),
    "client_elsewhere": lambda: _("This reference is already used in your institution."),
    "agency_missing": lambda: _("The row does not say which agency holds the file."),
    "no_source": lambda: _("Say where the prohibition comes from."),
    "same_document": lambda: _("Same identity document as client %(client)s."),
    "same_phone": lambda: _("Same phone as client %(client)s."),
    "same_name": lambda: _("Same name and date of birth as client %(client)s."),
    "same_document_above": lambda: _("Same identity document as an earlier line of the file."),
    "same_phone_above": lambda: _("Same phone as an earlier line of the file."),
    "same_name_above": lambda: _("Same name and date of birth as an earlier line of the file."),
    "merged": lambda: _("This file was merged into another one."),
    "no_bureau_consent": lambda: _("The client had not consented to a consultation on this date."),
    "older": lambda: _("What is stored of this credit is more recent."),
}

#: Code -> what to do about it.
ADVICE: dict[str, Callable[[], str]] = {
    "repeated": lambda: _("Keep one line only."),
    "unknown_agency": lambda: _("Write the code of an agency as in the list of agencies."),
    "unknown_client": lambda: _("Import the clients first, or correct the reference."),
    "unseen": lambda: _("Write the text on one line."),
    "phone": lambda: _("Write nine digits, or the international form that begins with +."),
    "minor": lambda: _("Check the date of birth, and the order of day and month."),
    "too_old": lambda: _("Check the year of birth."),
    "client_elsewhere": lambda: _("Correct the reference, or ask the agency that holds this file."),
    "agency_missing": lambda: _("Fill in the agency of the row."),
    "same_document": lambda: _("Use the same reference if it is the same person; else correct the document."),
    "same_phone": lambda: _("Use the same reference if it is the same person; else import duplicates too."),
    "same_name": lambda: _("Use the same reference if it is the same person; else import duplicates too."),
    "same_document_above": lambda: _("Keep one line if it is the same person."),
    "same_phone_above": lambda: _("Keep one line if it is the same person; else import duplicates too."),
    "same_name_above": lambda: _("Keep one line if it is the same person; else import duplicates too."),
    "merged": lambda: _("Use the reference of the file that was kept."),
    "no_bureau_consent": lambda: _("Note the consent in the client's file first."),
}
