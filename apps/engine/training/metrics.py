"""The figures of one candidate on rows it had not seen, each with its interval at 95 %.

Areas under the ROC curve by DeLong's variance. Shares that rest on the confusion matrix by the bootstrap of
its four cells (a multinomial draw is the bootstrap of the rows). Means of rows by their standard error. What
is read from the order of the rows (KS, area under precision and recall, ECE) by 200 bootstraps of the rows,
turned round as Davison and Hinkley (1997) do, because such figures grow when rows are drawn twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.engine.discrimination import WIDE
from apps.engine.encoding import Floats
from apps.engine.training.dataset import Outcomes
from apps.engine.training.evaluate import Nested, ece, figures

_CELL_DRAWS = 1_000
_ROW_DRAWS = 200
_EDGES = (0.025, 0.975)
#: The source's business score: what a right or a wrong answer counts (MODELS.md).
FOUND, KEPT, MISSED, REFUSED = 10.0, 1.0, -10.0, -1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its interval; None where it cannot be said (no row flagged, no economics)."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Money:
    """XAF by scored row: what is earned on a repaid loan, what is lost on a defaulted one."""

    margin: Floats
    loss: Floats


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts at the thresholds; positive is a default foretold."""

    tp: int
    fp: int
    tn: int
    fn: int

    @classmethod
    def of(cls, flagged: npt.NDArray[np.bool_], y: Outcomes) -> "Confusion":
        bad = y == 1
        counts = (flagged & bad, flagged & ~bad, ~flagged & ~bad, ~flagged & bad)
        return cls(*(int(each.sum()) for each in counts))

    def as_dict(self) -> dict[str, int]:
        return {"tp": self.tp, "fp": self.fp, "tn": self.tn, "fn": self.fn}


def measure(nested: Nested, thresholds: Floats, money: Money | None, seed: int) -> dict[str, Figure]:
    """Give every figure by name; thresholds hold one entry a scored row."""
    pd, y = nested.pd, nested.y
    plain = figures(nested)
    draws = np.random.default_rng(seed)
    ordered = _Ordered.of(pd, y)
    ks, pr, gap = ordered.intervals(draws)
    return {
        "auc": Figure(plain.auc, plain.auc_low, plain.auc_high),
        "gini": Figure(plain.gini, 2 * plain.auc_low - 1, 2 * plain.auc_high - 1),
        "ks": ks.around(plain.ks),
        "pr_auc": pr.around(ordered.precision_area(ordered.ones)),
        "brier": _mean((pd - y) ** 2),
        "log_loss": _mean(_surprise(pd, y)),
        "ece": gap.around(ece(pd, y)),
        **_of_cells(Confusion.of(pd >= thresholds, y), draws),
        "profit_xaf": profit(pd < thresholds, y, money),
    }


def profit(accepted: npt.NDArray[np.bool_], y: Outcomes, money: Money | None) -> Figure:
    """Give what the accepted rows earn or lose in all, in XAF; refused ones count for nothing."""
    if money is None:
        return Figure(None)
    earned = np.where(accepted, np.where(y == 1, -money.loss, money.margin), 0.0)
    mean = _mean(earned)
    assert mean.value is not None
    assert mean.low is not None
    assert mean.high is not None
    return Figure(*(round(len(y) * part) for part in (mean.value, mean.low, mean.high)))


def business_score(tp: Floats, fp: Floats, tn: Floats, fn: Floats) -> Floats:
    """``(10 TP + TN - 10 FN - FP) / N``: its best threshold is 1/11, whatever the loan earns."""
    return (FOUND * tp + KEPT * tn + MISSED * fn + REFUSED * fp) / (tp + fp + tn + fn)


def _surprise(pd: Floats, y: Outcomes) -> Floats:
    safe = np.clip(pd, 1e-15, 1 - 1e-15)
    lost: Floats = np.where(y == 1, -np.log(safe), -np.log1p(-safe))
    return lost


def _mean(values: Floats) -> Figure:
    middle = float(values.mean())
    half = WIDE * float(values.std(ddof=1)) / np.sqrt(len(values)).item()
    return Figure(middle, middle - half, middle + half)


Cells = tuple[Floats, Floats, Floats, Floats]


