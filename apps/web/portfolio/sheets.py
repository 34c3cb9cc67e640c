"""What the portfolio is shown in: figures, charts, tables, and their files."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.engine.dictionary import STANDARD
from apps.tenancy.language import current_lang
from apps.web.monitoring.tables import decimal
from apps.web.templatetags.formats import MISSING

#: The tables that can be had as files.
BY_MONTH, BREAKDOWN, POINTS, STATISTICS = TABLES = ("mois", "ventilation", "points", "statistiques")


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart, what one sees in it, and the address of its numbers as a file."""

    id: str
    title: str
    finding: str
    chart: Any
    csv_url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: its name, where its rows are listed, its figures with their labels."""

    name: str
    url: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as people read it, and as a file holds it."""

    title: str
    header: list[str]
    lines: list[Line]
    csv_url: str = ""


def days(number: float | None) -> str:
    """Return « 3,2 j »."""
    if number is None:
        return MISSING
    # Translators: days, abbreviated, after a number and a no-break space.
    return _("%(days)s\u00a0d") % {"days": decimal(number, 1)}


def type_label(code: str) -> str:
    """Return the words of a type of credit; its code where the list has none."""
    lang = current_lang()
    labels = {each.code: each.label(lang) for each in STANDARD["type_credit"].categories}
    return labels.get(code, code)


def file_url(table: str, query: str) -> str:
    """Return the address of one table as a file, within the same limits."""
    return f"{reverse('web:portfolio_csv')}?table={table}{f'&{query}' if query else ''}"
