"""What a target finds out about the rows of a chunk, gathered until each row has its verdict."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apps.credits.importing.targets import Context, Judged, Verdict, problem_rows
from apps.files.reading.problems import ERRORS
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed, refused_rows


class Findings:
    """The problems of a chunk so far: those of reading first, then those of the target.

    ``refused`` has one entry a row; so have the masks that the methods take, null counting as false.
    """

    def __init__(self, typed: Typed, chunk: Chunk, context: Context) -> None:
        self.chunk = chunk
        self.context = context
        self.typed = typed
        self.refused = refused_rows(typed, len(chunk))
        self.left_out = pl.repeat(False, len(chunk), eager=True, dtype=pl.Boolean)
        self._doubted = self.left_out.clone()
        self._problems = [typed.errors]

    def column(self, name: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        """Return the values of a field; nothing but null when no column of the file holds it."""
        if name in self.typed.columns:
            return self.typed.columns[name].cast(dtype).alias(name)
        return pl.Series(name, [None] * len(self.chunk), dtype=dtype)

    def refuse(
        self, mask: pl.Series, code: str, *, field: str = "", args: Sequence[str] | None = None
    ) -> None:
        """Refuse the rows of ``mask``; ``args`` has one JSON text for each row of the chunk."""
        self._say(mask, code, field, args)
        self.refused = self.refused | mask.fill_null(value=False)

    def leave_out(
        self, mask: pl.Series, code: str, *, field: str = "", args: Sequence[str] | None = None
    ) -> None:
        """Leave out the rows of ``mask``, which repeat earlier ones of the file."""
        self._say(mask & ~self.refused, code, field, args)
        self.left_out = self.left_out | mask.fill_null(value=False)

    def doubt(
        self, mask: pl.Series, code: str, *, field: str = "", args: Sequence[str] | None = None
    ) -> None:
        """Say that the rows of ``mask`` may be duplicates; the person has chosen what becomes of them."""
        fresh = mask.fill_null(value=False) & ~self.refused & ~self.left_out & ~self._doubted
        self._say(fresh, code, field, args)
        self._doubted = self._doubted | fresh

    def judged(self, rows: pl.DataFrame, *, found: pl.Series, changed: pl.Series) -> Judged:
        """Give each row its verdict: ``found`` says whether it is stored, ``changed`` whether it differs."""
        duplicate = self.left_out if self.context.keep_duplicates else self.left_out | self._doubted
        table = pl.DataFrame(
            {
                "refused": self.refused,
                "duplicate": duplicate,
                "found": found.fill_null(value=False),
                "changed": changed.fill_null(value=False),
            }
        )
        verdict = (
            pl.when("refused").then(int(Verdict.REJECTED))
            .when("duplicate").then(int(Verdict.DUPLICATE))
            .when(~pl.col("found")).then(int(Verdict.NEW))
            .when("changed").then(int(Verdict.UPDATED))
            .otherwise(int(Verdict.UNCHANGED))
        )  # fmt: skip
        verdicts = table.select(verdict.cast(pl.UInt8).alias("verdict")).to_series()
        problems = pl.concat(self._problems).sort("row", maintain_order=True)
        return Judged(self.chunk.lines, verdicts, problems, rows)

    def _say(self, mask: pl.Series, code: str, field: str, args: Sequence[str] | None) -> None:
        places = mask.fill_null(value=False).arg_true()
        if not places.len():
            return
        header = self.context.headers.get(field, "")
        values = self.chunk.frame[header].gather(places) if header else None
        told = [args[place] for place in places] if args is not None else ()
        self._problems.append(problem_rows(places, code, column=header, values=values, args=told))


def no_problem() -> pl.DataFrame:
    """Return a table of problems without any."""
    return pl.DataFrame(schema=ERRORS)


def stored_rows(rows: "QuerySet[Any, Any]", schema: Mapping[str, Any], context: Context) -> pl.DataFrame:
    """Return stored rows as a table; locked when they are about to be changed."""
    if context.locking:
        rows = rows.select_for_update(of=("self",)).order_by("pk")
    return frame_of(rows.values_list(*schema), schema)


def one_of(values: pl.Series) -> RawSQL:
    """Return a list for ``__in``, sent as one array: a chunk asks for thousands of keys."""
    kind = "text" if values.dtype == pl.String else "bigint"
    asked = values.drop_nulls().unique().to_list()
    return RawSQL(f"SELECT unnest(%s::{kind}[])", [asked])  # noqa: S611  the values are sent beside


def frame_of(records: Iterable[Sequence[Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return records of the database as a table with these types."""
    return pl.DataFrame(list(records), schema=dict(schema), orient="row")
