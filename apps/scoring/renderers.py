"""The file that comes back: every original column as it was, then the score of each line."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from apps.files.reading.dialects import Dialect
from apps.scoring.enums import Output
from apps.tenancy.cells import UNSEEN, harmless

ADDED = (
    "probabilite_defaut",
    "prediction_defaut",
    "niveau_risque",
    "score",
    "facteur_1",
    "facteur_2",
    "facteur_3",
    "erreur",
)
_NUMBERS = (float, int, None, int)
_MARKS = {"utf-8-sig": ("utf-8", b"\xef\xbb\xbf"), "utf-16": ("utf-16-le", b"\xff\xfe")}
#: What ``harmless`` may change, and what it must not: a number, even negative, stays one.
_SUSPECT = r"^ *[=+\-@\t\r\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_NUMBER = re.compile(r" *-?\d[\d \u00a0\u202f]*(?:[.,]\d+)?(?:[eE][+-]?\d+)? ?%?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Style:
    """How the result is written; ``workbook`` ones are CSV until their last step."""

    encoding: str
    mark: bytes
    separator: str
    decimal: str
    newline: str
    workbook: bool = False

    @classmethod
    def of(cls, dialect: Dialect, output: str) -> "Style":
        """Return the style of the file that was sent, of French Excel, or of a workbook."""
        if output == Output.EXCEL:
            return cls("utf-8", b"\xef\xbb\xbf", ";", ",", "\r\n")
        if output == Output.XLSX or dialect.kind == "xlsx":
            return cls("utf-8", b"", ",", ".", "\n", workbook=True)
        encoding, mark = _MARKS.get(dialect.encoding or "utf-8", (dialect.encoding or "utf-8", b""))
        newline = "\r\n" if dialect.separator == ";" else "\n"
        return cls(encoding, mark, dialect.separator or ",", dialect.decimal, newline)

    @property
    def kind(self) -> str:
        return "xlsx" if self.workbook else "csv"


def header_bytes(headers: Sequence[str], style: Style) -> bytes:
    """Return the first line: the original headers, then ours, with the mark of the encoding before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=style.separator, lineterminator=style.newline)
    writer.writerow([*(_kept(header) for header in headers), *ADDED])
    return style.mark + text.getvalue().encode(style.encoding, "replace")


def part_bytes(frame: pl.DataFrame, added: pl.DataFrame, style: Style) -> bytes:
    """Return some lines of the result: ``frame`` as it was read, ``added`` with the columns of ``ADDED``."""
    kept = [_neutralised(column).alias(f"c{place}") for place, column in enumerate(frame.get_columns())]
    if style.decimal == ",":
        comma = pl.col("probabilite_defaut").cast(pl.String).str.replace(".", ",", literal=True)
        added = added.with_columns(comma)
    whole = pl.DataFrame([*kept, *added.select(ADDED).get_columns()])
    content = io.BytesIO()
    whole.write_csv(content, include_header=False, separator=style.separator, line_terminator=style.newline)
    if style.encoding == "utf-8":
        return content.getvalue()
    return content.getvalue().decode().encode(style.encoding, "replace")


def _neutralised(column: pl.Series) -> pl.Series:
    suspect = column.str.contains(_SUSPECT).fill_null(value=False)
    if not suspect.any():
        return column
    mended = pl.Series([_kept(cell) for cell in column.filter(suspect)], dtype=pl.String)
    return column.scatter(suspect.arg_true(), mended)


def _kept(cell: str) -> str:
    return UNSEEN.sub("\ufffd", cell) if _NUMBER.fullmatch(cell) else str(harmless(cell))


def write_result(target: Path, parts: Iterator[bytes], headers: Sequence[str], style: Style) -> None:
    """Write the whole result at ``target`` from its parts in order."""
    if style.workbook:
        _write_workbook(target, parts, headers)
        return
    with target.open("wb") as whole:
        whole.write(header_bytes(headers, style))
        for part in parts:
            whole.write(part)


def _write_workbook(target: Path, parts: Iterator[bytes], headers: Sequence[str]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Scores")
    sheet.append([*(_kept(header) for header in headers), *ADDED])
    first = len(headers)
    for part in parts:
        for row in csv.reader(io.StringIO(part.decode(), newline="")):
            sheet.append([*row[:first], *_typed(row[first:])])
    book.save(target)


def _typed(cells: Sequence[str]) -> list[Any]:
    numbers = [(kind(cell) if kind and cell else cell) for kind, cell in zip(_NUMBERS, cells, strict=False)]
    return [*numbers, *cells[len(_NUMBERS) :]]
