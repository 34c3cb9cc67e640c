"""What targets refuse, in sentences for the person who sent the file. Each target adds its codes here."""

from collections.abc import Callable

from django.utils.translation import gettext as _

#: Code -> the rule that was broken; ``%(name)s`` comes from the arguments of the problem (JSON).
RULES: dict[str, Callable[[], str]] = {
    "repeated": lambda: _("“%(key)s” is already on an earlier line of the file."),
    "unknown_agency": lambda: _("No agency that you see has this code or name."),
    "unknown_client": lambda: _("No client that you see has this reference."),
}

#: Code -> what to do about it.
ADVICE: dict[str, Callable[[], str]] = {
    "repeated": lambda: _("Keep one line only."),
    "unknown_agency": lambda: _("Write the code of an agency as in the list of agencies."),
    "unknown_client": lambda: _("Import the clients first, or correct the reference."),
}
