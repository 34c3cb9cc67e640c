"""Weight-of-evidence scorecard: bins that go one way, shrunk to the portfolio, weighed by a logistic fit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.scorecards import Scorecard, VariableBins
from apps.engine.training.dataset import Outcomes, TrainingSet
from apps.engine.training.logistic import fit_non_negative
from apps.engine.variables import Variable

_FIRST_CUTS = 50
_SMALLEST_SHARE = 0.04
_PSEUDO = 20.0
_LEAST_IV = 0.01

Counts = npt.NDArray[np.float64]  # (bins, 2): rows and defaults


@dataclass(frozen=True, slots=True)
class _Portfolio:
    rows: int
    rate: float

    def evidence(self, counts: Counts) -> Floats:
        """Log-odds of each bin against the portfolio, with 20 pseudo-observations at the portfolio's rate."""
        rates = (counts[:, 1] + _PSEUDO * self.rate) / (counts[:, 0] + _PSEUDO)
        woe: Floats = np.log(rates / (1 - rates)) - np.log(self.rate / (1 - self.rate))
        return woe

    def information(self, counts: Counts, woe: Floats) -> float:
        """Information value: how far defaults and the others differ over the bins."""
        bad = counts[:, 1] / (self.rows * self.rate)
        good = (counts[:, 0] - counts[:, 1]) / (self.rows * (1 - self.rate))
        return float(((bad - good) * woe).sum())


def fit_scorecard(data: TrainingSet) -> Scorecard:
    """Bin every variable, keep those with an information value of 0.01 or more, weigh them."""
    portfolio = _Portfolio(data.rows, float(data.y.mean()))
    bins = tuple(
        _bins(variable, data.x[:, position], data.y, portfolio)
        for position, variable in enumerate(data.variables)
    )
    useful = np.array([kept.information >= _LEAST_IV for kept in bins])
    evidence = np.column_stack([kept.evidence(data.x[:, i]) for i, kept in enumerate(bins)])
    fit = fit_non_negative(evidence * useful, data.y)
    return Scorecard(bins, fit.intercept, fit.weights * useful, evidence.mean(axis=0))


def _bins(variable: Variable, column: Floats, y: Outcomes, portfolio: _Portfolio) -> VariableBins:
    known = ~np.isnan(column)
    absent = _count(y[~known])
    missing = float(portfolio.evidence(absent[None, :])[0])
    if variable.type == "category":
        cuts, counts = _categories(variable, column[known], y[known], portfolio)
    else:
        cuts, counts = _intervals(variable, column[known], y[known], portfolio)
    woe = portfolio.evidence(counts)
    information = portfolio.information(np.vstack([counts, absent]), np.append(woe, missing))
    return VariableBins(variable.type == "category", cuts, woe, missing, information)


def _count(y: Outcomes) -> Counts:
    return np.array([float(len(y)), float(y.sum())])


def _categories(
    variable: Variable, column: Floats, y: Outcomes, portfolio: _Portfolio
) -> tuple[Floats, Counts]:
    """One bin a code; codes rarer than 4 % share one."""
    codes = np.arange(len(variable.categories), dtype=np.float64)
    counts = np.array([_count(y[column == code]) for code in codes])
    rare = counts[:, 0] < _SMALLEST_SHARE * portfolio.rows
    counts[rare] = counts[rare].sum(axis=0)
    return codes, counts


def _intervals(
    variable: Variable, column: Floats, y: Outcomes, portfolio: _Portfolio
) -> tuple[Floats, Counts]:
    """Cut at quantiles, merge small bins, then merge until the evidence goes one way."""
    if not len(column):
        return np.empty(0), np.zeros((1, 2))
    cuts = np.unique(np.quantile(column, np.linspace(0, 1, _FIRST_CUTS + 1)[1:-1], method="higher"))
    cuts = cuts[cuts > column.min()]
    place = np.searchsorted(cuts, column, side="right")
    counts = np.column_stack(
        [np.bincount(place, minlength=len(cuts) + 1), np.bincount(place, weights=y, minlength=len(cuts) + 1)]
    ).astype(np.float64)
    cuts, counts = _merge_small(cuts, counts, _SMALLEST_SHARE * portfolio.rows)
    ways = {"up": (1,), "down": (-1,), None: (1, -1)}[variable.direction]
    ordered = [_merge_wrong_way(cuts, counts, way, portfolio) for way in ways]
    return max(ordered, key=lambda kept: portfolio.information(kept[1], portfolio.evidence(kept[1])))


def _merge_small(cuts: Floats, counts: Counts, least: float) -> tuple[Floats, Counts]:
    while len(cuts) and counts[:, 0].min() < least:
        small = int(counts[:, 0].argmin())
        left = (
            small - 1
            if small == len(cuts) or (small and counts[small - 1, 0] < counts[small + 1, 0])
            else small
        )
        cuts, counts = _merge(cuts, counts, left)
    return cuts, counts


def _merge_wrong_way(cuts: Floats, counts: Counts, way: int, portfolio: _Portfolio) -> tuple[Floats, Counts]:
    while len(cuts):
        steps = way * np.diff(portfolio.evidence(counts))
        if steps.min() >= 0:
            break
        cuts, counts = _merge(cuts, counts, int(steps.argmin()))
    return cuts, counts


def _merge(cuts: Floats, counts: Counts, left: int) -> tuple[Floats, Counts]:
    """Make one bin of ``left`` and the next."""
    counts = counts.copy()
    counts[left] += counts[left + 1]
    return np.delete(cuts, left), np.delete(counts, left + 1, axis=0)
