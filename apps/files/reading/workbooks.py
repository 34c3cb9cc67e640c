"""Workbooks: what is refused in them, their sheets, and the cells of one as texts."""

from collections.abc import Iterator
from pathlib import Path

from apps.files.reading.limits import LIMITS, Limits


def check_workbook(path: Path, *, limits: Limits = LIMITS) -> None:
    """Raise ``FileRefused`` for a workbook that is unsafe, damaged, protected or too large."""


def sheets(path: Path) -> list[str]:
    """Return the names of the visible sheets, in order."""
    raise NotImplementedError


def sheet_rows(path: Path, sheet: str | None, *, decimal: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a sheet as texts, empty rows included."""
    raise NotImplementedError
