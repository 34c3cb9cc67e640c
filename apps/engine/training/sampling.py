"""Changing the balance of a training part: an experiment, never the default.

Only training parts are changed, inside each fold; rows that are scored never are. Probabilities then no
longer mean what they say, unless a later step calibrates them: a run shows by how much.
"""

import numpy as np

from apps.engine.encoding import Floats
from apps.engine.training.dataset import Resample, TrainingSet
from apps.engine.training.settings import Sampling

_NEIGHBOURS = 5


def resampler(method: Sampling, seed: int) -> Resample | None:
    """Give what changes a training part by imbalanced-learn; None for ``none`` and ``weights``."""
    if method in {"none", "weights"}:
        return None
    ways = {"over": _over, "under": _under, "smote": _smote}
    return lambda data: ways[method](data, seed)


def repeated(data: TrainingSet) -> TrainingSet:
    """Give class weights to a candidate that knows none: each row of the rarer outcome so many times over."""
    rare = int(data.y.mean() < 1 / 2)
    times = max(round(float((data.y != rare).sum() / (data.y == rare).sum())), 1)
    return data.take(np.repeat(np.arange(data.rows), np.where(data.y == rare, times, 1)))


def _over(data: TrainingSet, seed: int) -> TrainingSet:
    from imblearn.over_sampling import RandomOverSampler

    sampler = RandomOverSampler(random_state=seed)
    sampler.fit_resample(_known(data), data.y)
    return data.take(np.asarray(sampler.sample_indices_))


def _under(data: TrainingSet, seed: int) -> TrainingSet:
    from imblearn.under_sampling import RandomUnderSampler

    sampler = RandomUnderSampler(random_state=seed)
    sampler.fit_resample(_known(data), data.y)
    return data.take(np.asarray(sampler.sample_indices_))


def _smote(data: TrainingSet, seed: int) -> TrainingSet:
    """Make up rows of the rarer outcome between neighbours; what is missing is filled in first.

    Numbers by their median, codes by the commonest, since a made-up row can lie between known values only.
    """
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    rare = int(min(data.y.sum(), (1 - data.y).sum()))
    codes = [place for place, variable in enumerate(data.variables) if variable.type == "category"]
    neighbours = min(_NEIGHBOURS, rare - 1)
    if neighbours < 1:
        return _over(data, seed)
    if not codes:
        maker = SMOTE(random_state=seed, k_neighbors=neighbours)
    elif len(codes) == len(data.variables):
        maker = SMOTEN(random_state=seed, k_neighbors=neighbours)
    else:
        maker = SMOTENC(codes, random_state=seed, k_neighbors=neighbours)
    x, y = maker.fit_resample(_known(data), data.y)
    return TrainingSet(data.variables, np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.int8))


def _known(data: TrainingSet) -> Floats:
    """Give the matrix with what is missing filled in."""
    x = data.x.copy()
    for place, variable in enumerate(data.variables):
        column = x[:, place]
        absent = np.isnan(column)
        known = column[~absent]
        if not len(known):
            column[:] = 0.0
        elif variable.type == "category":
            column[absent] = float(np.bincount(known.astype(np.intp)).argmax())
        else:
            column[absent] = float(np.median(known))
    return x
