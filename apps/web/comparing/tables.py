"""Tables of several things side by side: each cell knows its column's name, which a phone shows beside it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    of: str
    text: str


@dataclass(frozen=True, slots=True)
class SideRow:
    """One figure of every column; ``differs`` where they are not all alike."""

    label: str
    cells: list[Cell]
    differs: bool


def side_rows(named: Sequence[tuple[str, Sequence[str]]], columns: Sequence[str]) -> list[SideRow]:
    """Return one row per ``(label, texts)``, the texts in the order of ``columns``."""
    return [
        SideRow(
            label,
            [Cell(of, text) for of, text in zip(columns, texts, strict=True)],
            differs=len(set(texts)) > 1,
        )
        for label, texts in named
    ]
