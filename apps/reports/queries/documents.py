"""What a report says, whatever its format: sections of sentences, facts and tables of typed cells."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from apps.engine.contracts import Lang
from apps.institutions.models import Agency
from apps.tenancy.actor import Actor

#: ``rate`` is a fraction; ``money`` whole francs; ``moment`` an instant.
CellKind = Literal["text", "count", "points", "money", "rate", "date", "month", "moment"]
Cell = str | int | float | dt.date | dt.datetime | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a report, and by whom: it tells nothing that this person may not see.

    A report has days (both included) or a ``subject``, never both. ``own``: of this person's work only.
    """

    kind: str
    actor: Actor
    lang: Lang
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    agency: Agency | None = None
    subject: UUID | None = None
    own: bool = False

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        """The days of a report over a period."""
        if self.starts_on is None or self.ends_on is None:
            raise ValueError("This report has no period.")
        return self.starts_on, self.ends_on


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    kind: CellKind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of typed cells under their columns; ``total`` is a last row, where sums mean something."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    total: tuple[Cell, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure or word under its label."""

    label: str
    value: Cell
    kind: CellKind = "text"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document; ``title`` may be empty. ``signatures``: its facts are boxes to sign in."""

    title: str = ""
    paragraphs: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    items: tuple[str, ...] = ()
    ordered: bool = False
    signatures: bool = False
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The contents of one report. ``addressee`` and ``place`` are those of a letter."""

    kind: str
    title: str
    lang: Lang
    subtitle: str = ""
    addressee: tuple[str, ...] = ()
    place: str = ""
    sections: tuple[Section, ...] = ()
    signature: str = ""
    #: Said at the foot of each page, beside date and hash.
    foot: str = ""

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(table for section in self.sections for table in section.tables)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(fact for section in self.sections for fact in section.facts)

    @property
    def sha256(self) -> str:
        """The hash of the contents, which a reader may compare: the same words, the same hash."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), default=_plain)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def named(
    labels: Sequence[str], counts: Mapping[str, int], codes: Sequence[str]
) -> tuple[tuple[Cell, ...], ...]:
    """Return rows of a label, a count and its share, in the order of the codes."""
    whole = sum(counts.get(code, 0) for code in codes)
    return tuple(
        (label, counts.get(code, 0), counts.get(code, 0) / whole if whole else None)
        for label, code in zip(labels, codes, strict=True)
    )
