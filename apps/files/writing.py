"""Tables written as files: chunk after chunk, in the dialect of what came in or as French Excel opens it.

A cell that a spreadsheet would compute gets an apostrophe before it (``tenancy.cells``); a negative number
stays a number. Write to ``services.part_path`` and keep with ``services.keep_written``: a file is seen whole
or not at all.
"""

import codecs
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from apps.files.reading.dialects import Dialect
from apps.files.reading.rows import chunks, header
from apps.tenancy.cells import FORMULA_STARTS, UNSEEN, harmless

#: What Excel opens in French by a double click.
FRENCH_EXCEL = Dialect("csv", encoding="utf-8-sig", separator=";", decimal=",")

_NUMBER = r"^ *-?[0-9](?:[0-9 .,'\u00a0\u202f]*[0-9])?(?:[eE][+-]?[0-9]+)? ?%? *$"
_STARTS = "^ *[" + "".join(f"\\x{ord(sign):02x}" for sign in FORMULA_STARTS) + "]"
#: The same as a class of Rust's expressions, where no surrogate can be.
_UNSEEN = UNSEEN.pattern.replace(r"\ud800-\udfff", "")
_SUSPECT = f"{_STARTS}|{_UNSEEN}"
_PLAIN = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
#: Python's name of an encoding -> the mark at the beginning of a file, and how all of it is encoded.
_ENCODINGS = {"utf-8-sig": (codecs.BOM_UTF8, "utf-8"), "utf-16": (codecs.BOM_UTF16_LE, "utf-16-le")}
_NARROW = "\u202f"


def dialect_of_result(source: Dialect, *, french_excel: bool = False) -> Dialect:
    """Return how to write what is given back for ``source``: as it came, or as French Excel opens it."""
    if french_excel:
        return FRENCH_EXCEL
    return source.replaced(header_line=1, sheet=None)


def mark_and_encoding(dialect: Dialect) -> tuple[bytes, str]:
    """Return what a file in ``dialect`` begins with, and how its text is encoded."""
    name = dialect.encoding or "utf-8"
    return _ENCODINGS.get(name, (b"", name))


def encoded(text: str, encoding: str) -> bytes:
    """Return a text in ``encoding``; what older ones lack becomes a near sign, a question mark at worst."""
    if not encoding.startswith("utf"):
        text = text.replace(_NARROW, "\u00a0")
    return text.encode(encoding, errors="replace")


class CsvWriter:
    """Writes a CSV file chunk after chunk. Given back the position that ``append`` told, it goes on there.

    What an interrupted job wrote after its last position is cut off, so that no row is there twice.
    """

    def __init__(self, path: Path, headers: Sequence[str], dialect: Dialect, *, at: int = 0) -> None:
        self.dialect = dialect
        mark, self.encoding = mark_and_encoding(dialect)
        self.width = len(headers)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        self._file.truncate(at)
        self._file.seek(at)
        if at == 0:
            self._file.write(mark)
            self._write(
                pl.DataFrame([headers], schema=[str(place) for place in range(self.width)], orient="row")
            )

    def append(self, frame: pl.DataFrame) -> int:
        """Write the rows of ``frame``, its columns in order; return the position, on the disk by then."""
        if frame.width != self.width:
            raise ValueError(f"{frame.width} columns for {self.width} headers")
        self._write(frame)
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, frame: pl.DataFrame) -> None:
        texts = [_texts(frame[name], self.dialect).alias(name) for name in frame.columns]
        text = pl.DataFrame(texts).write_csv(
            include_header=False, separator=self.dialect.separator or ",", line_terminator="\r\n"
        )
        self._file.write(encoded(text, self.encoding))


def write_workbook(
    path: Path, headers: Sequence[str], frames: Iterable[pl.DataFrame], *, sheet: str, decimal: str = "."
) -> None:
    """Write an XLSX file from chunks, one row in memory at a time; numbers and dates as such.

    A text is a number when it is written as one, with the mark ``decimal``, a date when it is one in ISO.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    table = book.create_sheet(sheet)
    table.append([harmless(name) for name in headers])
    for frame in frames:
        for row in zip(*(cells_of(frame[name], decimal) for name in frame.columns), strict=True):
            table.append(row)
    book.save(path)


def workbook_from_csv(source: Path, target: Path, dialect: Dialect, *, sheet: str) -> None:
    """Write as XLSX a CSV file of the site's own (``CsvWriter``)."""
    frames = (chunk.frame for chunk in chunks(source, dialect))
    write_workbook(target, header(source, dialect), frames, sheet=sheet, decimal=dialect.decimal)


def _texts(values: pl.Series, dialect: Dialect) -> pl.Series:
    """Return a column as it is written in a CSV file; null and empty are nothing."""
    match values.dtype:
        case pl.String:
            return neutralised(values)
        case pl.Float32 | pl.Float64:
            return _decimals(values).str.replace(".", dialect.decimal, literal=True)
        case pl.Date:
            return values.dt.to_string("%d/%m/%Y" if dialect.day_first else "%Y-%m-%d")
        case pl.Boolean:
            return values.replace_strict([True, False], ["oui", "non"], return_dtype=pl.String)
        case _:
            return values.cast(pl.String)


def neutralised(texts: pl.Series) -> pl.Series:
    """Do what ``tenancy.cells.harmless`` does to a column of texts; numbers stay, empty texts are nothing."""
    suspect = texts.str.contains(_SUSPECT).fill_null(value=False)
    if suspect.any():
        seen = texts.filter(suspect).str.replace_all(_UNSEEN, "\ufffd")
        computed = seen.str.contains(_STARTS) & ~seen.str.contains(_NUMBER)
        mended = ("'" + seen).zip_with(computed, seen)
        texts = texts.scatter(suspect.arg_true(), mended)
    return texts.set(texts == "", None)


def neutralised_columns(frame: pl.DataFrame) -> list[pl.Series]:
    """Return the columns of a frame of texts ``neutralised``; one look at all finds those that need it."""
    needed = frame.select((pl.all().str.contains(_SUSPECT) | (pl.all() == "")).any()).row(0)
    return [
        neutralised(frame[name]) if need else frame[name]
        for name, need in zip(frame.columns, needed, strict=True)
    ]


def _decimals(values: pl.Series) -> pl.Series:
    """Write numbers without exponents nor useless zeros; what is not finite is nothing."""
    finite = values.set(~values.is_finite().fill_null(value=False), None)
    texts = finite.cast(pl.String).str.strip_suffix(".0")
    long = texts.str.contains("e", literal=True).fill_null(value=False)
    if not long.any():
        return texts
    plain = [f"{value:.12f}".rstrip("0").rstrip(".") for value in finite.filter(long)]
    return texts.scatter(long.arg_true(), plain)


def cells_of(values: pl.Series, decimal: str) -> list[Any]:
    """Return a column as the cells of a workbook: texts that are plain numbers or dates as such."""
    if values.dtype != pl.String:
        return values.to_list()
    marked = values.str.replace(decimal, ".", literal=True)
    numeric = marked.str.contains(_PLAIN).fill_null(value=False)
    dated = values.str.contains(_ISO).fill_null(value=False)
    cells: list[Any] = neutralised(values).to_list()
    for place in numeric.arg_true():
        cells[place] = float(marked[place]) if "." in marked[place] else int(marked[place])
    for place, date in zip(dated.arg_true(), values.filter(dated).str.to_date(strict=False), strict=True):
        cells[place] = cells[place] if date is None else date
    return cells
