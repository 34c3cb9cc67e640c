"""The scorer: additive, the same for one row and many, monotone, and equal to XGBoost."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from apps.engine.contracts import ScoringInput
from apps.engine.dictionary import STANDARD
from apps.engine.scorecard import logit
from apps.engine.training.pipeline import tree_contributions
from tests.engine.conftest import random_columns, rows_of

APPLICATIONS = 1_000


@pytest.fixture(scope="module")
def columns():
    return random_columns(10_000, seed=9)


@pytest.fixture(scope="module")
def batch(scorer, columns):
    return scorer.score_columns(columns, 10_000)


def test_contributions_and_base_give_the_probability_for_ten_thousand_rows(batch):
    logits = np.log(batch.pd / (1 - batch.pd))
    assert np.abs(batch.base + batch.log_odds.sum(axis=1) - logits).max() < 1e-12
    assert batch.pd.dtype == batch.log_odds.dtype == np.float64
    assert batch.log_odds.shape == (10_000, 13)


def test_contributions_and_base_give_the_probability_for_one_row(scorer, columns):
    found = scorer.score(ScoringInput(rows_of(columns)[0]))
    assert logit(found.pd) == pytest.approx(
        found.base + sum(c.log_odds for c in found.contributions), abs=1e-12
    )
    assert tuple(c.variable for c in found.contributions) == scorer.variables


def test_one_row_and_many_score_the_same(scorer, columns, batch):
    for position, row in enumerate(rows_of(columns)[:300]):
        found = scorer.score(ScoringInput(row))
        assert abs(found.pd - batch.pd[position]) < 1e-9
        assert [c.value for c in found.contributions] == [row[name] for name in scorer.variables]
        parts = [c.log_odds for c in found.contributions]
        assert np.abs(parts - batch.log_odds[position]).max() < 1e-9


def test_the_number_of_rows_scored_together_changes_nothing(scorer, columns, batch):
    for rows in (2, 24, 25, 2_049):
        part = {name: column[:rows] for name, column in columns.items()}
        assert np.abs(scorer.score_columns(part, rows).pd - batch.pd[:rows]).max() < 1e-12


def test_probabilities_alone_are_the_same(scorer, columns, batch):
    assert np.abs(np.array(scorer.probabilities(columns, 10_000)) - batch.pd).max() < 1e-12


def test_no_rows_give_no_scores(scorer):
    empty = {name: [] for name in scorer.variables}
    assert scorer.score_columns(empty, 0).pd.shape == (0,)
    assert list(scorer.probabilities(empty, 0)) == []


def test_xgboost_is_the_oracle(model, scorer):
    x = model.data.x
    ours = scorer.parts.trees.contributions(x)
    theirs = tree_contributions(model, x)
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-5
    assert abs(scorer.parts.trees.base - theirs[:, -1].mean()) < 1e-5
    assert np.abs(scorer.parts.trees.log_odds(x) - model.tree_log_odds(x)).max() < 1e-5


def test_the_probability_is_the_trained_model_s(model, scorer, portfolio):
    values = {
        v.name: [
            None if math.isnan(cell) else (v.codes[int(cell)] if v.type == "category" else cell)
            for cell in portfolio.x[:, i]
        ]
        for i, v in enumerate(portfolio.variables)
    }
    assert np.abs(scorer.score_columns(values, portfolio.rows).pd - model.predict(portfolio.x)).max() < 1e-5


MONOTONE = [
    "nb_retards_30j",
    "nb_retards_60j",
    "nb_retards_90j",
    "taux_endettement",
    "ratio_dette_revenu",
    "montant_credit",
    "duree_mois",
    "taux_interet",
    "revenu_mensuel",
    "anciennete_travail_mois",
]


@pytest.mark.parametrize("name", MONOTONE)
def test_a_worse_value_never_lowers_the_probability(scorer, name):
    """A thousand random applications, each worsened at random on one variable."""
    columns = random_columns(APPLICATIONS, seed=11)
    draw = np.random.default_rng(12)
    variable = STANDARD[name]
    start = np.array([variable.minimum if v is None else v for v in columns[name]], dtype=float)
    far = np.nanmax(start) - start if variable.direction == "up" else -start
    worse = (start + far * draw.random(APPLICATIONS)).tolist()
    before = scorer.score_columns({**columns, name: start.tolist()}, APPLICATIONS).pd
    after = scorer.score_columns({**columns, name: worse}, APPLICATIONS).pd
    assert (after >= before - 1e-14).all()
    assert (after > before + 1e-6).any()


def test_more_arrears_one_by_one_never_lower_the_probability(scorer):
    row = rows_of(random_columns(1, seed=5))[0]
    steps = [
        {**row, "nb_retards_30j": n, "nb_retards_60j": n // 2, "nb_retards_90j": n // 3} for n in range(30)
    ]
    found = [scorer.score(ScoringInput(step)).pd for step in steps]
    assert all(later >= earlier - 1e-14 for earlier, later in pairwise(found))
    assert found[-1] > found[0] + 0.05


def test_missing_and_absent_are_the_same(scorer, columns):
    row = rows_of(columns)[1]
    absent = {name: value for name, value in row.items() if name != "nb_retards_30j"}
    with_none = {**row, "nb_retards_30j": None}
    assert scorer.score(ScoringInput(absent)) == scorer.score(ScoringInput(with_none))
    zero = {**row, "nb_retards_30j": 0}
    assert scorer.score(ScoringInput(absent)).pd != scorer.score(ScoringInput(zero)).pd


def test_names_the_model_does_not_use_are_ignored(scorer, columns):
    row = rows_of(columns)[2]
    assert scorer.score(ScoringInput({**row, "sexe": "F"})) == scorer.score(ScoringInput(row))


def test_a_lone_value_stands_for_all_rows(scorer, columns):
    lone = {**columns, "age": 40, "type_credit": "habitat", "revenu_mensuel": None}
    full = {
        **columns,
        "age": [40] * 10_000,
        "type_credit": ["habitat"] * 10_000,
        "revenu_mensuel": [None] * 10_000,
    }
    assert (scorer.score_columns(lone, 10_000).pd == scorer.score_columns(full, 10_000).pd).all()


def test_arrays_and_lists_are_the_same(scorer, columns, batch):
    arrays = {
        name: np.array([math.nan if v is None else v for v in column])
        if not isinstance(column[0], str)
        else np.array(column, dtype=object)
        for name, column in columns.items()
    }
    assert (scorer.score_columns(arrays, 10_000).pd == batch.pd).all()


def test_a_column_of_another_length_is_an_error(scorer, columns):
    with pytest.raises(ValueError, match="'age' has 2 values for 10000 rows"):
        scorer.score_columns({**columns, "age": [30, 40]}, 10_000)


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({}, ()),
        ({"age": 80}, ("hors_domaine",)),
        ({"age": 18}, ("hors_domaine",)),
        ({"montant_credit": 400_000_000}, ("hors_domaine",)),
        ({"type_credit": "tontine"}, ("hors_domaine",)),
        ({"revenu_mensuel": None}, ()),
    ],
)
def test_what_training_never_saw_is_told(scorer, columns, changes, warnings):
    row = {**rows_of(columns)[3], **changes}
    typical = {name: column[3] for name, column in random_columns(10, seed=1).items()}
    row = {**typical, **changes}
    assert scorer.score(ScoringInput(row)).warnings == warnings
    assert scorer.score_columns({name: [value] for name, value in row.items()}, 1).outside.tolist() == [
        bool(warnings)
    ]


def test_threads_may_share_a_scorer(scorer, columns, batch):
    rows = [ScoringInput(row) for row in rows_of(columns)[:200]]
    with ThreadPoolExecutor(8) as pool:
        found = [result.pd for result in pool.map(scorer.score, rows)]
    assert np.abs(np.array(found) - batch.pd[:200]).max() < 1e-12


def test_the_largest_amount_advised_is_the_99th_percentile(scorer, portfolio):
    amounts = portfolio.x[:, scorer.variables.index("montant_credit")]
    assert scorer.amount_p99 == pytest.approx(np.quantile(amounts, 0.99))
