"""What was decided and what was refused, in sentences for the person who sent the file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.engine.cleaning import Problem
from apps.engine.wording import number
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field
from apps.tenancy.language import current_lang

_KINDS = {"csv": lambda: _("text (CSV)"), "xlsx": lambda: _("Excel workbook")}
#: What somebody may choose, as it is known to people; the keys are Python's names.
ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 (BOM)",
    "cp1252": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "iso8859-15": "ISO 8859-15",
    "mac_roman": "Mac Roman",
    "cp850": "CP850",
}
_OF_THE_DICTIONARY = frozenset({"required", "not_integer", "not_number", "out_of_range", "not_in_list"})


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice of the reader: the part of the dialect, what was chosen, and whether nothing settled it."""

    part: str
    label: str
    chosen: str
    doubtful: bool


def decisions(dialect: Dialect) -> list[Decision]:
    """Return what the reader decided about a file, each part of which somebody may decide otherwise."""
    evidence = dialect.evidence
    told = [("kind", _("Kind of file"), _KINDS[dialect.kind]())]
    if dialect.kind == "csv":
        told.append(
            ("encoding", _("Encoding"), ENCODING_NAMES.get(dialect.encoding or "", dialect.encoding or ""))
        )
        told.append(("separator", _("Separator"), separator_label(dialect.separator or ",")))
    else:
        told.append(("sheet", _("Sheet"), dialect.sheet or ""))
    told.append(("header_line", _("Line of the headers"), str(dialect.header_line)))
    mark = _("comma") if dialect.decimal == "," else _("point")
    order = _("day, month, year") if dialect.day_first else _("month, day, year")
    told.append(("decimal", _("Decimal mark"), _seen(mark, evidence.get("decimal"))))
    told.append(("day_first", _("Order of dates"), _seen(order, evidence.get("day_first"))))
    return [Decision(part, label, chosen, part in dialect.doubts) for part, label, chosen in told]


def separator_label(separator: str) -> str:
    """Return the name of a separator."""
    return {";": _("semicolon"), ",": _("comma"), "\t": _("tab"), "|": _("vertical bar")}.get(
        separator, separator
    )


def _seen(chosen: str, value: str | None) -> str:
    if not value:
        return chosen
    return _("%(chosen)s (as in “%(value)s”)") % {"chosen": chosen, "value": value[:40]}


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
        "low": _figure(field.minimum),
        "high": _figure(field.maximum),
        "most": _figure(field.longest),
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


def _figure(value: float | None) -> str:
    return "" if value is None else number(value, current_lang(), 2)


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
