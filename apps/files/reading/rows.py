"""The rows of a file, in chunks of columns of text."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl
from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.dialects import Dialect
from apps.files.reading.encodings import cell_too_long, opened_text
from apps.files.reading.problems import ERRORS, problem
from apps.files.reading.workbooks import sheet_rows

_LOOKED_AT = 100


@dataclass(slots=True)
class Chunk:
    """Some rows of a file. Rows without any filled cell are left out.

    ``lines`` gives the line of each row as a spreadsheet shows it (UInt32). ``frame`` holds every column as
    text under its original header made unique, empty cells as null. ``errors`` says which rows could not be
    cut in cells as the headers are, in the shape of ``Typed.errors``.
    """

    lines: pl.Series
    frame: pl.DataFrame
    errors: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height


def header(path: Path, dialect: Dialect) -> list[str]:
    """Return the headers in the order of the file, unnamed ones named and repeated ones numbered."""
    with records_of(path, dialect) as records:
        return _names(list(islice(records, dialect.header_line + _LOOKED_AT)), dialect)


def head(path: Path, dialect: Dialect, rows: int = 5) -> list[list[str]]:
    """Return the cells of the first ``rows`` rows, empty ones as empty texts."""
    for chunk in chunks(path, dialect, size=rows):
        return [["" if cell is None else cell for cell in row] for row in chunk.frame.iter_rows()]
    return []


def chunks(path: Path, dialect: Dialect, *, size: int = 20_000, skip_lines: int = 0) -> Iterator[Chunk]:
    """Yield the rows of a file, ``size`` at a time; ``skip_lines`` is the last line that was already done.

    Raises ``FileRefused`` when the text cannot be read further.
    """
    names = header(path, dialect)
    with records_of(path, dialect) as records:
        done = max(dialect.header_line, skip_lines)
        numbered = islice(enumerate(records, start=1), done, None)
        while taken := list(islice(numbered, size)):
            chunk = _chunk(taken, names)
            if len(chunk):
                yield chunk


@contextmanager
def records_of(path: Path, dialect: Dialect) -> Iterator[Iterator[Sequence[str]]]:
    """Give every record of a file as it is cut by ``dialect``, titles and empty ones included."""
    if dialect.kind == "xlsx":
        with sheet_rows(path, dialect.sheet, decimal=dialect.decimal) as rows:
            yield rows
        return
    with opened_text(path, dialect.encoding or "utf-8") as lines:
        try:
            yield csv.reader(lines, delimiter=dialect.separator or ",")
        except csv.Error as error:
            raise cell_too_long() from error


def _names(records: Sequence[Sequence[str]], dialect: Dialect) -> list[str]:
    if len(records) < dialect.header_line:
        raise FileRefused(
            "header_missing", _("The file has no line %(line)d.") % {"line": dialect.header_line}
        )
    cells = [cell.strip() for cell in records[dialect.header_line - 1]]
    filled = max((_width(row) for row in records[dialect.header_line :]), default=0)
    width = max(_width(cells), min(filled, len(cells)))
    taken: set[str] = set()
    return [_unique(cell or f"colonne_{place}", taken) for place, cell in enumerate(cells[:width], start=1)]


def _width(row: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(row, start=1) if cell and cell.strip()), default=0)


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name} ({number})", number + 1
    taken.add(candidate)
    return candidate


def _chunk(taken: Sequence[tuple[int, Sequence[str]]], names: Sequence[str]) -> Chunk:
    kept = [(line, row) for line, row in taken if any(row)]
    rows: Sequence[Sequence[str]] = [row for _line, row in kept]
    width = len(names)
    found: list[tuple[object, ...]] = []
    if any(len(row) != width for row in rows):
        rows, found = _fitted(rows, width)
    columns = zip(*rows, strict=True) if rows else iter([()] * width)
    frame = pl.DataFrame(
        [pl.Series(name, cells, dtype=pl.String) for name, cells in zip(names, columns, strict=True)]
    )
    blank = pl.all().str.strip_chars().str.len_bytes() == 0
    frame = frame.select(pl.when(~blank).then(pl.all()))
    lines = pl.Series("line", [line for line, _row in kept], dtype=pl.UInt32)
    return Chunk(lines, frame, pl.DataFrame(found, schema=ERRORS, orient="row"))


def _fitted(rows: Sequence[Sequence[str]], width: int) -> tuple[list[list[str]], list[tuple[object, ...]]]:
    """Make rows as wide as the headers. Excel leaves out the last empty cells: only too many is an error."""
    fitted: list[list[str]] = []
    found: list[tuple[object, ...]] = []
    for index, row in enumerate(rows):
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            found.append(problem(index, "", "", "too_many_cells", cells=_width(row), columns=width))
        fitted.append([*row[:width], *[""] * (width - len(row))])
    return fitted, found
