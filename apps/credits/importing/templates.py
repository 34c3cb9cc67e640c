"""Files to fill in for an import: headers, two examples and what each column holds; no data of anybody.

Written from the fields of a target alone: an institution with a million clients gets its file at once.
"""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext as _

from apps.credits.importing.registry import target_named
from apps.credits.importing.targets import Target
from apps.files.reading.mapping import Field

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

TemplateKind = Literal["csv", "xlsx"]
KINDS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_SHOWN_CODES = 15
#: Columns described on one line: a cell of a file has its limit.
_TOLD_TOGETHER = 8
_DAYS = (dt.date(2026, 1, 15), dt.date(2026, 2, 28))
#: What two lines of somebody might hold, where the kind of a field tells too little.
_EXAMPLES: Mapping[str, tuple[Any, Any]] = {
    "reference": ("CL-0001", "CL-0002"),
    "client_reference": ("CL-0001", "CL-0002"),
    "application_reference": ("D-2026-0001", "D-2026-0002"),
    "credit_reference": ("P-2026-0001", "P-2026-0002"),
    "agency": ("AKWA", "MOKOLO"),
    "last_name": ("Nkomo", "Bella"),
    "first_names": ("Jean-Paul", "Aïcha"),
    "birth_date": (dt.date(1985, 3, 14), dt.date(1992, 11, 2)),
    "phone": ("677 12 34 56", "699 65 43 21"),
    "city": ("Douala", "Yaoundé"),
    "residence_region": ("Littoral", "Centre"),
    "document_number": ("100000001", "100000002"),
    "document_expires_on": (dt.date(2031, 5, 1), dt.date(2030, 9, 30)),
    "occupation": ("Commerçant", "Couturière"),
    "contract_start": (dt.date(2018, 2, 1), dt.date(2021, 6, 15)),
    "prohibition_source": ("", ""),
    "prohibition_date": (None, None),
    "purpose": ("Achat de stock", "Frais de scolarité"),
    "lender": ("MC² de Bafang", "Express Union"),
    "kind": ("Fonds de roulement", "Scolaire"),
    "age": (41, 33),
    "montant_credit": (500_000, 250_000),
    "amount_xaf": (500_000, 250_000),
    "duree_mois": (12, 9),
    "duration_months": (12, 9),
    "taux_interet": (24.0, 22.5),
    "rate_percent": (24.0, 22.5),
    "taux_endettement": (None, None),
    "ratio_dette_revenu": (None, None),
    "outcome": ("bon", None),
    "outcome_date": (_DAYS[1], None),
    "closed_on": (None, None),
    "written_off_on": (None, None),
    "restructured_on": (None, None),
    "for_difficulty": (None, None),
    "refinances": ("", ""),
    "exclusion": (None, None),
    "schedule_from": (None, None),
    "status": (None, None),
    "number": (1, 2),
    "principal_xaf": (37_281, 38_027),
    "interest_xaf": (10_000, 9_254),
    "total_xaf": (47_281, 47_281),
    "outstanding_xaf": (420_000, 0),
    "days_late": (35, 0),
    "is_active": (True, True),
}
_RECEIPTS: Mapping[str, tuple[Any, Any]] = {
    "reference": ("R-0001", "R-0002"),
    "amount_xaf": (47_281, 28_900),
}


_OF_KINDS: Mapping[str, tuple[Any, Any]] = {
    "date": _DAYS,
    "boolean": (True, False),
    "text": ("", ""),
    "decimal": (12.5, 8.0),
    "integer": (0, 1),
    "amount": (150_000, 95_000),
}


@dataclass(frozen=True, slots=True)
class Template:
    """A file to fill in: its name, its type and what is in it."""

    name: str
    media_type: str
    content: bytes


def import_template(*, target: str, kind: TemplateKind) -> Template:
    """Return the file to fill in for a target, worded in the language in force.

    Raises ``ObjectNotFound`` for an unknown target; ``kind`` is one of ``KINDS``.
    """
    chosen = target_named(target)
    columns = [_Column.of(each, chosen) for each in _ordered(chosen.fields())]
    content = _csv(columns, chosen) if kind == "csv" else _workbook(columns)
    name = _("template_%(target)s.%(kind)s") % {"target": chosen.name, "kind": kind}
    return Template(name, KINDS[kind], content)


