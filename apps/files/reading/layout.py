"""Where the table is in a text: its separator and the line of its headers."""

import csv
from collections import Counter
from collections.abc import Sequence

from apps.engine.dictionary import fold

SEPARATORS = (";", ",", "\t", "|")
_LOOKED_AT = 60
_MOST_PREAMBLE = 30
#: The first record that is as likely the headers as any other, or nearly.
_AS_GOOD = 0.15
#: A record is of the table when it fills about as many cells.
_ABOUT = 0.8


def separator_of(lines: Sequence[str]) -> str:
    """Return the separator that cuts most lines in the same number of cells, and in the most of them."""
    return max(SEPARATORS, key=lambda separator: (_agreement(lines, separator), -SEPARATORS.index(separator)))


def header_index(rows: Sequence[Sequence[str]]) -> int:
    """Return the index of the headers among the first records: after titles, notes and empty lines.

    The first record as wide as the table, made of texts that differ from each other.
    """
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows[:_LOOKED_AT]]
    wide = _width_of_table(widths)
    scores = [_header_score(row, wide) for row in rows[:_MOST_PREAMBLE]]
    best = max(scores, default=0.0)
    if best <= 0:
        return next((index for index, width in enumerate(widths) if width), 0)
    return next(index for index, score in enumerate(scores) if score >= best - _AS_GOOD)


def _agreement(lines: Sequence[str], separator: str) -> float:
    try:
        counts = [len(row) for row in csv.reader(lines[:_LOOKED_AT], delimiter=separator) if any(row)]
    except csv.Error:  # a cell too long for it: cut by another, it may not be
        return 0.0
    cut = [count for count in counts if count > 1]
    if not cut:
        return 0.0
    width, times = Counter(cut).most_common(1)[0]
    return times / len(counts) * (1 + min(width, 20) / 100) + (0.5 if times > 1 else 0.0)


def _width_of_table(widths: Sequence[int]) -> int:
    """Return the number of filled cells that makes the largest table with the records about as wide."""
    return max(
        set(widths),
        key=lambda wide: (wide * sum(wide >= width >= wide * _ABOUT for width in widths), wide),
        default=0,
    )


def _header_score(row: Sequence[str], wide: int) -> float:
    filled = [cell.strip() for cell in row if cell.strip()]
    if not filled:
        return -1.0
    words = [fold(cell) for cell in filled]
    texts = sum(any(c.isalpha() for c in word) for word in words)
    if texts < len(filled) * 0.6:
        return -1.0
    full = min(len(filled) / max(wide, 1), 1.0)
    return full + 0.2 * (len(set(words)) / len(words)) + 0.2 * (texts / len(filled)) if full >= 0.5 else 0.0  # noqa: PLR2004  half as wide as the table
