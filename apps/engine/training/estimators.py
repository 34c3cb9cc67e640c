"""How each kind of candidate is fitted: by its own library, on the matrix of a training set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from apps.engine.encoding import Floats
from apps.engine.scorecards import Scorecard, VariableBins
from apps.engine.training.dataset import Resample, TrainingSet
from apps.engine.training.logistic import Logistic
from apps.engine.training.pipeline import DefaultModel, Settings, constraints, fit, matrix
from apps.engine.training.sampling import repeated
from apps.engine.training.woe import fit_scorecard

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

Params = Mapping[str, Any]


class Predictor(Protocol):
    """What was fitted: probabilities of default, float64 (rows), for an encoded matrix."""

    def predict(self, x: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Fitting:
    """How to fit, whatever the kind; ``tick`` is called between steps and may raise to stop.

    ``resample`` changes what is learnt from; ``balanced`` asks for class weights.
    """

    seed: int = 42
    resample: Resample | None = None
    balanced: bool = False
    tick: Callable[[], None] = lambda: None


Fit = Callable[[TrainingSet, Params, Fitting], Predictor]
_WAYS: Mapping[str | None, int] = {"up": 1, "down": -1, None: 0}


@dataclass(frozen=True, slots=True)
class _Estimator:
    """A fitted estimator of scikit-learn, behind its preparation where it needs one."""

    estimator: Any
    preparation: Any = None

    def predict(self, x: Floats) -> Floats:
        ready = x if self.preparation is None else self.preparation.transform(x)
        return np.asarray(self.estimator.predict_proba(ready)[:, 1], dtype=np.float64)


def fit_default(data: TrainingSet, params: Params, how: Fitting) -> DefaultModel:
    """Fit the default pipeline; sampling and weights change what its inner folds learn from, no more."""
    usual = Settings()
    settings = replace(usual, seed=how.seed, threads=1, booster={**usual.booster, **params})
    return fit(data, settings, tick=how.tick, resample=_resample(how))


def fit_card(data: TrainingSet, params: Params, how: Fitting) -> DefaultModel:
    """Fit one weight-of-evidence scorecard on all rows."""
    del params
    card = fit_scorecard(_sampled(data, how))
    settings = Settings(folds=1, seed=how.seed, threads=1, booster={})
    return DefaultModel(
        data, settings, (), (card,), Logistic(0.0, np.array([0.0, 1.0])), _unseen(data), 0, "scorecard"
    )


def fit_xgboost(data: TrainingSet, params: Params, how: Fitting) -> DefaultModel:
    """Fit one booster on all rows as ``XGBClassifier()`` does, with the dictionary's directions."""
    import xgboost

    learnt = data if how.resample is None else how.resample(data)
    chosen = {key: value for key, value in params.items() if key != "n_estimators"}
    balance = (1 - learnt.y).sum() / learnt.y.sum() if how.balanced else 1.0
    settings = Settings(
        folds=1,
        seed=how.seed,
        threads=1,
        booster={"objective": "binary:logistic", "scale_pos_weight": float(balance), **chosen},
    )
    rows = matrix(learnt.x, learnt, learnt.y)
    fixed = {"monotone_constraints": constraints(data.variables), "seed": how.seed, "nthread": 1}
    booster = xgboost.Booster({**settings.booster, **fixed}, [rows])
    trees = int(params["n_estimators"])
    for tree in range(trees):
        how.tick()
        booster.update(rows, tree)
    stack = Logistic(0.0, np.array([1.0, 0.0]))
    return DefaultModel(data, settings, (booster,), (_silent(data),), stack, _unseen(data), trees, "xgboost")


def fit_dummy(data: TrainingSet, params: Params, how: Fitting) -> Predictor:
    """Give everybody the default rate of the training part."""
    del params
    from sklearn.dummy import DummyClassifier

    learnt = _sampled(data, how)
    return _Estimator(DummyClassifier(strategy="prior").fit(learnt.x, learnt.y))


def fit_logistic(data: TrainingSet, params: Params, how: Fitting) -> Predictor:
    from sklearn.linear_model import LogisticRegression

    return _fit_table(data, LogisticRegression(max_iter=1_000, class_weight=_weights(how), **params), how)


