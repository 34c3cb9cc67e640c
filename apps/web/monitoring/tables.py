"""Tables of monitoring, and how its figures are written."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import ngettext

from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import MISSING


@dataclass(frozen=True, slots=True)
class TableLine:
    name: str
    cells: list[tuple[str, str]]
    verdict: str
    tone: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: the first cell of a row is its name; ``tone`` colours its last one."""

    header: list[str]
    rows: list[tuple[list[str], str]]
    note: str = ""

    @property
    def lines(self) -> list[TableLine]:
        """Return the rows taken apart: name, labelled cells, verdict when there is one."""
        return [_table_line(self.header, cells, tone) for cells, tone in self.rows]


def _table_line(header: Sequence[str], cells: Sequence[str], tone: str) -> TableLine:
    labelled = list(zip(header[1:], cells[1:], strict=True))
    if not tone:
        return TableLine(cells[0], labelled, "", "")
    return TableLine(cells[0], labelled[:-1], cells[-1], tone)


def day_text(day: dt.date) -> str:
    """Return a day as people write it."""
    return date_format(day, "d/m/Y")


def month_words(text: str) -> str:
    """Return « 03/2026 » of « 2026-03 »."""
    year, month = text.split("-")
    return f"{month}/{year}"


def decimal(number: float | None, places: int = 2) -> str:
    """Return a number with the mark of the language; a dash when unknown."""
    if number is None:
        return MISSING
    text = f"{number:.{places}f}"
    return text.replace(".", ",") if current_lang() == "fr" else text


def between(value: float | None, low: float | None, high: float | None, places: int = 2) -> str:
    """Return a figure and its interval; a dash when unknown."""
    if value is None:
        return MISSING
    return f"{decimal(value, places)} [{decimal(low, places)} ; {decimal(high, places)}]"


def hidden_text(hidden: int) -> str:
    """Return how many groups are too small to be shown."""
    if not hidden:
        return ""
    text = ngettext(
        "%(count)s group under 30 is not shown.", "%(count)s groups under 30 are not shown.", hidden
    )
    return text % {"count": hidden}
