"""The default pipeline: boosted trees and a scorecard in five folds, stacked on out-of-fold log-odds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.scorecards import Scorecard
from apps.engine.training.dataset import Resample, TrainingSet
from apps.engine.training.logistic import Logistic, fit_non_negative, probability
from apps.engine.training.woe import fit_scorecard
from apps.engine.variables import Variable

if TYPE_CHECKING:
    import xgboost

_BOOSTER = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "max_depth": 4,
    "learning_rate": 0.04,
    "min_child_weight": 10,
    "subsample": 0.8,
    "colsample_bytree": 0.7,
    "reg_lambda": 5,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be chosen in training; the defaults are those measured (MODELS.md)."""

    folds: int = 5
    seed: int = 42
    max_trees: int = 1_500
    patience: int = 100
    threads: int = 2
    booster: dict[str, Any] = field(default_factory=lambda: dict(_BOOSTER))


@dataclass(frozen=True, slots=True)
class DefaultModel:
    """A trained model, before it is written: boosters still belong to XGBoost.

    ``stack`` weighs the mean log-odds of the trees and of the scorecards, in that order;
    ``out_of_fold`` is float64 (rows, 2), those log-odds for rows each fold had not seen.
    ``kind`` is ``default``, or ``scorecard`` or ``xgboost`` for a model of one branch only: one scorecard and
    no booster, or one booster beside a scorecard that says nothing, and no out-of-fold scores (NaN).
    """

    data: TrainingSet
    settings: Settings
    boosters: tuple["xgboost.Booster", ...]
    scorecards: tuple[Scorecard, ...]
    stack: Logistic
    out_of_fold: Floats
    trees: int
    kind: str = "default"

    def log_odds(self, x: Floats) -> Floats:
        """Log-odds of default for an encoded matrix, by XGBoost's own prediction."""
        return self.stack.log_odds(np.column_stack([self.tree_log_odds(x), self.card_log_odds(x)]))

    def tree_log_odds(self, x: Floats) -> Floats:
        if not self.boosters:
            return np.zeros(len(x))
        margins = [_margin(booster, matrix(x, self.data)) for booster in self.boosters]
        return np.mean(margins, axis=0, dtype=np.float64)

    def card_log_odds(self, x: Floats) -> Floats:
        return np.mean([card.log_odds(x) for card in self.scorecards], axis=0, dtype=np.float64)

    def predict(self, x: Floats) -> Floats:
        """Probability of default for an encoded matrix, float64 (rows)."""
        return probability(self.log_odds(x))

    def contributions(self, x: Floats) -> Floats:
        """Give what each variable adds to the log-odds, float64 (rows, variables)."""
        trees, cards = self.stack.weights.tolist()
        evidence = np.mean([card.contributions(x) for card in self.scorecards], axis=0, dtype=np.float64)
        found: Floats = cards * evidence
        if self.boosters:
            found = found + trees * tree_contributions(self, x)[:, :-1]
        return found


def fit(
    data: TrainingSet,
    settings: Settings | None = None,
    *,
    tick: Callable[[], None] = lambda: None,
    resample: Resample | None = None,
) -> DefaultModel:
    """Train the default model; the same data and settings give the same model.

    ``tick`` is called at each round of trees and may raise to stop. ``resample`` changes what each fold
    learns from, never the rows held out. Raises ValueError when a class has fewer rows than there are folds.
    """
    settings = settings or Settings()
    folds = stratified_folds(data, settings.folds, settings.seed)
    parts = [data.take(train) for train, _ in folds]
    learnt = parts if resample is None else [resample(part) for part in parts]
    boosters, trees = _boost(learnt, [data.take(held) for _, held in folds], settings, tick)
    cards = tuple(fit_scorecard(part) for part in learnt)
    unseen = np.empty((data.rows, 2))
    for (_, held), booster, card in zip(folds, boosters, cards, strict=True):
        unseen[held, 0] = _margin(booster, matrix(data.x[held], data))
        unseen[held, 1] = card.log_odds(data.x[held])
    stack = fit_non_negative(unseen, data.y)
    return DefaultModel(data, settings, boosters, cards, stack, unseen, trees)


Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


def stratified_folds(data: TrainingSet, folds: int, seed: int) -> list[Fold]:
    """Row numbers to train on and to hold out, fold by fold, each with the portfolio's default rate."""
    from sklearn.model_selection import StratifiedKFold

    if min(int(data.y.sum()), int((1 - data.y).sum())) < folds:
        raise ValueError("each outcome needs at least as many rows as there are folds")
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return list(splitter.split(data.x, data.y))


def _boost(
    learnt: Sequence[TrainingSet],
    held_out: Sequence[TrainingSet],
    settings: Settings,
    tick: Callable[[], None],
) -> tuple[tuple["xgboost.Booster", ...], int]:
    """Grow all folds together and cut them at the one number of trees with the lowest mean log loss.

    Stopping each fold at its own best would flatter the out-of-fold scores that the stack is fitted on.
    """
    pairs = [
        (matrix(part.x, part, part.y), matrix(held.x, held, held.y))
        for part, held in zip(learnt, held_out, strict=True)
    ]
    boosters = [_booster(learnt[0].variables, pair, settings) for pair in pairs]
    losses: list[float] = []
    for tree in range(settings.max_trees):
        tick()
        losses.append(np.mean([_grow(b, pair, tree) for b, pair in zip(boosters, pairs, strict=True)]).item())
        if tree - int(np.argmin(losses)) >= settings.patience:
            break
    best = int(np.argmin(losses)) + 1
    return tuple(booster[:best] for booster in boosters), best


def _booster(
    variables: Sequence[Variable], pair: tuple["xgboost.DMatrix", "xgboost.DMatrix"], settings: Settings
) -> "xgboost.Booster":
    import xgboost

    params = {
        **settings.booster,
        "monotone_constraints": constraints(variables),
        "seed": settings.seed,
        "nthread": settings.threads,
    }
    return xgboost.Booster(params, list(pair))


def constraints(variables: Sequence[Variable]) -> str:
    """Write the directions of the dictionary as XGBoost reads them."""
    ways = {"up": 1, "down": -1, None: 0}
    return str(tuple(ways[variable.direction] for variable in variables)).replace(",)", ")")


def _grow(booster: "xgboost.Booster", pair: tuple["xgboost.DMatrix", "xgboost.DMatrix"], tree: int) -> float:
    """Add one tree and give the log loss on the rows held out."""
    booster.update(pair[0], tree)
    return float(booster.eval(pair[1], iteration=tree).rsplit(":", 1)[1])


def tree_contributions(model: DefaultModel, x: Floats) -> Floats:
    """XGBoost's own contributions, mean of the folds: float64 (rows, variables + 1), the base value last."""
    rows = matrix(x, model.data)
    found = [booster.predict(rows, pred_contribs=True) for booster in model.boosters]
    return np.mean(found, axis=0, dtype=np.float64)


def matrix(x: Floats, data: TrainingSet, y: npt.NDArray[np.int8] | None = None) -> "xgboost.DMatrix":
    import xgboost

    names = [variable.name for variable in data.variables]
    return xgboost.DMatrix(x.astype(np.float32), label=y, feature_names=names, nthread=1)


def _margin(booster: "xgboost.Booster", rows: "xgboost.DMatrix") -> Floats:
    return np.asarray(booster.predict(rows, output_margin=True), dtype=np.float64)
