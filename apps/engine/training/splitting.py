"""What is learnt from and what is held out, for a run."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from apps.engine.training.dataset import Outcomes
from apps.engine.training.pipeline import Fold, stratified_folds
from apps.engine.training.settings import RunData, RunRefused, RunSettings

#: From so many rows on, three outer folds: each still learns from two thirds, and time stays within minutes.
MANY_ROWS = 200_000
_FOLDS_OF_MANY = 3
_SIX_MONTHS = np.timedelta64(183, "D")
_QUARTER = 0.25
_LEAST_HELD, _MOST_HELD = 0.10, 0.50
_FEWEST_OF_AN_OUTCOME = 5


def outer_folds(data: RunData, settings: RunSettings) -> list[Fold]:
    """Give (rows to learn from, rows held out) a fold; one pair when out of time. Raises RunRefused."""
    if settings.split == "out_of_time":
        return [_out_of_time(data)]
    folds = settings.folds
    if data.training.rows >= MANY_ROWS:
        folds = min(folds, _FOLDS_OF_MANY)
    found = _nested(data, folds, settings.seed)
    for train, _ in found:
        _require(data.training.y[train], _FEWEST_OF_AN_OUTCOME)
    return found


def fold_numbers(rows: int, folds: Sequence[Fold]) -> npt.NDArray[np.int8]:
    """Give the number of the fold that holds each row out, -1 for those learnt from only."""
    numbers = np.full(rows, -1, dtype=np.int8)
    for number, (_, held) in enumerate(folds):
        numbers[held] = number
    return numbers


def known_origins(data: RunData) -> npt.NDArray[np.str_] | None:
    """Give the origin of each row as text; a row whose origin is not known has one of its own."""
    if data.origins is None:
        return None
    return np.array(
        [
            f"row {row}" if origin is None or str(origin) == "" else f"origin {origin}"
            for row, origin in enumerate(data.origins.tolist())
        ]
    )


def _nested(data: RunData, folds: int, seed: int) -> list[Fold]:
    """Stratified folds; rows of one origin stay together."""
    from sklearn.model_selection import StratifiedKFold

    y = data.training.y
    try:
        named = known_origins(data)
        if named is None:
            return stratified_folds(data.training, folds, seed)
        origins, place = np.unique(named, return_inverse=True)
        if len(origins) == len(y):
            return stratified_folds(data.training, folds, seed)
        worst = np.zeros(len(origins), dtype=np.int8)
        np.maximum.at(worst, place, y)
        _require(worst, folds)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        held_out = [held for _, held in splitter.split(worst, worst)]
    except ValueError as error:
        raise RunRefused("too_few_rows", str(error)) from error
    where = np.empty(len(origins), dtype=np.int8)
    for number, held in enumerate(held_out):
        where[held] = number
    fold = where[place]
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(folds)]


def _out_of_time(data: RunData) -> Fold:
    """Hold the last six months out, or the last quarter when those are too many or too few rows."""
    if data.days is None or bool(np.isnat(data.days).any()):
        raise RunRefused("no_days", "an out-of-time split needs the day of every row")
    days = data.days.astype("datetime64[D]")
    held = days > days.max() - _SIX_MONTHS
    if not _LEAST_HELD <= float(held.mean()) <= _MOST_HELD:
        held = days > np.sort(days)[int(len(days) * (1 - _QUARTER)) - 1]
    y = data.training.y
    if not held.any() or held.all():
        raise RunRefused("one_period", "all rows are of one time")
    _require(y[held], _FEWEST_OF_AN_OUTCOME)
    _require(y[~held], _FEWEST_OF_AN_OUTCOME)
    return np.flatnonzero(~held), np.flatnonzero(held)


def _require(y: Outcomes, fewest: int) -> None:
    if min(int(y.sum()), int((1 - y).sum())) < fewest:
        raise RunRefused("too_few_rows", f"each outcome needs {fewest} rows in each part")
