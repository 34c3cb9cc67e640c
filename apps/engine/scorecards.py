"""The weight-of-evidence branch of the default model: look-up tables that add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.engine.encoding import Floats


@dataclass(frozen=True, slots=True)
class VariableBins:
    """Evidence (log-odds against the portfolio, positive = more risk) of one variable by bin.

    Numbers: ``cuts`` sorted, bin i holds ``cuts[i-1] <= x < cuts[i]``. Categories: ``cuts`` are the codes'
    indices, one bin each.
    """

    category: bool
    cuts: Floats
    woe: Floats
    missing: float
    information: float

    def evidence(self, column: Floats) -> Floats:
        """Look up float64 (rows) of encoded values; NaN gets the bin of missing values."""
        known = ~np.isnan(column)
        safe = np.where(known, column, 0.0)
        place = safe.astype(np.intp) if self.category else np.searchsorted(self.cuts, safe, side="right")
        found: Floats = np.where(known, self.woe[place], self.missing)
        return found

    def as_dict(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "cuts": self.cuts.tolist(),
            "woe": self.woe.tolist(),
            "missing": self.missing,
            "information": self.information,
        }


@dataclass(frozen=True, slots=True)
class Scorecard:
    """``log-odds = intercept + sum(weights * evidence)``; ``means`` is the training mean of each evidence."""

    bins: tuple[VariableBins, ...]
    intercept: float
    weights: Floats
    means: Floats

    @property
    def base(self) -> float:
        """Log-odds of the average application: what contributions are counted from."""
        return float(self.intercept + self.weights @ self.means)

    def contributions(self, x: Floats) -> Floats:
        """Float64 (rows, variables): what each variable adds to ``base``."""
        evidence = np.column_stack([bins.evidence(x[:, i]) for i, bins in enumerate(self.bins)])
        return (evidence - self.means) * self.weights

    def log_odds(self, x: Floats) -> Floats:
        return self.base + self.contributions(x).sum(axis=1)

    def as_dict(self) -> dict[str, Any]:
        return {
            "intercept": self.intercept,
            "weights": self.weights.tolist(),
            "means": self.means.tolist(),
            "bins": [bins.as_dict() for bins in self.bins],
        }


def scorecard_from(entry: Mapping[str, Any], categories: tuple[int, ...]) -> Scorecard:
    """Rebuild what ``as_dict`` gave; ``categories`` is the number of codes of each variable, 0 for numbers.

    Raises ValueError, KeyError or TypeError for anything that would not look up safely.
    """
    bins = tuple(_bins_from(given, codes) for given, codes in zip(entry["bins"], categories, strict=True))
    weights, means = _floats(entry["weights"]), _floats(entry["means"])
    if not len(weights) == len(means) == len(bins):
        raise ValueError("a scorecard needs one weight and one mean a variable")
    return Scorecard(bins, _finite(entry["intercept"]), weights, means)


def _bins_from(entry: Mapping[str, Any], codes: int) -> VariableBins:
    cuts, woe = _floats(entry["cuts"]), _floats(entry["woe"])
    bins = VariableBins(codes > 0, cuts, woe, _finite(entry["missing"]), _finite(entry["information"]))
    if len(woe) != (codes or len(cuts) + 1) or bool(np.any(np.diff(cuts) <= 0)):
        raise ValueError("the bins of a variable do not fit its cuts")
    return bins


def _floats(values: Any) -> Floats:
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError("a list of finite numbers was expected")
    return array


def _finite(value: Any) -> float:
    return float(_floats([value])[0])
