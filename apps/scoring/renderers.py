"""The file that comes back: every original column as it was, then the score of each line."""

import csv
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from apps.files.reading.dialects import Dialect
from apps.files.writing import cells_of, encoded, mark_and_encoding, neutralised, neutralised_columns
from apps.scoring.enums import Output

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
_KINDS = (pl.Float64, pl.Int64, pl.String, pl.Int64, pl.String, pl.String, pl.String, pl.String)


@dataclass(frozen=True, slots=True)
class Style:
    """How the result is written; ``workbook`` ones are CSV until their last step.

    ``decimal`` is the mark of our columns, ``source_decimal`` that of the file that was sent.
    """

    encoding: str
    mark: bytes
    separator: str
    decimal: str
    newline: str
    workbook: bool = False
    source_decimal: str = "."

    @classmethod
    def of(cls, dialect: Dialect, output: str) -> "Style":
        """Return the style of the file that was sent, of French Excel, or of a workbook."""
        if output == Output.EXCEL:
            return cls("utf-8", b"\xef\xbb\xbf", ";", ",", "\r\n")
        if output == Output.XLSX or dialect.kind == "xlsx":
            return cls("utf-8", b"", ",", ".", "\n", workbook=True, source_decimal=dialect.decimal)
        mark, encoding = mark_and_encoding(dialect)
        newline = "\r\n" if dialect.separator == ";" else "\n"
        return cls(encoding, mark, dialect.separator or ",", dialect.decimal, newline)

    @property
    def kind(self) -> str:
        return "xlsx" if self.workbook else "csv"


def header_bytes(headers: Sequence[str], style: Style) -> bytes:
    """Return the first line: the original headers, then ours, with the mark of the encoding before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=style.separator, lineterminator=style.newline)
    writer.writerow([*neutralised(pl.Series(headers, dtype=pl.String)), *ADDED])
    return style.mark + encoded(text.getvalue(), style.encoding)


def part_bytes(frame: pl.DataFrame, added: pl.DataFrame, style: Style) -> bytes:
    """Return some lines of the result: ``frame`` as it was read, ``added`` with the columns of ``ADDED``."""
    kept = [column.alias(f"c{place}") for place, column in enumerate(neutralised_columns(frame))]
    if style.decimal == ",":
        comma = pl.col("probabilite_defaut").cast(pl.String).str.replace(".", ",", literal=True)
        added = added.with_columns(comma)
    whole = pl.DataFrame([*kept, *added.select(ADDED).get_columns()])
    content = io.BytesIO()
    whole.write_csv(content, include_header=False, separator=style.separator, line_terminator=style.newline)
    if style.encoding == "utf-8":
        return content.getvalue()
    return encoded(content.getvalue().decode(), style.encoding)


def write_result(target: Path, parts: Iterator[bytes], headers: Sequence[str], style: Style) -> str | None:
    """Write the whole result at ``target`` from its parts in order; return its sha256 where it is known."""
    if style.workbook:
        _write_workbook(target, parts, headers, style.source_decimal)
        return None
    written = hashlib.sha256()
    with target.open("wb") as whole:
        for part in itertools.chain([header_bytes(headers, style)], parts):
            whole.write(part)
            written.update(part)
    return written.hexdigest()


def _write_workbook(target: Path, parts: Iterator[bytes], headers: Sequence[str], decimal: str) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Scores")
    sheet.append([*neutralised(pl.Series(headers, dtype=pl.String)), *ADDED])
    for part in parts:
        frame = pl.read_csv(part, has_header=False, infer_schema=False)
        columns = frame.get_columns()
        kept = [cells_of(column, decimal) for column in columns[: len(headers)]]
        added = [_typed(column, kind) for column, kind in zip(columns[len(headers) :], _KINDS, strict=True)]
        for row in zip(*kept, *added, strict=True):
            sheet.append(row)
    book.save(target)


def _typed(column: pl.Series, kind: type[pl.DataType]) -> list[Any]:
    return column.cast(kind).to_list()
