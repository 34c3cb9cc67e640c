"""What a fitted candidate looks at, and how: importance and dependence of its variables."""

from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.discrimination import auc
from apps.engine.encoding import Floats
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.estimators import Predictor
from apps.engine.variables import Variable

#: Rows that are looked at: more change the second digit of nothing.
_ROWS = 4_000
_PERMUTED_ROWS = 1_000
_PIECES = 30
#: Rows of a piece of a dependence: fewer would draw a person.
_SMALLEST_PIECE = 10
_DIGITS = 5


def sample(data: TrainingSet, seed: int, rows: int = _ROWS) -> TrainingSet:
    """Give at most so many rows, drawn at random, in their order."""
    if data.rows <= rows:
        return data
    drawn = np.random.default_rng(seed).choice(data.rows, rows, replace=False)
    return data.take(np.sort(drawn))


def by_contributions(data: TrainingSet, contributions: Floats) -> list[dict[str, Any]]:
    """Give the mean absolute contribution of each variable, in log-odds, the largest first."""
    return _ranked(data, np.abs(contributions).mean(axis=0))


def by_permutation(fitted: Predictor, data: TrainingSet, seed: int) -> list[dict[str, Any]]:
    """Give the AUC lost when a variable is shuffled among rows held out (Breiman 2001)."""
    rows = sample(data, seed, _PERMUTED_ROWS)
    if rows.y.min() == rows.y.max():
        return _ranked(data, np.zeros(len(rows.variables)))
    draws = np.random.default_rng(seed)
    whole = auc(fitted.predict(rows.x), rows.y)
    lost = np.empty(len(rows.variables))
    for place in range(len(rows.variables)):
        shuffled = rows.x.copy()
        shuffled[:, place] = draws.permutation(shuffled[:, place])
        lost[place] = whole - auc(fitted.predict(shuffled), rows.y)
    return _ranked(data, lost.clip(min=0.0))


def _ranked(data: TrainingSet, weights: Floats) -> list[dict[str, Any]]:
    total = float(weights.sum()) or 1.0
    names = [variable.name for variable in data.variables]
    order = sorted(range(len(names)), key=lambda place: (-weights[place], names[place]))
    return [
        {
            "variable": names[place],
            "value": round(float(weights[place]), _DIGITS),
            "share": round(float(weights[place]) / total, _DIGITS),
        }
        for place in order
    ]


def dependence(data: TrainingSet, contributions: Floats) -> dict[str, Any]:
    """Give by variable how its contribution goes with its value, in log-odds, piece by piece.

    Numbers in thirty pieces of equal size at most, categories by code, missing values apart. A piece of fewer
    than ten rows is left out.
    """
    return {
        variable.name: {
            "type": variable.type,
            "points": _pieces(variable, data.x[:, place], contributions[:, place]),
        }
        for place, variable in enumerate(data.variables)
    }


def _pieces(variable: Variable, column: Floats, contributions: Floats) -> list[dict[str, Any]]:
    known = np.flatnonzero(~np.isnan(column))
    found = []
    for rows in _parts(variable, column, known):
        value: Any = float(np.median(column[rows]))
        if variable.type == "category":
            value = variable.codes[int(value)]
        found.append(_piece(value, contributions[rows]))
    absent = contributions[np.isnan(column)]
    found.append(_piece(None, absent))
    return [piece for piece in found if piece["rows"] >= _SMALLEST_PIECE]


def _parts(variable: Variable, column: Floats, known: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    values = column[known]
    if variable.type == "category":
        return [known[values == code] for code in np.unique(values)]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _PIECES + 1)[1:-1])) if len(known) else values
    place = np.searchsorted(edges, values, side="right")
    return [known[place == number] for number in np.unique(place)]


def _piece(value: Any, contributions: Floats) -> dict[str, Any]:
    if not len(contributions):
        return {"value": value, "rows": 0}
    low, high = np.quantile(contributions, (0.1, 0.9)).tolist()
    return {
        "value": value,
        "log_odds": round(float(contributions.mean()), _DIGITS),
        "low": round(low, _DIGITS),
        "high": round(high, _DIGITS),
        "rows": len(contributions),
    }
