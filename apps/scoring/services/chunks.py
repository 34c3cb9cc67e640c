"""One chunk of a file: read, checked, scored, written as lines of the result. No database here."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
from django.utils import translation

from apps.engine.contracts import Lang, PolicyFigures
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.encoding import Floats
from apps.engine.lines import BANDS, RECOMMENDATIONS, WARNINGS, Lines, score_lines
from apps.engine.scorecard import GRADES
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field, Match
from apps.files.reading.rows import Chunk, chunks
from apps.files.reading.values import typed_chunk
from apps.scoring.renderers import ADDED, Style, part_bytes
from apps.scoring.services.columns import (
    Refused,
    engine_columns,
    mapped_names,
    references_of,
    refused_lines,
    stored_names,
)

if TYPE_CHECKING:
    from apps.engine.scorer import Scorer

ROWS = 20_000
POINTS_STEP = 25
_FACTORS = 3
_EFFECT = {
    "fr": ("diminue le risque", "augmente le risque"),
    "en": ("lowers the risk", "raises the risk"),
}
_COLON = {"fr": " : ", "en": ": "}


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the lines of a file are scored with, settled when its batch began.

    ``champions`` are the scorers by credit type, the general one under ``""``.
    """

    path: Path
    dialect: Dialect
    matches: tuple[Match, ...]
    fields: tuple[Field, ...]
    champions: tuple[tuple[str, "Scorer"], ...]
    figures: PolicyFigures
    style: Style
    lang: Lang

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that are kept of each line."""
        return stored_names(self.matches)

    @property
    def variables(self) -> dict[str, Variable]:
        """The dictionary of the institution, by name."""
        return {each.name: each.variable for each in self.fields if each.variable is not None}


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of a chunk that one champion scored: their rows in the chunk, inputs and figures."""

    champion: int
    rows: npt.NDArray[np.intp]
    inputs: Floats
    lines: Lines


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk that is ready to be stored: line numbers, groups, refusals, its part of the result.

    ``references`` are those of the clients, row by row, where a column holds them.
    """

    numbers: npt.NDArray[np.uint32]
    groups: tuple[Group, ...]
    refused: Mapping[int, Refused]
    part: bytes
    references: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        return len(self.numbers)

    @property
    def rejected(self) -> int:
        return len(self.refused)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.part).hexdigest()


def chunk_rows() -> int:
    """Return how many lines are read, scored and stored together."""
    return ROWS


def scored_chunks(plan: Plan, *, after: int = 0, size: int | None = None) -> Iterator[ScoredChunk]:
    """Yield the chunks of the file behind line ``after``, scored."""
    for chunk in chunks(plan.path, plan.dialect, size=size or chunk_rows(), skip_lines=after):
        yield score_chunk(plan, chunk)


def score_chunk(plan: Plan, chunk: Chunk) -> ScoredChunk:
    """Check and score the lines of one chunk; those at fault are refused with their reasons."""
    values = typed_chunk(chunk, plan.matches, plan.fields, plan.dialect)
    by_name = {field.name: field for field in plan.fields}
    headers = {match.header: by_name[match.field] for match in plan.matches if match.field is not None}
    with translation.override(plan.lang):
        refused = refused_lines(chunk, values.errors, headers)
    good = np.ones(len(chunk), dtype=bool)
    good[list(refused)] = False
    columns = engine_columns(values, mapped_names(plan.matches), plan.variables)
    groups = tuple(_groups(plan, columns, np.flatnonzero(good)))
    numbers = chunk.lines.to_numpy()
    part = part_bytes(chunk.frame, _added(plan, groups, refused, len(chunk)), plan.style)
    return ScoredChunk(numbers, groups, refused, part, references_of(values))


def _groups(plan: Plan, columns: Mapping[str, Floats], good: npt.NDArray[np.intp]) -> Iterator[Group]:
    for champion, rows in _shared_out(plan, columns, good):
        mine = (
            columns if len(rows) == _height(columns) else {name: each[rows] for name, each in columns.items()}
        )
        lines = score_lines(plan.champions[champion][1], plan.figures, mine, len(rows))
        yield Group(champion, rows, np.stack([lines.values[name] for name in plan.names], axis=1), lines)


def _height(columns: Mapping[str, Floats]) -> int:
    return max(map(len, columns.values()), default=0)


def _shared_out(
    plan: Plan, columns: Mapping[str, Floats], good: npt.NDArray[np.intp]
) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Say which champion scores which rows: that of the credit type, else the general one."""
    if not len(good):
        return
    types = columns.get("type_credit")
    if len(plan.champions) == 1 or types is None:
        general = next(place for place, (segment, _scorer) in enumerate(plan.champions) if not segment)
        yield general, good
        return
    known = STANDARD["type_credit"].codes
    segments = {segment: place for place, (segment, _scorer) in enumerate(plan.champions)}
    own = np.array([segments.get(code, segments[""]) for code in (*known, "")])
    chosen = own[np.where(np.isnan(types[good]), len(known), types[good]).astype(np.intp)]
    for place in range(len(plan.champions)):
        if len(rows := good[chosen == place]):
            yield place, rows


