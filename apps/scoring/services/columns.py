"""From the typed columns of a file to what the engine reads, and from refused cells to sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from apps.engine.dictionary import STANDARD, Variable
from apps.engine.encoding import Floats
from apps.files.reading.mapping import Field, Match
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed
from apps.files.reading.wording import sentence

_SHOWN = 60
RATIOS = ("taux_endettement", "ratio_dette_revenu")


def mapped_names(matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the variables that a file gives, in the order of the dictionary."""
    given = {match.field for match in matches}
    return tuple(name for name in STANDARD.names if name in given)


def stored_names(matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the variables that are kept of each line: those of the file and both ratios."""
    given = {*mapped_names(matches), *RATIOS}
    return tuple(name for name in STANDARD.names if name in given)


def engine_columns(typed: Typed, names: Sequence[str]) -> dict[str, Floats]:
    """Return float64 columns: NaN where missing, a category as the place of its code."""
    return {name: _floats(typed.columns[name], STANDARD[name]) for name in names if name in typed.columns}


def _floats(series: pl.Series, variable: Variable) -> Floats:
    if variable.type == "category":
        places = [float(place) for place in range(len(variable.codes))]
        series = series.replace_strict(list(variable.codes), places, default=None, return_dtype=pl.Float64)
    column: Floats = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return column


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is not scored: its number and, for each reason, column, value, code and sentence."""

    line: int
    reasons: tuple[dict[str, str], ...]

    @property
    def text(self) -> str:
        return " ".join(reason["detail"] for reason in self.reasons)


def refused_lines(chunk: Chunk, errors: pl.DataFrame, fields: Mapping[str, Field]) -> dict[int, Refused]:
    """Return the refused lines of a chunk by their row, each with what is wrong in the language in force.

    ``fields`` gives the field of each header.
    """
    lines = chunk.lines
    found: dict[int, list[dict[str, str]]] = {}
    said: dict[tuple[str, str, str], str] = {}
    for row, column, value, code, args in errors.iter_rows():
        key = column, code, args
        detail = said.get(key) or said.setdefault(key, sentence(code, args, fields.get(column)))
        reason = {"colonne": column, "valeur": (value or "")[:_SHOWN], "code": code, "detail": detail}
        found.setdefault(row, []).append(reason)
    return {row: Refused(int(lines[row]), tuple(reasons)) for row, reasons in found.items()}
