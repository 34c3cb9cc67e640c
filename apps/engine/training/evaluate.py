"""How good a model is: nested cross-validation and the figures drawn from it."""

from dataclasses import dataclass

import numpy as np

from apps.engine.discrimination import auc, discrimination
from apps.engine.encoding import Floats
from apps.engine.training.dataset import Outcomes, TrainingSet
from apps.engine.training.pipeline import Settings, fit, stratified_folds

_BINS = 10


@dataclass(frozen=True, slots=True)
class Nested:
    """Scores of rows that the whole pipeline had not seen: ``pd`` float64 (rows), ``fold`` of each row."""

    pd: Floats
    y: Outcomes
    fold: Outcomes

    def auc(self) -> float:
        """Mean over the outer folds."""
        folds = np.unique(self.fold)
        return float(np.mean([auc(self.pd[self.fold == f], self.y[self.fold == f]) for f in folds]))


@dataclass(frozen=True, slots=True)
class Figures:
    """Quality figures of one evaluation; the interval is at 95 %."""

    auc: float
    auc_low: float
    auc_high: float
    gini: float
    ks: float
    brier: float
    log_loss: float
    ece: float
    rows: int
    defaults: int
    observed_rate: float
    predicted_rate: float


def nested_scores(
    data: TrainingSet, folds: int = 5, seed: int = 42, settings: Settings | None = None
) -> Nested:
    """Score every row by a pipeline, its inner folds included, fitted on the other outer folds."""
    pd = np.empty(data.rows)
    fold = np.empty(data.rows, dtype=np.int8)
    for number, (train, held) in enumerate(stratified_folds(data, folds, seed)):
        model = fit(data.take(train), settings or Settings(seed=seed))
        pd[held] = model.predict(data.x[held])
        fold[held] = number
    return Nested(pd, data.y, fold)


def figures(nested: Nested) -> Figures:
    """AUC and KS as means over the outer folds, the rest on the pooled outer scores."""
    pd, y = nested.pd, nested.y
    mean_auc = nested.auc()
    told = discrimination(pd, y, fewest=1, middle=mean_auc)
    assert told is not None  # every fold holds both outcomes; of one default the interval is 0 to 1
    folds = np.unique(nested.fold)
    return Figures(
        auc=mean_auc,
        auc_low=told.low,
        auc_high=told.high,
        gini=2 * mean_auc - 1,
        ks=float(np.mean([ks(pd[nested.fold == f], y[nested.fold == f]) for f in folds])),
        brier=float(np.mean((pd - y) ** 2)),
        log_loss=log_loss(pd, y),
        ece=ece(pd, y),
        rows=len(y),
        defaults=int(y.sum()),
        observed_rate=float(y.mean()),
        predicted_rate=float(pd.mean()),
    )


def ks(scores: Floats, y: Outcomes) -> float:
    """Largest gap between the cumulated shares of defaults and of the others."""
    values, place = np.unique(scores, return_inverse=True)
    bad = np.bincount(place, weights=y, minlength=len(values)).cumsum() / y.sum()
    good = np.bincount(place, weights=1 - y, minlength=len(values)).cumsum() / (1 - y).sum()
    return float(np.abs(good - bad).max())


def log_loss(pd: Floats, y: Outcomes) -> float:
    safe = np.clip(pd, 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(y == 1, np.log(safe), np.log1p(-safe))))


def ece(pd: Floats, y: Outcomes, bins: int = _BINS) -> float:
    """Give the expected calibration error on ``bins`` groups of equal size, by rising probability."""
    groups = np.array_split(np.argsort(pd, kind="stable"), bins)
    gaps = [len(group) * abs(pd[group].mean() - y[group].mean()) for group in groups if len(group)]
    return float(sum(gaps) / len(y))


def recall_at(pd: Floats, y: Outcomes, threshold: float) -> tuple[float, float]:
    """Shares of the defaults found (``pd >= threshold``) and of the good ones kept (below it)."""
    flagged = pd >= threshold
    return float(flagged[y == 1].mean()), float((~flagged[y == 0]).mean())
