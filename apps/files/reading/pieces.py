"""The records of a file, some at a time, with the least work that each needs.

A record is a line of a spreadsheet: a line of the text, or several where quotes hold them together.
"""

import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apps.files.reading.dialects import Dialect
from apps.files.reading.encodings import cell_too_long, opened_text
from apps.files.reading.sheets import sheet_rows

_SKIPPED_AT_ONCE = 20_000


@dataclass(slots=True)
class Piece:
    """Consecutive records, the first of which is ``line`` (from 1): cut in cells, or as they stand.

    ``texts`` holds lines without any quote, so that each is one record and each separator cuts.
    """

    line: int
    separator: str
    texts: list[str] = field(default_factory=list)
    cut: list[Sequence[str]] = field(default_factory=list)

    @property
    def records(self) -> list[Sequence[str]]:
        return self.cut or list(csv.reader(self.texts, delimiter=self.separator))


def pieces(path: Path, dialect: Dialect, *, size: int, skip: int = 0) -> Iterator[Piece]:
    """Yield the records after the first ``skip``, at most ``size`` at a time.

    Raises ``FileRefused`` when the file cannot be read further.
    """
    if dialect.kind == "xlsx":
        yield from _of_sheet(path, dialect, size, skip)
        return
    separator, line = dialect.separator or ",", skip + 1
    with opened_text(path, dialect.encoding or "utf-8") as lines:
        _pass_over(lines, separator, skip)
        while texts := list(itertools.islice(lines, size)):
            if _quoted(texts):
                piece = Piece(line, separator, cut=_cut(texts, lines, separator))
                line += len(piece.cut)
            else:
                piece = Piece(line, separator, texts)
                line += len(texts)
            yield piece


def first_records(path: Path, dialect: Dialect, count: int) -> list[Sequence[str]]:
    """Return the first records of a file, titles and empty ones included."""
    found: list[Sequence[str]] = []
    for piece in pieces(path, dialect, size=count):
        found += piece.records
        if len(found) >= count:
            break
    return found[:count]


def _of_sheet(path: Path, dialect: Dialect, size: int, skip: int) -> Iterator[Piece]:
    with sheet_rows(path, dialect.sheet, decimal=dialect.decimal) as rows:
        after, line = itertools.islice(rows, skip, None), skip + 1
        while cut := list(itertools.islice(after, size)):
            yield Piece(line, "", cut=[*cut])
            line += len(cut)


def _pass_over(lines: Iterator[str], separator: str, count: int) -> None:
    while count > 0 and (texts := list(itertools.islice(lines, min(count, _SKIPPED_AT_ONCE)))):
        count -= len(_cut(texts, lines, separator)) if _quoted(texts) else len(texts)


def _quoted(texts: Sequence[str]) -> bool:
    return '"' in "".join(texts)


def _cut(texts: Sequence[str], after: Iterator[str], separator: str) -> list[Sequence[str]]:
    """Cut ``texts``, and as many lines ``after`` them as the last record needs."""
    reader = csv.reader(itertools.chain(texts, after), delimiter=separator)
    cut: list[Sequence[str]] = []
    try:
        while reader.line_num < len(texts):
            cut.append(next(reader))
    except StopIteration:
        pass
    except csv.Error as error:
        raise cell_too_long() from error
    return cut
