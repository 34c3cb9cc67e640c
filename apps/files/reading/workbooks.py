"""Workbooks: what is refused in them, and their visible sheets."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.limits import LIMITS, Limits

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_BOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_STRINGS = "xl/sharedstrings.xml"
_TYPES = "[Content_Types].xml"
_PROLOG = 4096
_SMALL = 10 * 1024 * 1024
_ENCRYPTED = 0x1
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ET.ParseError,
    LookupError,
    EOFError,
    ValueError,
    OverflowError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One visible sheet: its name and its part in the workbook."""

    name: str
    part: str


@dataclass(frozen=True, slots=True)
class Book:
    """An open workbook: its visible sheets in order, and whether it counts days from 1904."""

    packed: zipfile.ZipFile
    sheets: list[Sheet]
    since_1904: bool

    def sheet(self, name: str | None) -> Sheet:
        """Return a sheet by its name, the first when None; raise ``FileRefused`` when it is not there."""
        found = next((sheet for sheet in self.sheets if name in {None, sheet.name}), None)
        if found is None:
            raise FileRefused(
                "sheet_missing", _("The workbook has no visible sheet “%(name)s”.") % {"name": name or ""}
            )
        return found


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


@contextmanager
def opened_book(path: Path) -> Iterator[Book]:
    """Give an open workbook; raise ``FileRefused`` for one that is damaged, here or while it is read."""
    try:
        with zipfile.ZipFile(path) as packed:
            book = ET.fromstring(small_part(packed, _BOOK))  # noqa: S314  refused before when it declares entities
            yield Book(packed, list(_visible(book, packed)), _counts_from_1904(book))
    except _DAMAGE as error:
        raise _damaged() from error


def small_part(packed: zipfile.ZipFile, name: str) -> bytes:
    """Return a part that is small in any workbook; raise ``ValueError`` for one that is not."""
    if packed.getinfo(name).file_size > _SMALL:
        raise ValueError("a part that should be small is large")
    return packed.read(name)


def parts_of(root: ET.Element, name: str) -> list[ET.Element]:
    """Return the elements of a name under ``root``, in either of the two namespaces of workbooks."""
    return [*root.iter(MAIN + name), *root.iter(_STRICT + name)]


def _visible(book: ET.Element, packed: zipfile.ZipFile) -> Iterator[Sheet]:
    relations = ET.fromstring(small_part(packed, _RELATIONS))  # noqa: S314  refused before when it declares entities
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    names = set(packed.namelist())
    for sheet in parts_of(book, "sheet"):
        key = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), None)
        target = targets.get(key, "")
        part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        if sheet.get("state", "visible") == "visible" and "worksheets" in part and part in names:
            yield Sheet(sheet.get("name", ""), part)


def _counts_from_1904(book: ET.Element) -> bool:
    return any(each.get("date1904") in {"1", "true"} for each in parts_of(book, "workbookPr"))


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
    return _TYPES.lower() in names and b"macroenabled" in small_part(packed, _TYPES).lower()


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