def _share(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return found


def _f(cells: Cells, beta: float) -> Floats:
    tp, fp, _tn, fn = cells
    return _share((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp)


_OF_CELLS: Mapping[str, Callable[[Cells], Floats]] = {
    "accuracy": lambda c: (c[0] + c[2]) / (c[0] + c[1] + c[2] + c[3]),
    "precision": lambda c: _share(c[0], c[0] + c[1]),
    "recall": lambda c: _share(c[0], c[0] + c[3]),
    "f1": lambda c: _f(c, 1.0),
    "f2": lambda c: _f(c, 2.0),
    "business_score": lambda c: business_score(*c),
}


def _of_cells(confusion: Confusion, draws: np.random.Generator) -> dict[str, Figure]:
    counts = np.array([confusion.tp, confusion.fp, confusion.tn, confusion.fn], dtype=np.float64)
    rows = int(counts.sum())
    drawn = draws.multinomial(rows, counts / rows, size=_CELL_DRAWS).astype(np.float64)
    found = {}
    for name, figure in _OF_CELLS.items():
        value = figure(_columns(counts[None, :]))[0]
        spread = figure(_columns(drawn))
        spread = spread[~np.isnan(spread)]
        if np.isnan(value) or not len(spread):
            found[name] = Figure(None)
            continue
        low, high = np.quantile(spread, _EDGES).tolist()
        found[name] = Figure(float(value), low, high)
    return found


def _columns(cells: Floats) -> Cells:
    return cells[:, 0], cells[:, 1], cells[:, 2], cells[:, 3]


@dataclass(frozen=True, slots=True)
class _Spread:
    """How far bootstraps lie below and above the figure they were drawn for."""

    below: float
    above: float

    def around(self, value: float) -> Figure:
        return Figure(value, min(max(value - self.above, 0.0), 1.0), min(max(value - self.below, 0.0), 1.0))


@dataclass(frozen=True, slots=True)
class _Ordered:
    """Rows by falling probability, and where each run of equal ones ends."""

    pd: Floats
    y: Floats
    ends: npt.NDArray[np.intp]

    @classmethod
    def of(cls, pd: Floats, y: Outcomes) -> "_Ordered":
        order = np.argsort(-pd, kind="stable")
        down = pd[order]
        ends = np.flatnonzero(np.append(np.diff(down) != 0, True))
        return cls(down, y[order].astype(np.float64), ends)

    @property
    def ones(self) -> Floats:
        return np.ones(len(self.y))

    def intervals(self, draws: np.random.Generator) -> tuple[_Spread, _Spread, _Spread]:
        """Bootstrap KS, the area under precision and recall, and the ECE."""
        rows = len(self.y)
        measures = (self.ks, self.precision_area, self.ece)
        own = [each(self.ones) for each in measures]
        drawn = np.empty((_ROW_DRAWS, len(measures)))
        for draw in range(_ROW_DRAWS):
            weights = np.bincount(draws.integers(0, rows, rows), minlength=rows).astype(np.float64)
            drawn[draw] = [each(weights) for each in measures]
        edges = np.nanquantile(drawn, _EDGES, axis=0)
        ks, pr, gap = (
            _Spread(float(edges[0, place] - own[place]), float(edges[1, place] - own[place]))
            for place in range(len(measures))
        )
        return ks, pr, gap

    def ks(self, weights: Floats) -> float:
        bad, good = self._cumulated(weights)
        if not bad[-1] or not good[-1]:
            return float("nan")
        return float(np.abs(bad / bad[-1] - good / good[-1]).max())

    def precision_area(self, weights: Floats) -> float:
        """Average precision: precision at each step of recall, no interpolation."""
        bad, good = self._cumulated(weights)
        flagged = bad + good
        if not bad[-1]:
            return float("nan")
        precision = np.divide(bad, flagged, out=np.ones(len(bad)), where=flagged > 0)
        return float((np.diff(bad, prepend=0.0) * precision).sum() / bad[-1])

    def ece(self, weights: Floats, bins: int = 10) -> float:
        total = weights.sum()
        middle = weights.cumsum() - weights / 2
        place = np.minimum((bins * middle / total).astype(np.intp), bins - 1)
        gaps = np.bincount(place, weights * (self.pd - self.y), minlength=bins)
        return float(np.abs(gaps).sum() / total)

    def _cumulated(self, weights: Floats) -> tuple[Floats, Floats]:
        bad = (weights * self.y).cumsum()[self.ends]
        return bad, weights.cumsum()[self.ends] - bad
