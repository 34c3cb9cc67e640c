"""From the typed columns of a file to what the engine reads, and from refused cells to sentences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import dictionary_entries
from apps.credits.validators import UNSEEN
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.encoding import Floats
from apps.files.reading.fields import dictionary_fields
from apps.files.reading.limits import LIMITS
from apps.files.reading.mapping import Field, Match
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed
from apps.files.reading.wording import sentence

_SHOWN = 60
CLIENT_REFERENCE, LONGEST_REFERENCE = "client_reference", 80
REFERENCE_SYNONYMS = (
    "référence client", "référence du client", "code client", "numéro client", "numéro de client",
    "id client", "matricule client", "client reference", "client id", "client number", "customer id",
    "customer reference",
)  # fmt: skip
RATIOS = ("taux_endettement", "ratio_dette_revenu")


def scoring_fields(*, retired: bool = False) -> list[Field]:
    """Return what the columns of a file to score may hold: the variables, and whose line it is.

    Those of the institution are among them; ``retired`` ones too for a file that was settled before.
    """
    reference = Field(
        CLIENT_REFERENCE, _("Client's reference"), "text", synonyms=REFERENCE_SYNONYMS, longest=LIMITS.cell
    )
    entries = dictionary_entries(retired=retired)
    return [*dictionary_fields(entry.variable for entry in entries), reference]


def references_of(typed: Typed) -> tuple[str, ...]:
    """Return the client's reference of each row of a chunk, as it is shown; nothing without that column."""
    texts = typed.columns.get(CLIENT_REFERENCE)
    if texts is None:
        return ()
    return tuple(UNSEEN.sub("", text or "").strip()[:LONGEST_REFERENCE] for text in texts)


def mapped_names(matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the variables that a file gives, in the order of the dictionary, the institution's own last."""
    given = {match.field for match in matches if match.field not in {None, CLIENT_REFERENCE}}
    return _in_order(name for name in given if name is not None)


def stored_names(matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the variables that are kept of each line: those of the file and both ratios."""
    return _in_order({*mapped_names(matches), *RATIOS})


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    given = set(names)
    return (*(name for name in STANDARD.names if name in given), *sorted(given - set(STANDARD.names)))


def engine_columns(
    typed: Typed, names: Sequence[str], variables: Mapping[str, Variable]
) -> dict[str, Floats]:
    """Return float64 columns: NaN where missing, a category as the place of its code in ``variables``."""
    return {name: _floats(typed.columns[name], variables[name]) for name in names if name in typed.columns}


def _floats(series: pl.Series, variable: Variable) -> Floats:
    if variable.type == "category":
        series = series.cast(pl.Enum(variable.codes), strict=False).to_physical()
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
