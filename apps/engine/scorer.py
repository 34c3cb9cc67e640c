"""A model in memory: one application or columns of them in, probabilities and their exact reasons out."""

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from apps.engine.contracts import Contribution, ScoringInput, ScoringResult, Value
from apps.engine.encoding import Column, Floats, encode, unknown_codes
from apps.engine.model import Artefact, Range
from apps.engine.ratios import FOLLOWING
from apps.engine.scorecard import sigmoid
from apps.engine.scorecards import Scorecard
from apps.engine.variables import Variable


@dataclass(frozen=True, slots=True)
class Batch:
    """Scores of many rows: ``pd`` float64 (rows), ``log_odds`` float64 (rows, variables).

    ``logit(pd) == base + log_odds.sum(axis=1)``; ``outside`` says which rows leave the training's range.
    """

    pd: Floats
    base: float
    log_odds: Floats
    variables: tuple[str, ...]
    outside: npt.NDArray[np.bool_]


_INCOME = 5
#: So few rows are scored in plain numbers: arrays would cost more than they count.
FEW_ROWS = 24


class Scorer:
    """Scores with one model; holds no state between calls, so threads may share it.

    The probability is *defined* as ``sigmoid(base + sum of contributions)`` in float64.
    """

    def __init__(self, artefact: Artefact) -> None:
        self.artefact = artefact
        parts = self.parts = artefact.parts
        self.variables: tuple[str, ...] = tuple(variable.name for variable in parts.variables)
        self._readers = tuple(
            _Reader.of(variable, parts.ranges[variable.name]) for variable in parts.variables
        )
        self._trees = parts.trees
        self._card = _MeanCard.of(parts.scorecards, parts.variables)
        self._following = _Following.of(self._card, self.variables)
        self._rising = frozenset(place for place in parts.trees.rising if self._card.rises(place))
        self.base = (
            parts.stack_intercept
            + parts.trees_weight * self._trees.base
            + self._card_weight * self._card.base
        )

    def never_falls_with(self, names: Collection[str]) -> bool:
        """Say whether more of any of these numbers never lowers the probability: proved, not assumed."""
        places = [place for place, name in enumerate(self.variables) if name in names]
        return self.parts.trees_weight >= 0 and self._card_weight >= 0 and self._rising.issuperset(places)

    @property
    def amount_p99(self) -> float | None:
        """The 99th percentile of the amounts trained on, in XAF: no larger amount is advised."""
        return self.parts.amount_p99

    @property
    def _card_weight(self) -> float:
        return self.parts.card_weight

    def score(self, scoring_input: ScoringInput) -> ScoringResult:
        """Score one application; values absent or None are missing, names the model does not use ignored."""
        given = list(map(scoring_input.values.get, self.variables))
        row = [read.number(value) for value, read in zip(given, self._readers, strict=True)]
        trees = self._trees.contributions(np.array([row]))[0].tolist()
        log_odds = [
            self.parts.trees_weight * part + self._card_weight * evidence
            for part, evidence in zip(trees, self._card.row(row), strict=True)
        ]
        contributions = tuple(map(Contribution, self.variables, given, log_odds))
        outside = any(
            read.leaves(value, number) for value, read, number in zip(given, self._readers, row, strict=True)
        )
        pd = sigmoid(self.base + sum(log_odds))
        return ScoringResult(pd, self.base, contributions, ("hors_domaine",) if outside else ())

    def outside(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """Name the variables whose value lies outside what training saw."""
        return tuple(
            name
            for name, read in zip(self.variables, self._readers, strict=True)
            if read.leaves(values.get(name), read.number(values.get(name)))
        )

    def score_columns(self, columns: Mapping[str, Column], rows: int) -> Batch:
        """Score ``rows`` applications given as columns of canonical values (a lone value holds for all)."""
        x = encode(self.parts.variables, columns, rows)
        log_odds = self._contributions(x)
        pd = _probability(self.base + log_odds.sum(axis=1))
        return Batch(pd, self.base, log_odds, self.variables, self._outside(x, columns, rows))

    def probabilities(self, columns: Mapping[str, Column], rows: int) -> Sequence[float]:
        """Give probabilities only, several times faster; equal to those of ``score_columns`` to 1e-12."""
        varying = self._varying(columns)
        if rows <= FEW_ROWS and not any(self._readers[place].codes for place in varying):
            return self._few(columns, rows, varying)
        x = encode(self.parts.variables, columns, rows)
        card = self._card.base + self._card.evidence(x, varying)
        found: list[float] = _probability(
            self.parts.stack_intercept
            + self.parts.trees_weight * self._trees.log_odds(x)
            + self._card_weight * card
        ).tolist()
        return found

    def _few(self, columns: Mapping[str, Column], rows: int, varying: Sequence[int]) -> list[float]:
        """Do the same in plain numbers for rows that differ in numbers only."""
        row = [math.nan] * len(self.variables)
        for place, (name, read) in enumerate(zip(self.variables, self._readers, strict=True)):
            if place not in varying:
                row[place] = read.number(cast("Value", columns.get(name)))
        x = np.array([row] * rows)
        for place in varying:
            x[:, place] = cast("Sequence[float]", columns[self.variables[place]])  # None becomes NaN
        shared = self._card.row(row)
        alike = math.fsum(part for place, part in enumerate(shared) if place not in varying)
        found = []
        for trees, numbers in zip(self._trees.log_odds(x).tolist(), x[:, varying].tolist(), strict=True):
            card = self._card.base + sum(map(self._card.part, varying, numbers), start=alike)
            odds = self.parts.stack_intercept + self.parts.trees_weight * trees + self._card_weight * card
            found.append(sigmoid(odds))
        return found

    def first_below(self, values: Mapping[str, Value], steps: Sequence[float], limit: float) -> int | None:
        """Give the place of the first amount with a probability below ``limit``, their number where none is.

        ``steps`` are the largest amount, the step down and how many, then other instalments, the instalment
        of one franc, the income (NaN when unknown: the ratios then stay as they are) and other debts, in XAF.
        ``None`` where this process has no machine code for it, or this model needs another search.
        """
        following = self._following.get(math.isnan(steps[_INCOME]))
        if following is None:
            return None
        row = [
            read.number(values.get(name)) for name, read in zip(self.variables, self._readers, strict=True)
        ]
        alike = math.fsum(
            part for place, part in enumerate(self._card.row(row)) if place not in following.places
        )
        parts = self.parts
        return self._trees.first_below(
            row,
            np.array(steps),
            following.varying,
            following.card,
            np.array(
                [parts.stack_intercept, parts.trees_weight, self._card.base, self._card_weight, alike, limit]
            ),
        )

    def _varying(self, columns: Mapping[str, Column]) -> list[int]:
        """Give the places of the variables that have a value of their own in each row."""
        alike = (str, float, int, type(None))
        return [
            place for place, name in enumerate(self.variables) if not isinstance(columns.get(name), alike)
        ]

    def contributions(self, x: Floats) -> Floats:
        """Float64 (rows, variables): log-odds of encoded rows, each bit for bit what ``score`` gives."""
        return self._contributions(x)

    def leaves(self, x: Floats) -> npt.NDArray[np.bool_]:
        """Say which encoded rows hold a value outside what training saw."""
        return self._outside(x, {}, len(x))

    def _contributions(self, x: Floats) -> Floats:
        trees = self._trees.contributions(x)
        return self.parts.trees_weight * trees + self._card_weight * self._card.contributions(x)

    def _outside(self, x: Floats, columns: Mapping[str, Column], rows: int) -> npt.NDArray[np.bool_]:
        outside = np.zeros(rows, dtype=bool)
        for position, variable in enumerate(self.parts.variables):
            seen = self.parts.ranges[variable.name]
            outside |= _leaves(seen, x[:, position])
            if variable.type == "category":
                outside |= unknown_codes(variable, columns.get(variable.name), rows)
        return outside


def _leaves(seen: Range, column: Floats) -> npt.NDArray[np.bool_]:
    """Say which encoded values lie outside what training saw; a missing value never does."""
    if seen.codes is not None:
        return ~np.isnan(column) & ~np.isin(column, seen.codes)
    return (column < seen.minimum) | (column > seen.maximum)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One variable of one row in plain numbers: for a single row, arrays cost more than they count.

    ``codes`` are the numbers of a category's codes, ``seen`` the numbers that training saw of them.
    """

    codes: Mapping[object, float] | None
    seen: frozenset[float] | None
    minimum: float
    maximum: float

    @classmethod
    def of(cls, variable: Variable, seen: Range) -> "_Reader":
        codes: dict[object, float] = {code: float(place) for place, code in enumerate(variable.codes)}
        return cls(
            codes if variable.type == "category" else None,
            None if seen.codes is None else frozenset(map(float, seen.codes)),
            seen.minimum,
            seen.maximum,
        )

    def number(self, value: Value) -> float:
        """Give the number that ``encode`` gives."""
        if self.codes is not None:
            return self.codes.get(value, math.nan)
        return math.nan if value is None else float(value)

    def leaves(self, value: Value, number: float) -> bool:
        """Say whether the value lies outside what training saw; a missing one never does."""
        if self.codes is not None and value is not None and value not in self.codes:
            return True
        if self.seen is not None:
            return number == number and number not in self.seen  # noqa: PLR0124  NaN is missing
        return number < self.minimum or number > self.maximum


@dataclass(frozen=True, slots=True)
class _MeanCard:
    """The mean of the folds' scorecards as one table a variable: the folds' cuts together."""

    base: float
    category: tuple[bool, ...]
    cuts: tuple[Floats, ...]
    values: tuple[Floats, ...]
    missing: Floats
    #: The same as plain numbers.
    plain: tuple[tuple[bool, list[float], list[float], float], ...]

    @classmethod
    def of(cls, cards: Sequence[Scorecard], variables: Sequence[Variable]) -> "_MeanCard":
        cuts = tuple(
            np.unique(np.concatenate([card.bins[position].cuts for card in cards]))
            for position in range(len(variables))
        )
        # One probe in each joint bin: below the first cut, then each cut (a bin holds its lower cut).
        probes = [
            points if variable.type == "category" else np.concatenate([[-np.inf], points])
            for variable, points in zip(variables, cuts, strict=True)
        ]
        values = tuple(_mean(cards, position, probe) for position, probe in enumerate(probes))
        missing = [_mean(cards, position, np.array([np.nan]))[0] for position in range(len(variables))]
        base = float(np.mean([card.base for card in cards]))
        category = tuple(variable.type == "category" for variable in variables)
        lists = [each.tolist() for each in cuts], [each.tolist() for each in values], map(float, missing)
        plain = tuple(zip(category, *lists, strict=True))
        return cls(base, category, cuts, values, np.array(missing), plain)

    def rises(self, position: int) -> bool:
        """Say whether a larger number of this variable never has less evidence of risk."""
        return not self.category[position] and bool((np.diff(self.values[position]) >= 0).all())

    def row(self, row: Sequence[float]) -> list[float]:
        """Give the contributions of one row of plain numbers."""
        return [
            missing if math.isnan(number) else values[int(number) if category else bisect_right(cuts, number)]
            for number, (category, cuts, values, missing) in zip(row, self.plain, strict=True)
        ]

    def part(self, place: int, number: float) -> float:
        """Give the contribution of the variable at ``place``."""
        category, cuts, values, missing = self.plain[place]
        if math.isnan(number):
            return missing
        return values[int(number) if category else bisect_right(cuts, number)]

    def evidence(self, x: Floats, varying: Sequence[int]) -> Floats:
        """Give the sums of contributions of rows that differ in the places ``varying`` only."""
        shared = self.row(x[0].tolist()) if len(x) else []
        total = np.full(len(x), math.fsum(part for place, part in enumerate(shared) if place not in varying))
        for place in varying:
            total += self._column(place, x[:, place])
        return total

    def _column(self, position: int, column: Floats) -> Floats:
        known = ~np.isnan(column)
        safe = np.where(known, column, 0.0)
        cuts, values = self.cuts[position], self.values[position]
        place = safe.astype(np.intp) if self.category[position] else cuts.searchsorted(safe, side="right")
        mixed: Floats = np.where(known, values[place], self.missing[position])
        return mixed

    def contributions(self, x: Floats) -> Floats:
        found = np.empty(x.shape)
        known = ~np.isnan(x)
        safe = np.where(known, x, 0.0)
        for position, (category, cuts, values) in enumerate(
            zip(self.category, self.cuts, self.values, strict=True)
        ):
            column = safe[:, position]
            place = column.astype(np.intp) if category else cuts.searchsorted(column, side="right")
            found[:, position] = values[place]
        mixed: Floats = np.where(known, found, self.missing)
        return mixed


@dataclass(frozen=True, slots=True)
class _Following:
    """The variables that follow an amount, in the model's order, as ``compiled.first_below`` wants them."""

    places: frozenset[int]
    varying: npt.NDArray[np.int16]
    card: tuple[Floats, Floats, npt.NDArray[np.int64]]

    @classmethod
    def of(cls, card: _MeanCard, variables: Sequence[str]) -> dict[bool, "_Following"]:
        """Return them by whether the income is unknown; nothing where one of them is no number."""
        named = [(place, FOLLOWING.index(name)) for place, name in enumerate(variables) if name in FOLLOWING]
        if any(card.category[place] for place, _ in named):
            return {}
        return {
            unknown: cls._made(card, [each for each in named if not unknown or each[1] == 0])
            for unknown in (False, True)
        }

    @classmethod
    def _made(cls, card: _MeanCard, named: Sequence[tuple[int, int]]) -> "_Following":
        cuts = [card.cuts[place] for place, _ in named]
        values = [card.values[place] for place, _ in named]
        ends = np.cumsum([0, *map(len, cuts)], dtype=np.int64)
        joined = np.concatenate([*cuts, np.empty(0)]), np.concatenate([*values, np.empty(0)]), ends
        varying = np.array(named, dtype=np.int16).reshape(-1, 2)
        return cls(frozenset(place for place, _ in named), varying, joined)


def _mean(cards: Sequence[Scorecard], position: int, probe: Floats) -> Floats:
    parts = [
        (card.bins[position].evidence(probe) - card.means[position]) * card.weights[position]
        for card in cards
    ]
    return np.mean(parts, axis=0, dtype=np.float64)


def _probability(log_odds: Floats) -> Floats:
    small = np.exp(-np.abs(log_odds))
    chances: Floats = np.where(log_odds >= 0, 1 / (1 + small), small / (1 + small))
    return chances
