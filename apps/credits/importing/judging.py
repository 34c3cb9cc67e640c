"""The rows of a chunk on their way to a verdict: what they refer to, what is wrong, what is there already."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from django.db.models import QuerySet

from apps.credits.importing.findings import Findings, frame_of
from apps.credits.importing.targets import Context, Judged
from apps.credits.validators import UNSEEN
from apps.engine.dictionary import fold
from apps.files.reading.mapping import Field, Kind
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

_TYPES: Mapping[Kind, type[pl.DataType]] = {
    "integer": pl.Int64,
    "amount": pl.Int64,
    "decimal": pl.Float64,
    "date": pl.Date,
    "boolean": pl.Boolean,
    "code": pl.String,
    "text": pl.String,
}
#: As Rust's expressions write it: they know no surrogate.
_UNSEEN = UNSEEN.pattern.replace(r"\ud800-\udfff", "")
#: Where a column of a table comes from (the name of the ORM) and how it is typed.
Source = tuple[str, type[pl.DataType]]


class Judging:
    """Rows with every field of a target, null where the file has no such column or no such value.

    ``rows`` has one line a row of the chunk, in order, with its index in ``row``; what the tables know is
    joined to it. Conditions are expressions on its columns; null is no.
    """

    def __init__(self, fields: Sequence[Field], typed: Typed, chunk: Chunk, context: Context) -> None:
        self.context = context
        self.found = Findings(typed, chunk, context)
        self.unread = self.found.refused
        columns = [self.found.column(each.name, _TYPES[each.kind]) for each in fields]
        self.rows = pl.DataFrame(columns).with_row_index("row")
        for each in fields:
            if each.kind == "text":
                self.refuse(pl.col(each.name).str.contains(_UNSEEN), "unseen", field=each.name)

    @property
    def refused(self) -> pl.Series:
        """Which rows are rejected so far."""
        return self.found.refused

    def stored(self, rows: "QuerySet[Any, Any]", sources: Mapping[str, Source]) -> pl.DataFrame:
        """Read columns of a table, locked when its rows are about to be changed."""
        return stored(locked(rows) if self.context.locking else rows, sources)

    def join(self, known: pl.DataFrame, *on: str) -> None:
        """Add the columns of ``known``, which has one line for each value of ``on``."""
        self.rows = self.rows.join(known, on=list(on), how="left", maintain_order="left")

    def work_out(self, **columns: pl.Expr) -> None:
        """Add columns."""
        self.rows = self.rows.with_columns(**columns)

    def refuse(self, wrong: pl.Expr, code: str, *, field: str = "", **args: str) -> None:
        """Reject the rows that are ``wrong``; ``args`` names the columns that the sentence needs."""
        mask = self._mask(wrong)
        self.found.refuse(mask, code, field=field, args=self._told(mask, args))

    def warn(self, wrong: pl.Expr, code: str, *, field: str = "", **args: str) -> None:
        """Tell of something about some rows, which are imported all the same."""
        mask = self._mask(wrong)
        self.found.tell(mask, code, field=field, args=self._told(mask, args))

    def repeated(self, name: str) -> pl.Expr:
        """Return which rows repeat a value of an earlier line, whatever the chunk."""
        keys = self.rows[name].set(self.unread, None)
        return pl.lit(self.context.repeated(name, keys))

    def judged(self, *, key: str) -> Judged:
        """Give the verdicts; ``key`` is the column that names what a row is about, from the file alone.

        ``held_id`` and ``changed`` say which rows are stored and which of them the file changes.
        """
        mask = self._mask(self.repeated(key))
        self.found.leave_out(mask, "repeated", args=self._told(mask, {"key": key}))
        stored_here = self.rows["held_id"].is_not_null()
        return self.found.judged(self.rows, found=stored_here, changed=self.rows["changed"])

    def _mask(self, wrong: pl.Expr) -> pl.Series:
        return self.rows.select(wrong.fill_null(value=False).alias("wrong"))["wrong"]

    def _told(self, mask: pl.Series, args: Mapping[str, str]) -> list[str] | None:
        if not args or not mask.any():
            return None
        told = [""] * len(mask)
        for cells in self.rows.filter(mask).select("row", *set(args.values())).iter_rows(named=True):
            values = {name: _shown(cells[column]) for name, column in args.items()}
            told[cells["row"]] = json.dumps(values, ensure_ascii=False)
        return told


def stored(rows: "QuerySet[Any, Any]", sources: Mapping[str, Source]) -> pl.DataFrame:
    """Read columns of a table: name in the frame -> name of the ORM and type."""
    names = [name for name, _type in sources.values()]
    return frame_of(rows.values_list(*names), {name: dtype for name, (_name, dtype) in sources.items()})


def locked(rows: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
    """Return the rows locked until the transaction ends, in one order for everybody."""
    return rows.select_for_update(of=("self",)).order_by("pk")


def seen(agencies: frozenset[int] | None, column: str) -> pl.Expr:
    """Return whether an agency is one of those that whoever asked sees."""
    return pl.lit(value=True) if agencies is None else pl.col(column).is_in(sorted(agencies))


def spelled(codes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the code of each accepted spelling, folded."""
    return {fold(text): code for code, others in codes.items() for text in (code, *others)}


def coded(name: str, codes: Mapping[str, str]) -> pl.Expr:
    """Return the codes of the table for those of a field."""
    values = {code: str(value) for code, value in codes.items()}
    return pl.col(name).replace_strict(values, default=None, return_dtype=pl.String)


def differs(pairs: Mapping[str, str]) -> pl.Expr:
    """Return whether the file tells, under one name at least, something else than what is stored."""
    return pl.any_horizontal(
        pl.col(name).is_not_null() & pl.col(name).ne_missing(pl.col(held)) for name, held in pairs.items()
    )


def merged(pairs: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return, under the names of the file, its values, and what is stored where it tells none."""
    return {name: pl.coalesce(name, held) for name, held in pairs.items()}


def _shown(value: Any) -> Any:
    return f"{value:%d/%m/%Y}" if isinstance(value, dt.date) else value
