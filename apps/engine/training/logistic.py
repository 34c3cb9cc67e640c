"""Logistic regression with a small ridge and weights of at least zero, in plain numpy."""

from dataclasses import dataclass

import numpy as np

from apps.engine.encoding import Floats
from apps.engine.training.dataset import Outcomes

_STEPS = 100
_ENOUGH = 1e-10


@dataclass(frozen=True, slots=True)
class Logistic:
    """``log-odds = intercept + x @ weights``; a weight of 0 means the column was dropped."""

    intercept: float
    weights: Floats

    def log_odds(self, x: Floats) -> Floats:
        return self.intercept + x @ self.weights


def fit_non_negative(x: Floats, y: Outcomes, ridge: float = 1.0) -> Logistic:
    """Fit by dropping the most negative weight until none is left: what points the wrong way is left out.

    Minimises ``sum(log loss) + ridge / 2 * |weights|^2`` (scikit-learn's C = 1 / ridge), the intercept free.
    """
    kept = np.arange(x.shape[1])
    while True:
        intercept, weights = _newton(x[:, kept], y, ridge)
        if not len(kept) or weights.min() >= 0:
            break
        kept = np.delete(kept, int(weights.argmin()))
    spread = np.zeros(x.shape[1])
    spread[kept] = weights
    return Logistic(intercept, spread)


def _newton(x: Floats, y: Outcomes, ridge: float) -> tuple[float, Floats]:
    design = np.column_stack([np.ones(len(x)), x])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    rate = float(y.mean())
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(rate / (1 - rate))
    for _ in range(_STEPS):
        chance = probability(design @ weights)
        gradient = design.T @ (chance - y) + penalty * weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights -= np.clip(step, -4, 4)  # a first step may overshoot on separable data
        if np.abs(step).max() < _ENOUGH:
            break
    return float(weights[0]), weights[1:]


def probability(log_odds: Floats) -> Floats:
    """Sigmoid of an array, without overflow."""
    small = np.exp(-np.abs(log_odds))
    chances: Floats = np.where(log_odds >= 0, 1 / (1 + small), small / (1 + small))
    return chances
