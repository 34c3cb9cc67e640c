"""The rows of a file, in chunks of columns of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.dialects import Dialect
from apps.files.reading.pieces import Piece, first_records, pieces
from apps.files.reading.problems import ERRORS, problem

_LOOKED_AT = 100
#: What ``strip_chars`` takes away, but for the ends of lines; looking for it is quicker than stripping.
_BLANKS = "\t\v\f \x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@dataclass(slots=True)
class Chunk:
    """Some rows of a file. Rows without any filled cell are left out.

    ``lines`` gives the line of each row as a spreadsheet shows it (UInt32). ``frame`` holds every column as
    text under its original header made unique, blank cells as null. ``errors`` says which rows could not be
    cut in cells as the headers are, in the shape of ``Typed.errors``. ``tight`` when no cell is known to
    begin or end with a blank.
    """

    lines: pl.Series
    frame: pl.DataFrame
    errors: pl.DataFrame
    tight: bool = False

    def __len__(self) -> int:
        return self.frame.height

    def halves(self) -> list["Chunk"]:
        """Return this chunk cut in two, or itself where there is nothing to cut."""
        middle = len(self) // 2
        if not middle:
            return [self]
        first, second = (
            self.errors.filter(pl.col("row") < middle),
            self.errors.filter(pl.col("row") >= middle),
        )
        return [
            Chunk(self.lines[:middle], self.frame[:middle], first, self.tight),
            Chunk(
                self.lines[middle:],
                self.frame[middle:],
                second.with_columns(pl.col("row") - middle),
                self.tight,
            ),
        ]


def header(path: Path, dialect: Dialect) -> list[str]:
    """Return the headers in the order of the file, unnamed ones named and repeated ones numbered.

    Raises ``FileRefused`` when the line of the headers is not there or is empty.
    """
    records = first_records(path, dialect, dialect.header_line + _LOOKED_AT)
    if len(records) < dialect.header_line:
        said = _("The file has no line %(line)d.") % {"line": dialect.header_line}
        raise FileRefused("header_missing", said)
    names = _names(records[dialect.header_line - 1], records[dialect.header_line :])
    if not names:
        said = _("Line %(line)d, which should hold the headers, is empty.") % {"line": dialect.header_line}
        raise FileRefused("header_missing", said)
    return names


def head(path: Path, dialect: Dialect, rows: int = 5) -> list[list[str]]:
    """Return the cells of the first ``rows`` rows, empty ones as empty texts."""
    found: list[list[str]] = []
    for chunk in chunks(path, dialect, size=max(rows, _LOOKED_AT)):
        found += [
            ["" if cell is None else cell for cell in row] for row in chunk.frame.head(rows).iter_rows()
        ]
        if len(found) >= rows:
            break
    return found[:rows]


def chunks(path: Path, dialect: Dialect, *, size: int = 20_000, skip_lines: int = 0) -> Iterator[Chunk]:
    """Yield the rows of a file, at most ``size`` at a time; ``skip_lines`` is the last line already done.

    Raises ``FileRefused`` when the file cannot be read further.
    """
    names = header(path, dialect)
    for piece in pieces(path, dialect, size=size, skip=max(dialect.header_line, skip_lines)):
        chunk = _chunk(piece, names)
        if len(chunk):
            yield chunk


def _names(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Name every column up to the last that has a header or a value within the table."""
    cells = [" ".join(cell.split()) for cell in headers]
    filled = max((_width(row) for row in rows), default=0)
    width = max(_width(cells), min(filled, len(cells)))
    if _width(cells) == 0:
        return []
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


def _chunk(piece: Piece, names: Sequence[str]) -> Chunk:
    found: list[tuple[object, ...]] = []
    text = "".join(piece.texts)
    frame = _split(text, piece, names)
    tight = frame is not None and not any(blank in text for blank in _BLANKS if blank != piece.separator)
    if frame is None:
        rows = piece.records
        if any(len(row) != len(names) for row in rows):
            rows, found = _fitted(rows, len(names))
        frame = _columns(rows, names)
    written = pl.all() if tight else pl.all().str.strip_chars()
    frame = frame.select(pl.when(written.str.len_bytes() > 0).then(pl.all()))
    lines = pl.int_range(piece.line, piece.line + frame.height, dtype=pl.UInt32, eager=True).alias("line")
    return _filled(Chunk(lines, frame, pl.DataFrame(found, schema=ERRORS, orient="row"), tight))


def _split(text: str, piece: Piece, names: Sequence[str]) -> pl.DataFrame | None:
    """Split lines that hold no quote all at once; None when one of them is not as wide as the headers."""
    separators = len(names) - 1
    if not piece.texts or not separators:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count(piece.separator) != separators * len(piece.texts):
        return None
    try:
        frame = pl.read_csv(
            text.encode(errors="replace"),
            separator=piece.separator,
            has_header=False,
            infer_schema=False,
            quote_char=None,
            new_columns=list(names),
        )
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.shape == (len(piece.texts), len(names)) else None


def _columns(rows: Sequence[Sequence[str]], names: Sequence[str]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else iter([()] * len(names))
    series = (pl.Series(name, cells, dtype=pl.String) for name, cells in zip(names, columns, strict=True))
    return pl.DataFrame(list(series))


def _fitted(
    rows: Sequence[Sequence[str]], width: int
) -> tuple[list[Sequence[str]], list[tuple[object, ...]]]:
    """Make rows as wide as the headers. Excel leaves out the last empty cells: only too many is an error."""
    fitted: list[Sequence[str]] = []
    found: list[tuple[object, ...]] = []
    for index, row in enumerate(rows):
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            found.append(problem(index, "", "", "too_many_cells", cells=_width(row), columns=width))
        fitted.append([*row[:width], *[""] * (width - len(row))])
    return fitted, found


def _filled(chunk: Chunk) -> Chunk:
    """Leave out the rows without any filled cell; a row with too many cells stays, whatever the others."""
    kept = chunk.frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    kept = kept.scatter(chunk.errors["row"], True) if chunk.errors.height else kept
    if kept.all():
        return chunk
    places = (kept.cast(pl.UInt32).cum_sum() - 1).cast(pl.UInt32)
    rows = places.gather(chunk.errors["row"]).alias("row")
    errors = chunk.errors.with_columns(rows)
    return Chunk(chunk.lines.filter(kept), chunk.frame.filter(kept), errors, chunk.tight)
