"""A file read through once, before anything is kept of it: what it is, and whether it stays in the limits."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.dialects import Dialect, detect
from apps.files.reading.encodings import cell_too_long, opened_text
from apps.files.reading.limits import LIMITS, Limits
from apps.files.reading.rows import header, records_of


@dataclass(frozen=True, slots=True)
class Survey:
    """How a file is written, its headers, and how many rows have at least one filled cell."""

    dialect: Dialect
    headers: list[str]
    rows: int


def survey(path: Path, *, dialect: Dialect | None = None, limits: Limits = LIMITS) -> Survey:
    """Read a file through; raise ``FileRefused`` for one that is not read or passes a limit.

    ``dialect`` is what somebody decided; found by reading otherwise.
    """
    found = dialect or detect(path, limits=limits)
    headers = header(path, found)
    rows = _counted(path, found, limits)
    if rows == 0:
        raise FileRefused("no_rows", _("The file has headers but no row under them."))
    return Survey(found, headers, rows)


def _counted(path: Path, dialect: Dialect, limits: Limits) -> int:
    most = limits.rows if dialect.kind == "csv" else limits.workbook_rows
    records = _text_records(path, dialect, limits) if dialect.kind == "csv" else _sheet_records(path, dialect)
    rows = 0
    for line, (row, suspect) in enumerate(records, start=1):
        if suspect and max(map(len, row), default=0) > limits.cell:
            raise cell_too_long(limits, line=line)
        if line > dialect.header_line and any(row):
            rows += 1
            if rows > most:
                raise FileRefused(
                    "too_many_rows", _("The file has more than %(rows)d rows.") % {"rows": most}
                )
    return rows


def _text_records(path: Path, dialect: Dialect, limits: Limits) -> Iterator[tuple[Sequence[str], bool]]:
    """Yield the records and whether one of their cells may be too long: a long line, or several lines."""
    long = False

    def watched(lines: Iterator[str]) -> Iterator[str]:
        nonlocal long
        for line in lines:
            if len(line) > limits.cell:
                long = True
            yield line

    read = 0
    with opened_text(path, dialect.encoding or "utf-8") as lines:
        reader = csv.reader(watched(lines), delimiter=dialect.separator or ",")
        try:
            for row in reader:
                yield row, long or reader.line_num > read + 1
                long, read = False, reader.line_num
        except csv.Error as error:
            raise cell_too_long(limits) from error


def _sheet_records(path: Path, dialect: Dialect) -> Iterator[tuple[Sequence[str], bool]]:
    with records_of(path, dialect) as records:
        for row in records:
            yield row, True
