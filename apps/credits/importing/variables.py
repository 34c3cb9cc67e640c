"""The variables of an application in a file: what is stored of them, what follows from others."""

import json
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import polars as pl

from apps.credits.importing.judging import Judging, differs, merged
from apps.credits.importing.targets import Context
from apps.credits.models import VARIABLE_COLUMNS
from apps.credits.queries.dictionary import Entry, dictionary_entries
from apps.credits.services.applications import RATIOS
from apps.engine.dictionary import STANDARD
from apps.engine.lines import with_ratios
from apps.engine.variables import Variable

_CACHED = "dictionary"
_TYPES = {"integer": pl.Int64, "decimal": pl.Float64, "category": pl.String}
#: What the ratios follow from.
_CAUSES = (
    *("revenu_mensuel", "montant_credit", "duree_mois", "taux_interet"),
    *("mensualites_en_cours", "encours_autres_dettes"),
)
_TEXTS = tuple(name for name in VARIABLE_COLUMNS if STANDARD[name].type == "category")


def _type(variable: Variable) -> type[pl.DataType]:
    return _TYPES[variable.type]


HELD_VARIABLES: dict[str, Any] = {
    "held_extra": ("extra", pl.Object),
    **{f"held_{name}": (name, _type(STANDARD[name])) for name in sorted(VARIABLE_COLUMNS)},
}


def known_here(context: Context) -> list[Entry]:
    """Return the dictionary of the institution, what it has retired too: read once for the whole file."""
    if _CACHED not in context.cache:
        context.cache[_CACHED] = dictionary_entries(retired=True)
    found: list[Entry] = context.cache[_CACHED]
    return found


def with_variables(held: pl.DataFrame, entries: Iterable[Entry]) -> pl.DataFrame:
    """Return stored applications with a column for each variable; empty texts are none."""
    extras = held["held_extra"].to_list()
    others = [
        pl.Series(f"held_{name}", [extra.get(name) for extra in extras], _type(entry.variable), strict=False)
        for entry in entries
        if (name := entry.name) not in VARIABLE_COLUMNS
    ]
    texts = [name for name, dtype in held.schema.items() if dtype == pl.String]
    return held.drop("held_extra").with_columns(*others, *(unless_empty(name) for name in texts))


def unless_empty(name: str) -> pl.Expr:
    """Return a text, null where it is empty."""
    return pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)


def take_from_client(judging: Judging) -> None:
    """Give a new application what the client's file tells of its day: the age, and the sex."""
    new = pl.col("held_id").is_null()
    judging.work_out(
        age=pl.coalesce("age", pl.when(new).then(age_on("birth_date", "day"))),
        sexe=pl.coalesce("sexe", pl.when(new).then(unless_empty("client_sex"))),
    )
    judging.refuse(new & age_refused("age"), "age_on_the_day", field="applied_on", age="age")


def age_on(birth: str, on: str) -> pl.Expr:
    """Return completed years between two days."""
    born, day = pl.col(birth), pl.col(on)
    before = (day.dt.month() < born.dt.month()) | (
        (day.dt.month() == born.dt.month()) & (day.dt.day() < born.dt.day())
    )
    return (day.dt.year() - born.dt.year() - before.cast(pl.Int32)).cast(pl.Int64)


def age_refused(name: str) -> pl.Expr:
    """Return whether an age is none that the dictionary takes."""
    variable = STANDARD["age"]
    return ~pl.col(name).is_between(variable.minimum, variable.maximum)


def complete_variables(judging: Judging, names: Collection[str]) -> None:
    """Fill in the variables as the table holds them: stored where the file tells none, and the ratios."""
    arrears = [pl.coalesce(f"nb_retards_{days}j", f"held_nb_retards_{days}j") for days in (30, 60, 90)]
    judging.warn((arrears[0] < arrears[1]) | (arrears[1] < arrears[2]), "arrears_incoherent")
    judging.work_out(**_ratios(judging.rows))
    judging.work_out(**merged({name: f"held_{name}" for name in names}))
    judging.work_out(
        extra=pl.lit(_extra(judging.rows, names)), **{name: pl.col(name).fill_null("") for name in _TEXTS}
    )


def _ratios(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    """Compute the ratios not told: of new rows, and of those where what they follow from changed."""
    causes = {name: f"held_{name}" for name in _CAUSES}
    final = rows.select(**merged(causes), **{name: pl.col(name) for name in RATIOS})
    columns = {name: final[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in final.columns}
    filled, _incoherent = with_ratios(columns, rows.height)
    fresh = pl.col("held_id").is_null() | differs(causes)
    return {
        name: pl.coalesce(name, pl.when(fresh).then(pl.lit(pl.Series(filled[name]).fill_nan(None))))
        for name in sorted(RATIOS)
    }


def _extra(rows: pl.DataFrame, names: Collection[str]) -> pl.Series:
    others = [name for name in names if name not in VARIABLE_COLUMNS]
    texts = [
        json.dumps({name: value for name, value in cells.items() if value is not None}, ensure_ascii=False)
        for cells in rows.select(others).iter_rows(named=True)
    ]
    return pl.Series(texts, dtype=pl.String)
