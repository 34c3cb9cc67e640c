"""What a file is written in: found by reading it, said, and open to correction."""

import csv
import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.contents import kind_of
from apps.files.reading.encodings import cell_too_long, encoding_of, opened_text, too_many_columns
from apps.files.reading.layout import header_index, separator_of
from apps.files.reading.limits import LIMITS, Limits
from apps.files.reading.marks import marks_of
from apps.files.reading.sheets import sheet_rows
from apps.files.reading.workbooks import check_workbook, opened_book

_SAMPLE = 20_000
_SAMPLE_OF_SHEET = 5_000
_SAMPLE_SIZE = 4_000_000
#: Numbers of a workbook are written with a mark that no text has: they settle nothing.
_NO_MARK = "\u066b"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a file are read. ``replaced`` decides otherwise than ``detect`` did.

    ``encoding`` and ``separator`` are those of a CSV file, ``sheet`` that of a workbook. ``header_line`` is
    the line of the headers as a spreadsheet shows it, from 1. ``doubts`` names the parts that nothing in the
    file settled (``decimal``, ``day_first``), ``evidence`` a value that settled each of the others.
    """

    kind: Literal["csv", "xlsx"]
    encoding: str | None = None
    separator: str | None = None
    decimal: Literal[",", "."] = ","
    day_first: bool = True
    sheet: str | None = None
    header_line: int = 1
    doubts: tuple[str, ...] = ()
    evidence: dict[str, str] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return {**asdict(self), "doubts": list(self.doubts)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Dialect":
        return cls(**{**stored, "doubts": tuple(stored.get("doubts", ()))})

    def replaced(self, **parts: Any) -> "Dialect":
        """Return this dialect with parts that somebody decided: these are no longer in doubt."""
        return replace(self, **parts, doubts=tuple(name for name in self.doubts if name not in parts))


def detect(path: Path, *, limits: Limits = LIMITS) -> Dialect:
    """Find how a file is written; raise ``FileRefused`` for one that is not read at all."""
    if kind_of(path, limits=limits) == "xlsx":
        check_workbook(path, limits=limits)
        sheet, rows = _first_filled(path)
        return _settled(Dialect(kind="xlsx", sheet=sheet), rows, limits)
    encoding = encoding_of(path, limits=limits)
    first = _first_lines(path, encoding)
    separator = separator_of(first)
    try:
        rows = list(csv.reader(first, delimiter=separator))
    except csv.Error as error:
        raise cell_too_long(limits) from error
    return _settled(Dialect(kind="csv", encoding=encoding, separator=separator), rows, limits)


def _settled(dialect: Dialect, rows: Sequence[Sequence[str]], limits: Limits) -> Dialect:
    if max(len(row) for row in rows) > limits.columns:
        raise too_many_columns(limits)
    index = header_index(rows)
    marks = marks_of(itertools.chain.from_iterable(rows[index + 1 :]), separator=dialect.separator)
    return replace(
        dialect,
        decimal=marks.decimal,
        day_first=marks.day_first,
        header_line=index + 1,
        doubts=tuple(marks.doubts),
        evidence=marks.evidence,
    )


def _first_lines(path: Path, encoding: str) -> list[str]:
    first, size = [], 0
    with opened_text(path, encoding) as lines:
        for line in itertools.islice(lines, _SAMPLE):
            first.append(line)
            size += len(line)
            if size > _SAMPLE_SIZE:
                break
    return first


def sheets(path: Path) -> list[str]:
    """Return the names of the visible sheets of a workbook, in order, for whoever chooses another."""
    with opened_book(path) as book:
        return [sheet.name for sheet in book.sheets]


def _first_filled(path: Path) -> tuple[str, Sequence[list[str]]]:
    for sheet in sheets(path):
        with sheet_rows(path, sheet, decimal=_NO_MARK) as records:
            rows = list(itertools.islice(records, _SAMPLE_OF_SHEET))
        if any(any(row) for row in rows):
            return sheet, rows
    raise FileRefused("file_empty", _("The file is empty."))
