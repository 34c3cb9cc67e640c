"""The rows of a chunk on their way to a verdict: what they refer to, what is wrong, what is there already."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from django.db.models import QuerySet

from apps.credits.importing.targets import Context, Judged, Verdict, problem_rows
from apps.engine.dictionary import fold
from apps.files.reading.mapping import Field, Kind
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed, refused_rows

_TYPES: Mapping[Kind, type[pl.DataType]] = {
    "integer": pl.Int64,
    "amount": pl.Int64,
    "decimal": pl.Float64,
    "date": pl.Date,
    "boolean": pl.Boolean,
    "code": pl.String,
    "text": pl.String,
}
#: Where a column of a table comes from (the name of the ORM) and how it is typed.
Source = tuple[str, type[pl.DataType]]


class Judging:
    """Rows with every field of a target, null where the file has no such column or no such value.

    ``rows`` has one line a row of the chunk, in order, with its index in ``row``; what the tables know is
    joined to it. Conditions are expressions on its columns; null is no.
    """

    def __init__(self, fields: Sequence[Field], typed: Typed, chunk: Chunk, context: Context) -> None:
        self.chunk, self.context = chunk, context
        height = len(chunk)
        empty = {each.name: pl.repeat(None, height, eager=True, dtype=_TYPES[each.kind]) for each in fields}
        columns = [typed.columns.get(name, empty[name]).alias(name) for name in empty]
        self.unread = refused_rows(typed, height)
        self.refused = self.unread
        self.problems = [typed.errors]
        self.rows = pl.DataFrame(columns).with_row_index("row")

    def wanted(self, *names: str) -> list[Any]:
        """Return the different values of some columns."""
        return pl.concat([self.rows[name] for name in names]).drop_nulls().unique().to_list()

    def join(self, known: pl.DataFrame, *on: str) -> None:
        """Add the columns of ``known``, which has one line for each value of ``on``."""
        self.rows = self.rows.join(known, on=list(on), how="left", maintain_order="left")

    def work_out(self, **columns: pl.Expr) -> None:
        """Add columns."""
        self.rows = self.rows.with_columns(**columns)

    def refuse(self, wrong: pl.Expr, code: str, *, field: str = "", **args: str) -> None:
        """Reject the rows that are ``wrong``; ``args`` names the columns that the sentence needs."""
        rows = self.warn(wrong, code, field=field, **args)
        if rows.len():
            self.refused = self.refused.scatter(rows, values=True)

    def warn(self, wrong: pl.Expr, code: str, *, field: str = "", **args: str) -> pl.Series:
        """Tell of something about some rows, which are imported all the same; return which ones."""
        rows = self.rows.select(wrong.fill_null(value=False).alias("wrong"))["wrong"].arg_true()
        if rows.len():
            header = self.context.headers.get(field, "")
            values = self.chunk.frame[header].gather(rows) if header else None
            told = [
                json.dumps({name: _shown(cells[column]) for name, column in args.items()}, ensure_ascii=False)
                for cells in (self.rows[rows].iter_rows(named=True) if args else ())
            ]
            self.problems.append(problem_rows(rows, code, column=header, values=values, args=told))
        return rows

    def judged(self, *, key: str, existing: pl.Expr, changed: pl.Expr) -> Judged:
        """Give the verdicts: ``key`` is the column that names what a row is about, from the file alone."""
        keys = self.rows[key].set(self.unread, None)
        repeated = self.context.repeated(key, keys)
        self.work_out(_repeated=pl.lit(repeated))
        self.warn(pl.col("_repeated"), "repeated", key=key)
        verdicts = self.rows.select(
            pl.when(pl.lit(self.refused))
            .then(int(Verdict.REJECTED))
            .when(pl.col("_repeated"))
            .then(int(Verdict.DUPLICATE))
            .when(~existing)
            .then(int(Verdict.NEW))
            .when(changed)
            .then(int(Verdict.UPDATED))
            .otherwise(int(Verdict.UNCHANGED))
            .cast(pl.UInt8)
            .alias("verdict")
        )["verdict"]
        found = pl.concat(self.problems).sort("row", maintain_order=True)
        return Judged(self.chunk.lines, verdicts, found, self.rows)


def stored(rows: QuerySet[Any], sources: Mapping[str, Source]) -> pl.DataFrame:
    """Read columns of a table: name in the frame -> name of the ORM and type."""
    names = [name for name, _type in sources.values()]
    return pl.DataFrame(
        list(rows.values_list(*names)),
        schema={name: dtype for name, (_name, dtype) in sources.items()},
        orient="row",
    )


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
    return f"{value:%d/%m/%Y}" if hasattr(value, "strftime") else value
