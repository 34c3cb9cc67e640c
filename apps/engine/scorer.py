"""A model in memory: one application or columns of them in, probabilities and their exact reasons out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.engine.contracts import Contribution, ScoringInput, ScoringResult
from apps.engine.encoding import Column, Floats, encode, unknown_codes
from apps.engine.model import Artefact, Range
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


class Scorer:
    """Scores with one model; holds no state between calls, so threads may share it.

    The probability is *defined* as ``sigmoid(base + sum of contributions)`` in float64.
    """

    def __init__(self, artefact: Artefact) -> None:
        self.artefact = artefact
        parts = self.parts = artefact.parts
        self.variables: tuple[str, ...] = tuple(variable.name for variable in parts.variables)
        self._trees = parts.trees
        self._card = _MeanCard.of(parts.scorecards, parts.variables)
        self.base = (
            parts.stack_intercept
            + parts.trees_weight * self._trees.base
            + self._card_weight * self._card.base
        )

    def never_falls_with(self, names: Collection[str]) -> bool:
        """Say whether more of any of these numbers never lowers the probability: proved, not assumed."""
        places = [place for place, name in enumerate(self.variables) if name in names]
        return (
            self.parts.trees_weight >= 0
            and self._card_weight >= 0
            and all(place in self._trees.rising and self._card.rises(place) for place in places)
        )

    @property
    def amount_p99(self) -> float | None:
        """The 99th percentile of the amounts trained on, in XAF: no larger amount is advised."""
        return self.parts.amount_p99

    @property
    def _card_weight(self) -> float:
        return self.parts.card_weight

    def score(self, scoring_input: ScoringInput) -> ScoringResult:
        """Score one application; values absent or None are missing, names the model does not use ignored."""
        values = scoring_input.values
        columns = {name: values.get(name) for name in self.variables}
        x = encode(self.parts.variables, columns, 1)
        log_odds = self._contributions(x)[0].tolist()
        contributions = tuple(
            Contribution(name, values.get(name), part)
            for name, part in zip(self.variables, log_odds, strict=True)
        )
        outside = bool(self._outside(x, columns, 1)[0])
        pd = sigmoid(self.base + sum(log_odds))
        return ScoringResult(pd, self.base, contributions, ("hors_domaine",) if outside else ())

    def score_columns(self, columns: Mapping[str, Column], rows: int) -> Batch:
        """Score ``rows`` applications given as columns of canonical values (a lone value holds for all)."""
        x = encode(self.parts.variables, columns, rows)
        log_odds = self._contributions(x)
        pd = _probability(self.base + log_odds.sum(axis=1))
        return Batch(pd, self.base, log_odds, self.variables, self._outside(x, columns, rows))

    def probabilities(self, columns: Mapping[str, Column], rows: int) -> Sequence[float]:
        """Give probabilities only, several times faster; equal to those of ``score_columns`` to 1e-12."""
        x = encode(self.parts.variables, columns, rows)
        card = self._card.base + self._card.contributions(x).sum(axis=1)
        found: list[float] = _probability(
            self.parts.stack_intercept
            + self.parts.trees_weight * self._trees.log_odds(x)
            + self._card_weight * card
        ).tolist()
        return found

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
class _MeanCard:
    """The mean of the folds' scorecards as one table a variable: the folds' cuts together."""

    base: float
    category: tuple[bool, ...]
    cuts: tuple[Floats, ...]
    values: tuple[Floats, ...]
    missing: Floats

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
        return cls(base, tuple(v.type == "category" for v in variables), cuts, values, np.array(missing))

    def rises(self, position: int) -> bool:
        """Say whether a larger number of this variable never has less evidence of risk."""
        return not self.category[position] and bool((np.diff(self.values[position]) >= 0).all())

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
