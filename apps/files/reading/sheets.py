"""The cells of one sheet as texts, row after row: a large sheet is never held whole.

Nothing is computed or followed: of a formula the last value is read, links to other files are left alone.
"""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from apps.files.reading.workbooks import Book, opened_book, parts_of, small_part

_STRINGS = "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"
_ORIGINS = {False: dt.datetime(1899, 12, 30), True: dt.datetime(1904, 1, 1)}  # noqa: DTZ001  days of no place
_LAST_ROW = 1_048_576
_LAST_COLUMN = 16_384
#: What one row may hold at most, or one shared text: beyond, a part was made to fill the memory.
_MOST_ELEMENTS = 8 * _LAST_COLUMN
_LAST_DAY = 2_958_466
_DIGITS = "0123456789"
_WHOLE = re.compile(r"-?\d{1,15}\Z", re.ASCII)
_LETTERS = 26


@contextmanager
def sheet_rows(path: Path, sheet: str | None, *, decimal: str) -> Iterator[Iterator[list[str]]]:
    """Give the cells of each row of a sheet (the first visible one when None) as texts, empty rows too.

    Numbers are written with the mark ``decimal`` and no other, dates in ISO. Raises ``FileRefused`` for a
    damaged workbook and for a sheet that is not there.
    """
    with opened_book(path) as book:
        part = book.sheet(sheet).part
        cells = _Cells(book, decimal)
        with book.packed.open(part) as opened:
            yield _rows(opened, cells)


def _rows(opened: IO[bytes], cells: "_Cells") -> Iterator[list[str]]:
    expected, within = 1, 0
    for _event, element in ET.iterparse(opened):  # noqa: S314  refused before when it declares entities
        within += 1
        if within > _MOST_ELEMENTS:
            raise ValueError("a row without end")
        if element.tag.endswith("}sheetData"):
            break
        if element.tag.endswith("}row"):
            number = int(element.get("r") or expected)
            if not expected <= number <= _LAST_ROW:
                raise ValueError("rows out of order")
            yield from ([] for _gap in range(number - expected))
            yield cells.row(element)
            expected, within = number + 1, 0
            element.clear()


class _Cells:
    """Turns the cells of a workbook into texts, with its shared texts and its formats."""

    def __init__(self, book: Book, decimal: str) -> None:
        self.decimal = decimal
        self.origin = _ORIGINS[book.since_1904]
        names = {name.lower(): name for name in book.packed.namelist()}
        self.strings = list(_shared(book, names.get(_STRINGS.lower())))
        self.dated = list(_dated(book, names.get(_STYLES.lower())))
        self.columns: dict[str, int] = {}

    def row(self, element: ET.Element) -> list[str]:
        row: list[str] = []
        for cell in element:
            text = self._text(cell)
            place = self._place(cell.get("r"), len(row))
            if place > len(row):
                row.extend([""] * (place - len(row)))
            row[place:] = [text]
        return row

    def _place(self, reference: str | None, following: int) -> int:
        if reference is None:
            return following
        letters = reference.rstrip(_DIGITS)
        place = self.columns.get(letters)
        if place is None:
            place = self.columns[letters] = _place_of(letters)
        if place < following:
            raise ValueError("cells out of order")
        return place

    def _text(self, cell: ET.Element) -> str:
        kind = cell.get("t")
        if kind == "inlineStr":
            return _runs(cell)
        value = next((child.text for child in cell if child.tag.endswith("}v")), None)
        if value is None:
            return ""
        if kind == "s":
            return self.strings[int(value)]
        if kind in {None, "n"}:
            return self._number(value, cell.get("s"))
        if kind == "b":
            return "oui" if value == "1" else "non"
        return value

    def _number(self, value: str, style: str | None) -> str:
        if style is not None and int(style) < len(self.dated) and self.dated[int(style)]:
            return self._moment(float(value))
        return value if _WHOLE.match(value) else _decimal(float(value), self.decimal)

    def _moment(self, days: float) -> str:
        if not 0 <= days < _LAST_DAY:
            return _decimal(days, self.decimal)
        moment = self.origin + dt.timedelta(seconds=round(days * 86_400))
        return moment.date().isoformat() if days.is_integer() else moment.isoformat(" ", "seconds")


def _decimal(value: float, mark: str) -> str:
    """Write a number without an exponent, with the digits that tell it from any other."""
    if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004  beyond, digits would be made up
        return str(int(value))
    written = repr(value)
    if "e" in written:
        written = f"{value:.15f}".rstrip("0")
    return written.replace(".", mark)


def _place_of(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * _LETTERS + ord(letter) - ord("A") + 1
    if not 1 <= place <= _LAST_COLUMN:
        raise ValueError("no such column")
    return place - 1


def _shared(book: Book, part: str | None) -> Iterator[str]:
    if part is None:
        return
    with book.packed.open(part) as opened:
        within = 0
        for _event, element in ET.iterparse(opened):  # noqa: S314  refused before when it declares entities
            within += 1
            if within > _MOST_ELEMENTS:
                raise ValueError("a text without end")
            if element.tag.endswith("}si"):
                yield _runs(element)
                element.clear()
                within = 0


def _runs(element: ET.Element) -> str:
    """Return the text of an element, its styles and the phonetic signs above it left out."""
    texts = []
    for child in element:
        if child.tag.endswith("}t"):
            texts.append(child.text or "")
        elif child.tag.endswith(("}r", "}is")):
            texts.append(_runs(child))
    return "".join(texts)


def _dated(book: Book, part: str | None) -> Iterator[bool]:
    """Yield, for each style of a cell, whether its format shows a date."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

    if part is None:
        return
    root = ET.fromstring(small_part(book.packed, part))  # noqa: S314  refused before when it declares entities
    formats = {**BUILTIN_FORMATS}
    for described in parts_of(root, "numFmt"):
        formats[int(described.get("numFmtId", "0"))] = described.get("formatCode", "")
    for group in parts_of(root, "cellXfs"):
        for style in group:
            code = formats.get(int(style.get("numFmtId", "0")), "")
            yield is_date_format(code) and not is_timedelta_format(code)
