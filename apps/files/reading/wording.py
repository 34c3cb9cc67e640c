"""What was refused, in sentences: the rule that a cell breaks, and what to do about it."""

import json
from collections.abc import Mapping

from django.utils.translation import gettext as _

from apps.engine.cleaning import Problem
from apps.files.reading.mapping import Field
from apps.tenancy.language import current_lang

_OF_THE_DICTIONARY = frozenset({"required", "not_integer", "not_number", "out_of_range", "not_in_list"})


def sentence(code: str, args: str, field: Field | None) -> str:
    """Return the rule that was broken; for a variable of the dictionary, in the words of every other door.

    ``code`` and ``args`` are those of a line of errors, ``field`` is None for what concerns a whole row.
    """
    if field is None:
        return _whole_row(code, json.loads(args) if args else {})
    if field.variable is not None and code in _OF_THE_DICTIONARY:
        return Problem(field.variable.name, code, variable=field.variable).text(current_lang())
    told: dict[str, object] = {
        "label": field.label,
        "low": field.minimum,
        "high": field.maximum,
        "most": field.longest,
        "codes": ", ".join(dict.fromkeys(field.codes.values())),
    }
    return _rules(field).get(code, _("“%(label)s”: this value cannot be used.")) % told


def advice(code: str) -> str:
    """Return what to do about an error, in one sentence; empty when the rule says it all."""
    return {
        "required": _("Fill the cell in, then send the row again."),
        "not_integer": _("Write the number alone, in figures and without decimals."),
        "not_number": _("Write the number alone, in figures."),
        "out_of_range": _("Check the value and its unit."),
        "not_in_list": _("Choose one of the values of the list."),
        "not_date": _("Write the date as in 31/12/2026."),
        "in_future": _("Check the year, and the order of day and month."),
        "not_boolean": _("Write yes or no."),
        "too_long": _("Shorten the text."),
        "too_many_cells": _("Put between quotes the cells that hold the separator."),
    }.get(code, "")


def _whole_row(code: str, args: Mapping[str, object]) -> str:
    if code == "too_many_cells":
        return _("The row has %(cells)s cells and the headers %(columns)s.") % args
    return _("This row cannot be read.")


def _rules(field: Field) -> dict[str, str]:
    return {
        "required": _("“%(label)s”: a value is required."),
        "not_integer": _("“%(label)s” must be a whole number."),
        "not_number": _("“%(label)s” must be a number."),
        "out_of_range": _range(field),
        "not_in_list": _("“%(label)s” must be one of: %(codes)s."),
        "not_date": _("“%(label)s” must be a date."),
        "in_future": _("“%(label)s” cannot be after today."),
        "not_boolean": _("“%(label)s” must be yes or no."),
        "too_long": _("“%(label)s” has more than %(most)s characters."),
    }


def _range(field: Field) -> str:
    if field.maximum is None:
        return _("“%(label)s” must be at least %(low)s.")
    if field.minimum is None:
        return _("“%(label)s” must be at most %(high)s.")
    return _("“%(label)s” must be between %(low)s and %(high)s.")
