"""What each library gives by itself, in a plain script: what the candidates of a run are held against.

Nothing of the engine is used here: pandas reads the file, scikit-learn makes the folds and the figures.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import XGBClassifier

WAYS = {"up": 1, "down": -1, None: 0}


def plain_aucs(data: Path, dictionary: Path, folds: int, seed: int) -> dict[str, float]:
    """Give the mean AUC over stratified folds by kind of candidate, for kinds that are a library's own."""
    described = json.loads(dictionary.read_text(encoding="utf-8"))
    frame = pd.read_csv(data)
    y = frame[described["target"]].astype(int).to_numpy()
    variables = described["variables"]
    codes = [entry["name"] for entry in variables if entry["type"] == "category"]
    numbers = [entry["name"] for entry in variables if entry["type"] != "category"]
    frame[codes] = frame[codes].astype("string").astype(object).where(frame[codes].notna(), np.nan)
    ways = [WAYS[entry.get("direction")] for entry in variables if entry["type"] != "category"]
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    found: dict[str, list[float]] = {}
    for train, held in splitter.split(frame, y):
        width = _scaled(numbers, codes).fit_transform(frame.iloc[train]).shape[1]
        for kind, model in _models(numbers, codes, ways, width, seed).items():
            model.fit(frame.iloc[train], y[train])
            area = roc_auc_score(y[held], model.predict_proba(frame.iloc[held])[:, 1])
            found.setdefault(kind, []).append(float(area))
    return {kind: float(np.mean(areas)) for kind, areas in found.items()}


def _models(
    numbers: list[str], codes: list[str], ways: list[int], width: int, seed: int
) -> dict[str, BaseEstimator]:
    """Give the estimators as their libraries have them, told the same directions of the risk."""
    constraints = [*ways, *[0] * len(codes)]
    forest = RandomForestClassifier(
        n_estimators=200,
        min_samples_leaf=3,
        random_state=seed,
        monotonic_cst=[*ways, *[0] * (width - len(ways))],
    )
    boosting = HistGradientBoostingClassifier(random_state=seed, monotonic_cst=constraints)
    xgboost = XGBClassifier(random_state=seed, monotone_constraints=tuple(constraints))
    return {
        "dummy": DummyClassifier(strategy="prior"),
        "logistic": make_pipeline(_scaled(numbers, codes), LogisticRegression(max_iter=1_000)),
        "knn": make_pipeline(_scaled(numbers, codes), KNeighborsClassifier(50)),
        "random_forest": make_pipeline(_scaled(numbers, codes), forest),
        "gradient_boosting": make_pipeline(_numbered(numbers, codes), boosting),
        "xgboost": make_pipeline(_numbered(numbers, codes), xgboost),
    }


def _scaled(numbers: list[str], codes: list[str]) -> Any:
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), codes),
    )


def _numbered(numbers: list[str], codes: list[str]) -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return make_column_transformer(("passthrough", numbers), (encoder, codes))
