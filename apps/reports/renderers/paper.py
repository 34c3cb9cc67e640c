"""A document as strings, for a template: the same on a page of the site and on paper."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.engine.contracts import Lang
from apps.reports.queries.documents import Document, Fact, Section, Table
from apps.reports.queries.words import shown

#: Rows of one table that are printed; the files hold them all.
MOST_PRINTED = 400
_TO_THE_RIGHT = frozenset({"count", "points", "money", "rate"})


@dataclass(frozen=True, slots=True)
class ShownCell:
    text: str
    number: bool
    label: str


@dataclass(frozen=True, slots=True)
class ShownTable:
    title: str
    headers: list[ShownCell]
    rows: list[list[ShownCell]]
    total: list[ShownCell]
    note: str
    left_out: int
    wide: bool
    widest: bool
    short: bool


@dataclass(frozen=True, slots=True)
class ShownSection:
    title: str
    paragraphs: tuple[str, ...]
    facts: list[tuple[str, str]]
    items: tuple[str, ...]
    ordered: bool
    signatures: bool
    tables: list[ShownTable] = field(default_factory=list)


#: A table with more columns needs the paper across.
_UPRIGHT = 7
#: And one with more than this many needs smaller letters.
_ACROSS = 12
#: Rows of a table that is kept on one page.
_SHORT = 14


def shown_sections(document: Document, *, most: int = MOST_PRINTED) -> list[ShownSection]:
    """Return the sections of a document as strings, each table cut after ``most`` rows."""
    return [_section(section, document, most) for section in document.sections]


def shown_facts(facts: Iterable[Fact], lang: Lang) -> list[tuple[str, str]]:
    """Return labels and values as strings."""
    return [(fact.label, shown(fact.value, fact.kind, lang)) for fact in facts]


def is_across(document: Document) -> bool:
    """Say whether a table needs the paper across."""
    return any(len(table.columns) > _UPRIGHT for table in document.tables)


def _section(section: Section, document: Document, most: int) -> ShownSection:
    return ShownSection(
        title=section.title,
        paragraphs=section.paragraphs,
        facts=shown_facts(section.facts, document.lang),
        items=section.items,
        ordered=section.ordered,
        signatures=section.signatures,
        tables=[_table(table, document, most) for table in section.tables],
    )


def _table(table: Table, document: Document, most: int) -> ShownTable:
    return ShownTable(
        title=table.title,
        headers=[ShownCell(each.label, each.kind in _TO_THE_RIGHT, each.label) for each in table.columns],
        rows=[_cells(table, row, document) for row in table.rows[:most]],
        total=_cells(table, table.total, document) if table.total and table.rows else [],
        note=table.note,
        left_out=max(0, len(table.rows) - most),
        wide=len(table.columns) > _UPRIGHT,
        widest=len(table.columns) > _ACROSS,
        short=len(table.rows) <= _SHORT,
    )


def _cells(table: Table, row: Any, document: Document) -> list[ShownCell]:
    return [
        ShownCell(shown(value, column.kind, document.lang), column.kind in _TO_THE_RIGHT, column.label)
        for column, value in zip(table.columns, row, strict=True)
    ]