@dataclass(frozen=True, slots=True)
class _Column:
    label: str
    required: bool
    holds: str
    examples: tuple[Any, Any]

    @classmethod
    def of(cls, each: Field, target: Target) -> "_Column":
        known = {**_EXAMPLES, **(_RECEIPTS if target.name == "repayments" else {})}
        examples = known.get(each.name) or _usual(each)
        return cls(each.label, each.required, _holds(each), examples)


def _ordered(fields: list[Field]) -> list[Field]:
    return sorted(fields, key=lambda each: not each.required)


def _usual(each: Field) -> tuple[Any, Any]:
    codes = list(dict.fromkeys(each.codes.values()))
    if codes:
        return codes[0], codes[min(1, len(codes) - 1)]
    first, second = _OF_KINDS[each.kind]
    if each.minimum is None or each.maximum is None:
        return first, second
    return max(each.minimum, min(first, each.maximum)), max(each.minimum, min(second, each.maximum))


def _holds(each: Field) -> str:
    """Say what is written in a column, for who fills it in."""
    if each.kind == "code":
        codes = list(dict.fromkeys(each.codes.values()))
        shown = ", ".join(codes[:_SHOWN_CODES]) + ("…" if len(codes) > _SHOWN_CODES else "")
        return _("one of: %(codes)s") % {"codes": shown}
    return {
        "date": _("date, as in 31/12/2026"),
        "boolean": _("yes or no"),
        "text": _("text, at most %(most)d characters") % {"most": each.longest},
        "decimal": _("number") + _within(each),
        "integer": _("whole number") + _within(each),
        "amount": _("amount in FCFA, without decimals"),
    }[each.kind]


def _within(each: Field) -> str:
    if each.minimum is None or each.maximum is None:
        return ""
    return _(", from %(low)d to %(high)d") % {"low": each.minimum, "high": each.maximum}


def _csv(columns: list[_Column], target: Target) -> bytes:
    """Write titles of one cell, which reading passes over, then the headers and the examples."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    told = [f"{each.label} ({_needed(each)}): {each.holds}" for each in columns]
    # Between quotes, so that no comma in them is taken for the separator.
    titles = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for place in range(0, len(told), _TOLD_TOGETHER):
        titles.writerow([f"{target.label}. {' | '.join(told[place : place + _TOLD_TOGETHER])}"])
    writer.writerow([each.label for each in columns])
    for place in range(2):
        writer.writerow([_written(each.examples[place]) for each in columns])
    return text.getvalue().encode("utf-8-sig")


def _needed(column: _Column) -> str:
    return _("required") if column.required else _("optional")


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "oui" if value else "non"
        case dt.date():
            return f"{value:%d/%m/%Y}"
        case float():
            return f"{value:g}".replace(".", ",")
        case _:
            return str(value)


def _workbook(columns: list[_Column]) -> bytes:
    """Write two sheets: the one to fill in comes first, and it is the one that is read."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = _("Data")
    _fill(sheet, [[each.label for each in columns], *_example_rows(columns)])
    sheet.freeze_panes = "A2"
    notes = book.create_sheet(_("Columns"))
    told = [[each.label, _needed(each), each.holds] for each in columns]
    _fill(notes, [[_("Column"), _("Required"), _("What it holds")], *told])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _example_rows(columns: list[_Column]) -> list[list[Any]]:
    rows = [[each.examples[place] for each in columns] for place in range(2)]
    return [[_written(value) if isinstance(value, bool) else value for value in row] for row in rows]


def _fill(sheet: "Worksheet", rows: list[list[Any]]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    for row in rows:
        sheet.append([None if value == "" else value for value in row])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for place, cells in enumerate(zip(*rows, strict=True), start=1):
        longest = max(len(_written(cell)) for cell in cells)
        sheet.column_dimensions[get_column_letter(place)].width = min(longest + 2, 60)
        for cell in sheet[get_column_letter(place)]:
            if isinstance(cell.value, dt.date):
                cell.number_format = "DD/MM/YYYY"
