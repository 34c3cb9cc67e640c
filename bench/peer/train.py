"""Fit the peer's pipeline on 20,000 synthetic rows: `python bench/peer/train.py FILE.joblib`."""

import sys

import joblib
import numpy as np
import pandas as pd
from columns import CODES, NUMBERS
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

ROWS = 20_000


def synthetic(rows: int, seed: int = 2026) -> tuple[pd.DataFrame, np.ndarray]:
    """Return (variables, default) with about one default in ten."""
    draw = np.random.default_rng(seed)
    income = np.round(np.exp(draw.normal(11.6, 0.6, rows)), -3)
    amount = np.round(income * np.exp(draw.normal(1.0, 0.6, rows)), -4)
    months = draw.integers(3, 37, rows)
    late = draw.poisson(0.5, (3, rows)) * np.array([[1], [0], [0]])
    late[1] = draw.binomial(late[0], 0.4)
    late[2] = draw.binomial(late[1], 0.4)
    frame = pd.DataFrame(
        {
            "age": draw.integers(20, 66, rows),
            "revenu_mensuel": income,
            "anciennete_travail_mois": draw.integers(0, 240, rows),
            "montant_credit": amount,
            "duree_mois": months,
            "taux_interet": np.round(draw.uniform(12, 34, rows), 1),
            "nb_retards_30j": late[0],
            "nb_retards_60j": late[1],
            "nb_retards_90j": late[2],
            "taux_endettement": 100 * amount / months / income,
            "ratio_dette_revenu": amount / (12 * income),
            **{name: draw.choice(codes, rows) for name, codes in CODES.items()},
        }
    )
    logit = (
        -3.4
        + 0.02 * frame["taux_endettement"]
        + 0.5 * np.log1p(late[0])
        + 0.7 * np.log1p(late[2])
        + 0.4 * (frame["type_contrat_travail"] == "Informel")
        + 0.03 * (months - 10)
        + 0.02 * (35 - frame["age"])
    )
    return frame, (draw.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)


def main() -> None:
    frame, default = synthetic(ROWS)
    pipeline = Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        ("numbers", StandardScaler(), list(NUMBERS)),
                        ("codes", OneHotEncoder(handle_unknown="ignore"), list(CODES)),
                    ]
                ),
            ),
            (
                "model",
                XGBClassifier(
                    n_estimators=300, max_depth=5, learning_rate=0.05, n_jobs=1, tree_method="hist"
                ),
            ),
        ]
    )
    pipeline.fit(frame, default)
    joblib.dump(pipeline, sys.argv[1])


if __name__ == "__main__":
    main()
