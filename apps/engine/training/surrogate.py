"""A second opinion on one file: a plain linear model fitted around it, as LIME does.

The method is that of Ribeiro, Singh and Guestrin, « Why Should I Trust You? » (KDD 2016): rows are made up
around the one to explain, the model scores them, and a ridge regression weighed by nearness says which values
pull its answer up or down. Written here in NumPy, with the choices of the authors' package for tables:
made-up values come from the training set, a variable counts as « as in the file » or not, the kernel is
exponential with a width of 0.75 times the square root of the number of variables. Unlike a contribution it is
an approximation; ``fit`` says how good (R squared).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.engine.encoding import Floats
from apps.engine.training.dataset import TrainingSet

_SAMPLES = 3_000
_WIDTH = 0.75
_RIDGE = 1.0
_QUARTILES = (0.25, 0.50, 0.75)


@dataclass(frozen=True, slots=True)
class LocalView:
    """Weights in log-odds by variable, the strongest first; positive: the file's value adds risk."""

    weights: tuple[tuple[str, float], ...]
    intercept: float
    fit: float


def explain_locally(
    log_odds: Callable[[Floats], Floats],
    background: TrainingSet,
    row: Floats,
    *,
    seed: int = 42,
    samples: int = _SAMPLES,
) -> LocalView:
    """Explain ``log_odds`` at ``row`` (variables), with values of ``background`` put in its place.

    Each made-up row keeps each value of the file or takes another row's, one time in two; numbers count as
    kept while they stay in the same quarter of the background. The same seed gives the same weights.
    """
    draws = np.random.default_rng(seed)
    variables = len(background.variables)
    taken = background.x[draws.integers(0, background.rows, (samples, variables)), np.arange(variables)]
    kept = draws.random((samples, variables)) < 1 / 2
    kept[0] = True
    made = np.where(kept, row, taken)
    alike = kept | _alike(background, made, row)
    answers = log_odds(made)
    distance = np.sqrt((~alike).sum(axis=1))
    nearness = np.exp(-((distance / (_WIDTH * np.sqrt(variables))) ** 2))
    design = np.column_stack([np.ones(samples), alike.astype(np.float64)])
    penalty = np.diag([0.0, *[_RIDGE] * variables])
    weighed = design * nearness[:, None]
    weights = np.linalg.solve(weighed.T @ design + penalty, weighed.T @ answers)
    mean = np.average(answers, weights=nearness)
    left = float((nearness * (answers - design @ weights) ** 2).sum())
    whole = float((nearness * (answers - mean) ** 2).sum())
    names = [variable.name for variable in background.variables]
    order = sorted(range(variables), key=lambda place: (-abs(weights[place + 1]), names[place]))
    return LocalView(
        tuple((names[place], float(weights[place + 1])) for place in order),
        float(weights[0]),
        1 - left / whole if whole > 0 else 1.0,
    )


def _alike(
    background: TrainingSet, made: Floats, row: Floats
) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    """Say which made-up values are those of the file: the same code, or the same quarter, or both missing."""
    found = np.empty(made.shape, dtype=np.bool_)
    for place, variable in enumerate(background.variables):
        column = background.x[:, place]
        known = column[~np.isnan(column)]
        if variable.type == "category" or not len(known):
            found[:, place] = made[:, place] == row[place]
        else:
            edges = np.quantile(known, _QUARTILES)
            same = np.searchsorted(edges, made[:, place]) == np.searchsorted(edges, row[place])
            found[:, place] = same & ~np.isnan(made[:, place]) & ~np.isnan(row[place])
        found[:, place] |= np.isnan(made[:, place]) & np.isnan(row[place])
    return found
