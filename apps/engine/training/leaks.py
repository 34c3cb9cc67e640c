"""Ways in which the outcome leaks into the inputs, looked for in the data before any figure is believed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from apps.engine.discrimination import auc
from apps.engine.encoding import Floats
from apps.engine.training.dataset import Outcomes, TrainingSet
from apps.engine.training.gates import Gate, Verdict
from apps.engine.training.pipeline import Fold
from apps.engine.training.splitting import fold_numbers
from apps.engine.variables import Variable

EXPLAIN, MOST = 0.80, 0.90
#: Rows of each outcome below which nothing is read from a variable alone.
_FEWEST = 20
_BINS = 20
_PSEUDO = 5.0
_PARTS = 5
#: Share of rows that others repeat above which figures are not believed; below it somebody explains.
REPEATED_MOST = 0.005


def single_variable_gate(data: TrainingSet, seed: int) -> Gate:
    """No variable may tell defaults from the others by itself: AUC 0.80 to be explained, 0.90 refused.

    Among the rows where it is known. Numbers by their order and by twenty bins, categories by their codes,
    bins and codes at the default rate of other rows, so that many codes do not flatter.
    """
    found = {
        variable.name: _alone(variable, data.x[:, place], data.y, seed)
        for place, variable in enumerate(data.variables)
    }
    return _worst(found)


def missingness_gate(data: TrainingSet) -> Gate:
    """Nor may the mere absence of a value do so: what is filled in after a default is a leak."""
    found = {}
    for place, variable in enumerate(data.variables):
        absent = np.isnan(data.x[:, place]).astype(np.float64)
        area = auc(absent, data.y)
        found[variable.name] = max(area, 1 - area)
    return _worst(found)


def _worst(areas: dict[str, float]) -> Gate:
    """Name the variables above the limit, or the one nearest to it."""
    ranked = sorted(areas, key=lambda name: (-areas[name], name))
    worst = areas[ranked[0]]
    verdict: Verdict = "failed" if worst > MOST else "explain" if worst > EXPLAIN else "passed"
    above = [name for name in ranked if areas[name] > EXPLAIN]
    return Gate(
        verdict, worst, None, MOST if verdict != "explain" else EXPLAIN, "auc", tuple(above or ranked[:1])
    )


def _alone(variable: Variable, column: Floats, y: Outcomes, seed: int) -> float:
    known = ~np.isnan(column)
    values, outcomes = column[known], y[known]
    if min(int(outcomes.sum()), int((1 - outcomes).sum())) < _FEWEST:
        return 0.5
    if variable.type == "category":
        return max(auc(_rates(values.astype(np.intp), outcomes, seed), outcomes), 0.5)
    area = auc(values, outcomes)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
    place = np.searchsorted(edges, values, side="right")
    return max(area, 1 - area, auc(_rates(place, outcomes, seed), outcomes))


def _rates(place: npt.NDArray[np.intp], y: Outcomes, seed: int) -> Floats:
    """Give each row the default rate that the other fifths of the rows show in its bin."""
    part = np.random.default_rng(seed).permutation(len(y)) % _PARTS
    bins = int(place.max()) + 1
    rates = np.empty(len(y))
    for number in range(_PARTS):
        held = part == number
        others = y[~held]
        count = np.bincount(place[~held], minlength=bins)
        bad = np.bincount(place[~held], weights=others, minlength=bins)
        rates[held] = ((bad + _PSEUDO * others.mean()) / (count + _PSEUDO))[place[held]]
    return rates


def duplicates_gate(data: TrainingSet, folds: Sequence[Fold], origins: npt.NDArray[np.str_] | None) -> Gate:
    """No row may be learnt from and held out at once: same values and same outcome, or the same origin.

    The figure is the share of the rows held out that rows learnt from repeat. Up to one in two hundred may be
    chance and is to be explained. In an out-of-time split a client who comes back is no repetition.
    """
    fold = fold_numbers(data.rows, folds)
    same = _spread_over(_rows_as_numbers(data), fold)
    repeated = same
    about = [f"values:{int(same.sum())}"] if same.any() else []
    if origins is not None and len(folds) > 1:
        shared = _spread_over(np.unique(origins, return_inverse=True)[1], fold)
        repeated = same | shared
        about += [f"origins:{int(shared.sum())}"] if shared.any() else []
    held = fold >= 0
    share = float(repeated[held].mean())
    verdict: Verdict = "failed" if share > REPEATED_MOST else "explain" if share else "passed"
    return Gate(verdict, share, None, REPEATED_MOST if verdict == "failed" else 0.0, "rate", tuple(about))


def _rows_as_numbers(data: TrainingSet) -> npt.NDArray[np.intp]:
    """Give one number to rows of the same values and outcome; missing equals missing."""
    whole = np.column_stack([data.x, data.y]) + 0.0  # no negative zero
    whole[np.isnan(whole)] = np.nan  # one way to write it
    bytes_of_rows = np.ascontiguousarray(whole).view(
        np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))
    )
    numbers: npt.NDArray[np.intp] = np.unique(bytes_of_rows.ravel(), return_inverse=True)[1]
    return numbers


def _spread_over(numbers: npt.NDArray[np.intp], fold: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Say which rows share their number with a row of another fold."""
    least = np.full(numbers.max() + 1, np.iinfo(np.int8).max, dtype=np.int8)
    most = np.full(numbers.max() + 1, np.iinfo(np.int8).min, dtype=np.int8)
    np.minimum.at(least, numbers, fold)
    np.maximum.at(most, numbers, fold)
    spread: npt.NDArray[np.bool_] = (least != most)[numbers]
    return spread