def _added(plan: Plan, groups: tuple[Group, ...], refused: Mapping[int, Refused], rows: int) -> pl.DataFrame:
    """Return the columns of ``ADDED`` for every row, null where it was refused."""
    parts = [_figures_of(plan, group) for group in groups]
    if refused:
        texts = [each.text for each in refused.values()]
        parts.append(pl.DataFrame({"row": pl.Series(list(refused), dtype=pl.UInt32), "erreur": texts}))
    if not parts:
        return pl.DataFrame({name: pl.Series([None] * rows, dtype=pl.String) for name in ADDED})
    whole = pl.concat(parts, how="diagonal") if len(parts) > 1 else parts[0]
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in ADDED if name not in whole.columns]
    return whole.with_columns(missing).sort("row").select(ADDED)


def _figures_of(plan: Plan, group: Group) -> pl.DataFrame:
    lines = group.lines
    return pl.DataFrame(
        {
            "row": pl.Series(group.rows.astype(np.uint32)),
            "probabilite_defaut": lines.pd,
            "prediction_defaut": (lines.pd >= lines.threshold).astype(np.uint8),
            "niveau_risque": _named(BANDS, lines.band),
            "score": lines.points,
            **_factors(lines, plan.lang, plan.variables),
        }
    )


def _named(names: tuple[str, ...], places: npt.NDArray[Any]) -> pl.Series:
    return pl.Series(names).gather(pl.Series(places.astype(np.uint32)))


def _factors(lines: Lines, lang: Lang, variables: Mapping[str, Variable]) -> dict[str, pl.Series]:
    """Return the three strongest variables in words: two sentences a variable, and none."""
    words = [
        f"{variables[name].label(lang) if name in variables else name}{_COLON[lang]}{effect}"
        for name in lines.variables
        for effect in _EFFECT[lang]
    ]
    table = pl.Series([*words, None], dtype=pl.String)
    found = {}
    for place in range(_FACTORS):
        if place >= lines.strongest.shape[1]:
            found[f"facteur_{place + 1}"] = pl.Series([None] * len(lines.pd), dtype=pl.String)
            continue
        told = lines.strongest[:, place].astype(np.intp)
        raises = np.take_along_axis(lines.log_odds, np.maximum(told, 0)[:, None], axis=1)[:, 0] > 0
        at = np.where(told < 0, len(words), 2 * told + raises)
        found[f"facteur_{place + 1}"] = table.gather(pl.Series(at.astype(np.uint32)))
    return found


def figures_of_chunk(chunk: ScoredChunk, figures: PolicyFigures) -> dict[str, Any]:
    """Return what a summary adds up over chunks; counts by points, band, grade and advice."""
    lines = [group.lines for group in chunk.groups]
    steps = (figures.points_max - figures.points_min) // POINTS_STEP + 1
    told: dict[str, int] = {}
    for refusal in chunk.refused.values():
        for reason in refusal.reasons:
            key = f"{reason['code']}|{reason['colonne']}"
            told[key] = told.get(key, 0) + 1
    return {
        "pd": float(sum(each.pd.sum() for each in lines)),
        "defaults": int(sum((each.pd >= each.threshold).sum() for each in lines)),
        "loss": int(sum(each.expected_loss_xaf.sum() for each in lines)),
        "outside": int(sum(each.warnings[:, WARNINGS.index("hors_domaine")].sum() for each in lines)),
        "points": _counted([(each.points - figures.points_min) // POINTS_STEP for each in lines], steps),
        "bands": _counted([each.band for each in lines], len(BANDS)),
        "grades": _counted([each.grade for each in lines], len(GRADES)),
        "advice": _counted([each.recommendation for each in lines], len(RECOMMENDATIONS)),
        "errors": told,
    }


def _counted(places: list[Any], width: int) -> list[int]:
    total = np.zeros(width, dtype=np.int64)
    for each in places:
        total += np.bincount(each.astype(np.intp), minlength=width)[:width]
    return [int(count) for count in total]