def fit_neighbours(data: TrainingSet, params: Params, how: Fitting) -> Predictor:
    from sklearn.neighbors import KNeighborsClassifier

    learnt = _sampled(data, how)
    chosen = {**params, "n_neighbors": min(int(params["n_neighbors"]), learnt.rows)}
    return _fit_table(learnt, KNeighborsClassifier(**chosen), Fitting(how.seed, tick=how.tick))


def fit_forest(data: TrainingSet, params: Params, how: Fitting) -> Predictor:
    """Fit a forest on the prepared table, the dictionary's directions kept for its numbers."""
    from sklearn.ensemble import RandomForestClassifier

    learnt = data if how.resample is None else how.resample(data)
    preparation = table(learnt)
    x = preparation.fit_transform(learnt.x)
    numbers = [_WAYS[variable.direction] for variable in data.variables if variable.type != "category"]
    forest = RandomForestClassifier(
        random_state=how.seed,
        class_weight=_weights(how),
        n_jobs=1,
        monotonic_cst=numbers + [0] * (x.shape[1] - len(numbers)),
        **params,
    )
    return _Estimator(forest.fit(x, learnt.y), preparation)


def fit_gradient_boosting(data: TrainingSet, params: Params, how: Fitting) -> Predictor:
    """Fit scikit-learn's histogram boosting, missing values and directions included."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    learnt = data if how.resample is None else how.resample(data)
    booster = HistGradientBoostingClassifier(
        random_state=how.seed,
        monotonic_cst=[_WAYS[variable.direction] for variable in data.variables],
        class_weight=_weights(how),
        **params,
    )
    return _Estimator(booster.fit(learnt.x, learnt.y))


def _fit_table(data: TrainingSet, estimator: Any, how: Fitting) -> Predictor:
    """Fit an estimator that needs scaled numbers, one column a code and nothing missing."""
    how.tick()
    learnt = data if how.resample is None else how.resample(data)
    preparation = table(learnt)
    return _Estimator(estimator.fit(preparation.fit_transform(learnt.x), learnt.y), preparation)


def table(data: TrainingSet) -> "ColumnTransformer":
    """Give the preparation of the matrix: medians and scaled numbers, marks of what is missing, codes.

    A missing code is a code of its own.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    codes = [place for place, variable in enumerate(data.variables) if variable.type == "category"]
    numbers = [place for place in range(len(data.variables)) if place not in codes]
    absent = [place for place in numbers if np.isnan(data.x[:, place]).any()]
    lists = [[-1.0, *map(float, range(len(data.variables[place].codes)))] for place in codes]
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    listed = SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True)
    encoder = OneHotEncoder(categories=lists, handle_unknown="ignore", sparse_output=False)
    steps = [
        ("numbers", make_pipeline(filled, StandardScaler()), numbers),
        ("absent", MissingIndicator(features="all"), absent),
        ("codes", make_pipeline(listed, encoder), codes),
    ]
    return ColumnTransformer([step for step in steps if step[2]])


def _sampled(data: TrainingSet, how: Fitting) -> TrainingSet:
    """Give what a kind learns from that knows no weights."""
    change = _resample(how)
    return data if change is None else change(data)


def _resample(how: Fitting) -> Resample | None:
    return repeated if how.balanced else how.resample


def _weights(how: Fitting) -> str | None:
    return "balanced" if how.balanced else None


def _silent(data: TrainingSet) -> Scorecard:
    """Give a scorecard that says nothing: what a folder of trees alone holds beside them."""
    bins = tuple(
        VariableBins(
            variable.type == "category",
            np.arange(len(variable.codes), dtype=np.float64),
            np.zeros(max(len(variable.codes), 1)),
            0.0,
            0.0,
        )
        for variable in data.variables
    )
    nothing = np.zeros(len(bins))
    return Scorecard(bins, 0.0, nothing, nothing)


def _unseen(data: TrainingSet) -> Floats:
    """Give the out-of-fold scores that a single model does not have."""
    return np.full((data.rows, 2), np.nan)


#: By code of the kind (``candidates.KINDS``).
FITS: Mapping[str, Fit] = {
    "dummy": fit_dummy,
    "scorecard": fit_card,
    "logistic": fit_logistic,
    "xgboost": fit_xgboost,
    "default": fit_default,
    "gradient_boosting": fit_gradient_boosting,
    "random_forest": fit_forest,
    "knn": fit_neighbours,
}
