"""A small model trained once on a random portfolio, and its folder; nothing here needs a database."""

import numpy as np
import pytest

from apps.engine.artifacts import read, write
from apps.engine.dictionary import PREDICT_VARIABLES, STANDARD
from apps.engine.scorer import Scorer
from apps.engine.training.dataset import training_set
from apps.engine.training.pipeline import Settings, fit

ROWS = 2_500


def random_columns(rows, seed):
    """Random canonical applications as columns; arrears and income are sometimes missing."""
    draw = np.random.default_rng(seed)
    income = draw.lognormal(12, 0.6, rows).astype(int)
    amount = (income * draw.lognormal(0.7, 0.6, rows) // 5_000 * 5_000 + 10_000).astype(int)
    late = [draw.poisson(rate, rows) for rate in (0.5, 0.25, 0.1)]
    arrears = np.cumsum(late[::-1], axis=0)[::-1]
    first = draw.random(rows) < 0.4
    contracts, types = STANDARD["type_contrat_travail"].codes, STANDARD["type_credit"].codes
    return {
        "age": draw.integers(20, 66, rows).tolist(),
        "revenu_mensuel": [
            None if gone else int(v) for v, gone in zip(income, draw.random(rows) < 0.07, strict=True)
        ],
        "type_contrat_travail": [contracts[i] for i in draw.integers(0, 4, rows)],
        "anciennete_travail_mois": draw.integers(0, 200, rows).tolist(),
        "montant_credit": amount.tolist(),
        "duree_mois": draw.integers(3, 37, rows).tolist(),
        "taux_interet": draw.uniform(12, 34, rows).round(1).tolist(),
        "type_credit": [types[i] for i in draw.integers(0, 6, rows)],
        **{
            f"nb_retards_{days}j": [None if new else int(v) for v, new in zip(found, first, strict=True)]
            for days, found in zip((30, 60, 90), arrears, strict=True)
        },
        "taux_endettement": (100 * amount / income / 12 * draw.uniform(0.8, 1.6, rows)).clip(1, 200).tolist(),
        "ratio_dette_revenu": (amount / income / 12 * draw.uniform(1, 1.5, rows)).tolist(),
    }


def rows_of(columns):
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _outcomes(columns, seed):
    draw = np.random.default_rng(seed)
    known = {
        name: np.array([0 if v is None else v for v in column])
        for name, column in columns.items()
        if not isinstance(column[0], str)
    }
    informal = np.array([code == "Informel" for code in columns["type_contrat_travail"]])
    logit = (
        -3.2
        + 0.022 * known["taux_endettement"]
        + 0.5 * known["nb_retards_30j"]
        + 0.7 * known["nb_retards_90j"]
        - 0.006 * known["anciennete_travail_mois"]
        + 0.03 * known["duree_mois"]
        + 0.8 * informal
    )
    return (draw.random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(int)


@pytest.fixture(scope="session")
def portfolio():
    columns = random_columns(ROWS, seed=1)
    variables = [STANDARD[name] for name in PREDICT_VARIABLES if not STANDARD[name].sensitivity]
    return training_set(variables, columns, _outcomes(columns, seed=2))


@pytest.fixture(scope="session")
def model(portfolio):
    return fit(portfolio, Settings(max_trees=120, patience=30, threads=1))


METRICS = {
    "auc": 0.771,
    "auc_low": 0.75,
    "auc_high": 0.79,
    "gini": 0.542,
    "ks": 0.41,
    "ece": 0.012,
    "brier": 0.101,
    "observed_rate": 0.21,
    "predicted_rate": 0.2,
}


@pytest.fixture(scope="session")
def written(model, tmp_path_factory):
    """Give the folder of the model and its hash."""
    folder = tmp_path_factory.mktemp("models") / "essai"
    extra = {"name": "defaut-essai", "version": "1", "training_data": "synthetic", "metrics": METRICS}
    return folder, write(folder, model, extra)


@pytest.fixture(scope="session")
def artefact(written):
    folder, sha256 = written
    return read(folder, sha256)


@pytest.fixture(scope="session")
def scorer(artefact):
    return Scorer(artefact)
