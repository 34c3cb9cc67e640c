"""What can be imported: the protocol that each kind of row follows, and what it is given to follow it.

A target judges the rows of a chunk without writing, by a constant number of queries, then writes those that
are new or updated through ``Writing``, which keeps what is needed to undo the import.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
from django.utils.functional import Promise

from apps.credits.importing.changes import Writing
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed


class Verdict(IntEnum):
    """What becomes of a row; only those that are new or updated are written."""

    NEW = 0
    UPDATED = 1
    UNCHANGED = 2
    DUPLICATE = 3
    REJECTED = 4


@dataclass(slots=True)
class Judged:
    """The rows of a chunk with what becomes of each, all in the order of the file.

    ``lines`` (UInt32) and ``verdicts`` (UInt8) have one entry a row, as has ``rows``: typed values under the
    names of the fields and what the target resolved (``client_id``, ``agency_id``, ``existing_id``…).
    ``problems`` has the columns of ``files.reading.problems.ERRORS``: those of reading and those found here;
    a row may have several, and one that is imported all the same may have some too. ``column`` is a header
    of the file; empty for what concerns the whole row.
    """

    lines: pl.Series
    verdicts: pl.Series
    problems: pl.DataFrame
    rows: pl.DataFrame

    def those(self, verdict: Verdict) -> "tuple[pl.DataFrame, pl.Series]":
        """Return the rows with this verdict and their lines."""
        kept = self.verdicts == int(verdict)
        return self.rows.filter(kept), self.lines.filter(kept)


@dataclass(slots=True)
class Context:
    """What a chunk is judged in; the same one from the first chunk of a file to the last.

    ``agencies`` are the keys of those that whoever asked sees (None: all), ``headers`` gives the header of
    each field that a column holds. ``locking`` is true when the rows found are about to be changed: lock them
    (``select_for_update``). ``cache`` is the target's own, for what does not change from chunk to chunk.
    """

    institution_id: int
    agencies: frozenset[int] | None
    headers: dict[str, str]
    today: dt.date
    keep_duplicates: bool = False
    locking: bool = False
    cache: dict[str, Any] = field(default_factory=dict)
    _seen: dict[str, npt.NDArray[np.uint64]] = field(default_factory=dict)

    def repeated(self, name: str, keys: pl.Series) -> pl.Series:
        """Return which rows repeat a key of an earlier row of the file, whatever the chunk; null is no key.

        Call it once a chunk for each ``name``, with keys that come from the file alone and are null for the
        rows that reading refused: after a crash the chunks that are done are judged again to know their
        keys.
        """
        hashes = keys.hash(seed=0).to_numpy()
        seen = self._seen.get(name, np.empty(0, dtype=np.uint64))
        filled = keys.is_not_null()
        again = ~keys.is_first_distinct() & filled
        earlier = pl.Series(_held(seen, hashes)) & filled
        fresh = hashes[(filled & ~again & ~earlier).to_numpy()]
        self._seen[name] = np.sort(np.concatenate([seen, fresh]))
        return (again | earlier).rename("repeated")


def _held(known: npt.NDArray[np.uint64], asked: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say which of ``asked`` are in ``known``, which is sorted."""
    if not len(known):
        return np.zeros(len(asked), dtype=np.bool_)
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    found: npt.NDArray[np.bool_] = known[places] == asked
    return found


class Target(Protocol):
    """A kind of row that files bring. ``needs`` names the targets that are imported before.

    Two imports of one institution never judge nor write at the same time: each takes its chunks by turns.
    """

    name: str
    needs: tuple[str, ...]

    @property
    def label(self) -> "Promise | str":
        """What is imported, in a word or two."""
        ...

    @property
    def help_text(self) -> "Promise | str":
        """What a line of the file is, in a sentence."""
        ...

    def fields(self) -> list[Field]:
        """Return what a column may hold, required ones included, worded in the language in force."""
        ...

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        """Say what becomes of each row: a constant number of queries a chunk, and nothing written."""
        ...

    def write(self, judged: Judged, writing: Writing) -> None:
        """Write the rows that are new or updated, in the transaction of the caller."""
        ...


def problem_rows(
    rows: pl.Series, code: str, *, column: str = "", values: pl.Series | None = None, args: Sequence[str] = ()
) -> pl.DataFrame:
    """Return problems of one kind as a table: ``rows`` are indexes in the chunk, ``args`` JSON a row."""
    count = rows.len()
    return pl.DataFrame(
        {
            "row": rows.cast(pl.UInt32),
            "column": [column] * count,
            "value": [""] * count if values is None else values.cast(pl.String).fill_null(""),
            "code": [code] * count,
            "args": list(args) or [""] * count,
        },
        schema={
            "row": pl.UInt32,
            "column": pl.String,
            "value": pl.String,
            "code": pl.String,
            "args": pl.String,
        },
    )
