"""The tables of a document as CSV (the first one) or as a workbook (each on its sheet)."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.engine.contracts import Lang
from apps.files.reading.dialects import Dialect
from apps.files.writing import FRENCH_EXCEL, CsvWriter
from apps.reports.queries.documents import Cell, CellKind, Column, Document, Fact, Table
from apps.tenancy.cells import harmless

#: What Excel opens in English by a double click.
ENGLISH_EXCEL = Dialect("csv", encoding="utf-8-sig", separator=",", decimal=".", day_first=False)
_CHUNK = 10_000
_TYPES: dict[CellKind, Any] = {
    "count": pl.Int64,
    "money": pl.Int64,
    "points": pl.Float64,
    "rate": pl.Float64,
    "date": pl.Date,
    "month": pl.Date,
}
_FORMATS: dict[CellKind, str] = {
    "count": "#,##0",
    "money": "#,##0",
    "points": "0.0",
    "rate": "0.00%",
    "date": "dd/mm/yyyy",
    "month": "mm/yyyy",
    "moment": "dd/mm/yyyy hh:mm",
}
_WIDTHS: dict[CellKind, int] = {"text": 26, "moment": 18, "money": 18}
_LONGEST_NAME = 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def write_csv(path: Path, document: Document) -> None:
    """Write the first table as CSV, in the dialect of the document's language; rates are per cent."""
    table = document.tables[0]
    headers = [_header(column) for column in table.columns]
    with CsvWriter(path, headers, _dialect(document.lang)) as writer:
        for rows in _chunks(table.rows):
            writer.append(_frame(table.columns, rows, document.lang))


def write_workbook(path: Path, document: Document) -> None:
    """Write every table on a sheet of its own, cells typed, header frozen; the figures come first."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.title = document.title
    names: set[str] = set()
    if document.facts:
        _write_facts(book.create_sheet(_sheet_name(_("Summary"), names)), document)
    for table in document.tables:
        _write_table(book.create_sheet(_sheet_name(table.title, names)), table)
    book.save(path)


def _dialect(lang: Lang) -> Dialect:
    return ENGLISH_EXCEL if lang == "en" else FRENCH_EXCEL


def _header(column: Column) -> str:
    unit = {"rate": " (%)", "money": " (FCFA)"}.get(column.kind, "")
    return f"{column.label}{unit}"


def _chunks(rows: Sequence[tuple[Cell, ...]]) -> Iterator[Sequence[tuple[Cell, ...]]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _frame(columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], lang: Lang) -> pl.DataFrame:
    return pl.DataFrame(
        [
            pl.Series(
                str(place),
                [_csv_cell(row[place], column.kind, lang) for row in rows],
                _TYPES.get(column.kind, pl.String),
            )
            for place, column in enumerate(columns)
        ]
    )


def _csv_cell(value: Cell, kind: CellKind, lang: Lang) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, dt.datetime):
        local = timezone.localtime(value)
        return f"{local:%Y-%m-%d %H:%M}" if lang == "en" else f"{local:%d/%m/%Y %H:%M}"
    if kind == "rate":
        return round(100 * float(value), 4)  # type: ignore[arg-type]
    if kind in {"count", "money"}:
        return round(float(value))  # type: ignore[arg-type]
    if kind == "points":
        return round(float(value), 2)  # type: ignore[arg-type]
    return value


def _sheet_name(title: str, taken: set[str]) -> str:
    bare = _NOT_IN_NAMES.sub(" ", title).strip("' ")[:_LONGEST_NAME] or "1"
    name, number = bare, 2
    while name.lower() in taken:
        name, number = f"{bare[: _LONGEST_NAME - 3]} {number}", number + 1
    taken.add(name.lower())
    return name


def _write_facts(sheet: Any, document: Document) -> None:
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 44, 22
    sheet.append([_bold(sheet, document.title)])
    for text in filter(None, (document.subtitle, document.foot)):
        sheet.append([harmless(text)])
    for fact in document.facts:
        sheet.append([harmless(fact.label), _fact_cell(sheet, fact)])


def _fact_cell(sheet: Any, fact: Fact) -> Any:
    return _typed(sheet, fact.value, fact.kind)


def _write_table(sheet: Any, table: Table) -> None:
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for place, column in enumerate(table.columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column.kind, 14)
    sheet.append([_bold(sheet, harmless(column.label)) for column in table.columns])
    for row in table.rows:
        sheet.append(
            [_typed(sheet, value, column.kind) for value, column in zip(row, table.columns, strict=True)]
        )


def _bold(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _typed(sheet: Any, value: Cell, kind: CellKind) -> Any:
    """Return a cell of its kind: texts that would be computed get an apostrophe, instants lose their zone."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or value == "":
        return None
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value).replace(tzinfo=None)
    cell = WriteOnlyCell(sheet, value)
    if kind in _FORMATS:
        cell.number_format = _FORMATS[kind]
    return cell
