"""Workbooks: what is refused in them, their sheets, and the cells of one as texts.

Nothing in a workbook is computed or followed: of a formula the last value is read, links to other files are
left alone, hidden sheets are not offered.
"""

import datetime as dt
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.limits import LIMITS, Limits

_BOOK = "xl/workbook.xml"
_STRINGS = "xl/sharedstrings.xml"
_TYPES = "[Content_Types].xml"
_PROLOG = 4096
_SMALL = 10 * 1024 * 1024
_ENCRYPTED = 0x1
_DAY = 86_400


def check_workbook(path: Path, *, limits: Limits = LIMITS) -> None:
    """Raise ``FileRefused`` for a workbook that is unsafe, damaged, protected or too large once unpacked."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            _check_size(path, parts, limits)
            _check_kind(packed, {part.filename.lower() for part in parts})
            _check_markup(packed, parts)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise _damaged() from error


def sheets(path: Path) -> list[str]:
    """Return the names of the visible sheets, in order; raise ``FileRefused`` for a damaged workbook."""
    with _opened(path) as book:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


@contextmanager
def sheet_rows(path: Path, sheet: str | None, *, decimal: str) -> Iterator[Iterator[list[str]]]:
    """Give the cells of each row of a sheet (the first visible one when None) as texts, empty rows too.

    Numbers are written with the mark ``decimal`` and no other, dates in ISO.
    """
    with _opened(path) as book:
        found = [each for each in book.worksheets if sheet in {None, each.title}]
        if not found:
            raise FileRefused("sheet_missing", _("The workbook has no sheet “%(name)s”.") % {"name": sheet})
        found[0].reset_dimensions()
        rows = found[0].iter_rows(values_only=True)
        yield ([_text(cell, decimal) for cell in row] for row in rows)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except FileRefused:
        raise
    except Exception as error:
        raise _damaged() from error


def _text(cell: Any, decimal: str) -> str:
    if cell is None:
        return ""
    write = _WRITERS.get(type(cell))
    return str(cell) if write is None else write(cell, decimal)


def _moment(moment: dt.datetime) -> str:
    return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(" ", "seconds")


def _number(value: float, decimal: str) -> str:
    """Write a number of a cell: never with an exponent, and without the dust of binary fractions."""
    if value.is_integer():
        return str(int(value))
    written = repr(value)
    if "e" in written:
        written = f"{value:.15f}".rstrip("0")
    return written.replace(".", decimal)


_WRITERS: dict[type, Callable[[Any, str], str]] = {
    bool: lambda cell, _decimal: "oui" if cell else "non",
    float: _number,
    dt.datetime: lambda cell, _decimal: _moment(cell),
    dt.timedelta: lambda cell, decimal: _number(cell.total_seconds() / _DAY, decimal),
}


def _check_size(path: Path, parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    unpacked = sum(part.file_size for part in parts)
    strings = sum(part.file_size for part in parts if part.filename.lower() == _STRINGS)
    swollen = any(
        part.file_size > _SMALL and part.file_size > limits.ratio * max(part.compress_size, 1)
        for part in parts
    )
    too_large = unpacked > limits.unpacked or strings > limits.strings or len(parts) > limits.parts
    if swollen or too_large or unpacked > limits.ratio * max(path.stat().st_size, _SMALL // limits.ratio):
        raise FileRefused(
            "workbook_too_large",
            _("Once unpacked, this workbook is too large to be safe: save the sheet as CSV."),
        )


def _check_kind(packed: zipfile.ZipFile, names: set[str]) -> None:
    if any(part.flag_bits & _ENCRYPTED for part in packed.infolist()):
        raise FileRefused(
            "workbook_protected", _("This workbook is protected by a password: remove it and send it again.")
        )
    if any(name.endswith("vbaproject.bin") for name in names) or _declares_macros(packed, names):
        raise FileRefused(
            "workbook_macros", _("This workbook holds macros (.xlsm): save it as .xlsx without macros.")
        )
    if _BOOK not in names:
        raise FileRefused(
            "file_not_a_table",
            _("This is a compressed file but not an Excel workbook: send the .xlsx or the CSV itself."),
        )


def _declares_macros(packed: zipfile.ZipFile, names: set[str]) -> bool:
    return _TYPES.lower() in names and b"macroenabled" in packed.read(_TYPES).lower()


def _check_markup(packed: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuse what declares entities: no workbook does, only those made to exhaust or to read files."""
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue
        with packed.open(part) as opened:
            prolog = opened.read(_PROLOG).replace(b"\0", b"").lower()
        if b"<!doctype" in prolog or b"<!entity" in prolog:
            raise FileRefused("workbook_unsafe", _("This workbook holds declarations that are not accepted."))


def _damaged() -> FileRefused:
    return FileRefused("file_damaged", _("This workbook is damaged and cannot be opened."))
