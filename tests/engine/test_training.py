"""Training: deterministic, monotone, without leaks, and as good as it was measured to be."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from apps.engine.dictionary import STANDARD
from apps.engine.training.dataset import training_set
from apps.engine.training.logistic import fit_non_negative
from apps.engine.training.pipeline import Settings, fit, stratified_folds
from apps.engine.training.woe import fit_scorecard
from apps.engine.variables import Category, Variable

ROOT = Path(__file__).resolve().parents[2]
GERMAN = ROOT / "tests" / "data" / "german"
QUICK = Settings(max_trees=40, patience=10, threads=1)


def test_quality_on_the_german_set_by_the_nested_protocol():
    """The whole command, as anyone would run it; the bars are those of the acceptance list."""
    program = [sys.executable, str(ROOT / "bench" / "quality.py"), "--threads", "1"]
    files = ["--data", str(GERMAN / "data.csv"), "--dictionary", str(GERMAN / "dictionary.json")]
    command = [*program, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert found.keys() == {"auc", "ks", "gini", "brier", "log_loss", "ece", "fit_seconds", "rows"}
    assert found["auc"] >= 0.7835
    assert found["ece"] <= 0.045
    assert found["gini"] == pytest.approx(2 * found["auc"] - 1, abs=1e-5)
    assert found["rows"] == 1_000


def test_the_same_data_and_seed_give_the_same_model(portfolio):
    one, two = fit(portfolio, QUICK), fit(portfolio, QUICK)
    assert (one.predict(portfolio.x) == two.predict(portfolio.x)).all()
    assert [b.save_raw("json") for b in one.boosters] == [b.save_raw("json") for b in two.boosters]


def test_another_seed_gives_another_model(portfolio):
    other = Settings(max_trees=40, patience=10, threads=1, seed=7)
    assert (fit(portfolio, QUICK).predict(portfolio.x) != fit(portfolio, other).predict(portfolio.x)).any()


def test_all_folds_have_one_number_of_trees(model):
    assert {booster.num_boosted_rounds() for booster in model.boosters} == {model.trees}


def test_stacking_uses_scores_of_rows_each_fold_had_not_seen(model, portfolio):
    """The in-sample log-odds would be larger; those of the held-out fold come from its own booster alone."""
    folds = stratified_folds(portfolio, 5, model.settings.seed)
    for (_, held), card in zip(folds, model.scorecards, strict=True):
        assert np.allclose(model.out_of_fold[held, 1], card.log_odds(portfolio.x[held]))
    assert model.stack.weights.min() >= 0


def test_mean_probability_is_the_default_rate(model, portfolio):
    chances = 1 / (1 + np.exp(-model.stack.log_odds(model.out_of_fold)))
    assert chances.mean() == pytest.approx(portfolio.y.mean(), abs=1e-6)


@pytest.mark.parametrize("outcomes", [[0, 0], [1, 1], [0, 2], [0.5, 1]])
def test_outcomes_are_zero_and_one(outcomes):
    with pytest.raises(ValueError, match="0 and 1"):
        training_set([STANDARD["age"]], {"age": [30, 40]}, outcomes)


def test_too_few_rows_are_refused():
    data = training_set([STANDARD["age"]], {"age": [30] * 8}, [0, 1] * 4)
    with pytest.raises(ValueError, match="as many rows as there are folds"):
        fit(data)


def test_the_hash_follows_the_data(portfolio):
    same = training_set_of(portfolio, portfolio.y)
    flipped = portfolio.y.copy()
    flipped[0] = 1 - flipped[0]
    assert same.sha256() == portfolio.sha256() != training_set_of(portfolio, flipped).sha256()


def training_set_of(data, y):
    return type(data)(data.variables, data.x.copy(), y)


# Scorecard


def simple(x, y, direction=None):
    return training_set([Variable("x", "decimal", "X", "X", direction=direction)], {"x": x}, y)


@pytest.fixture(scope="module")
def noisy():
    draw = np.random.default_rng(0)
    x = draw.normal(size=4_000)
    return x, (draw.random(4_000) < 1 / (1 + np.exp(2 - x))).astype(int)


@pytest.mark.parametrize(("direction", "way"), [("up", 1), (None, 1)])
def test_evidence_goes_one_way(noisy, direction, way):
    x, y = noisy
    card = fit_scorecard(simple(x, y, direction))
    assert (np.diff(way * card.bins[0].woe) >= 0).all()
    assert len(card.bins[0].woe) >= 5
    assert card.weights[0] > 0


def test_evidence_against_the_declared_direction_is_dropped(noisy):
    x, y = noisy
    card = fit_scorecard(simple(x, y, "down"))
    assert card.weights.tolist() == [0.0]
    assert np.ptp(card.log_odds(x[:, None])) == 0


def test_bins_hold_at_least_four_percent(noisy):
    x, y = noisy
    bins = fit_scorecard(simple(x, y)).bins[0]
    shares = np.bincount(np.searchsorted(bins.cuts, x, side="right")) / len(x)
    assert shares.min() >= 0.04


def test_missing_values_have_their_own_bin_and_few_are_shrunk(noisy):
    x, y = noisy
    x, y = x.copy(), y.copy()
    x[:10], y[:10] = np.nan, 1
    bins = fit_scorecard(simple(x, y)).bins[0]
    rate = y.mean()
    shrunk = (10 + 20 * rate) / 30
    assert bins.missing == pytest.approx(np.log(shrunk / (1 - shrunk)) - np.log(rate / (1 - rate)))


def test_a_variable_that_says_nothing_is_left_out():
    draw = np.random.default_rng(1)
    y = (draw.random(5_000) < 0.2).astype(int)
    card = fit_scorecard(simple(np.repeat([0.0, 1.0], 2_500), y))
    assert card.bins[0].information < 0.01
    assert card.weights.tolist() == [0.0]


def test_rare_codes_share_a_bin():
    codes = tuple(Category(c, c, c) for c in "abcd")
    column = ["a"] * 600 + ["b"] * 370 + ["c"] * 20 + ["d"] * 10
    y = [0] * 500 + [1] * 100 + [0] * 170 + [1] * 200 + [1] * 20 + [0] * 10
    card = fit_scorecard(
        training_set([Variable("x", "category", "X", "X", categories=codes)], {"x": column}, y)
    )
    woe = card.bins[0].woe
    assert woe[2] == woe[3]
    assert woe[0] < woe[1]


def test_a_variable_that_is_always_missing_says_nothing(noisy):
    y = noisy[1]
    card = fit_scorecard(simple([None] * len(y), y))
    assert card.bins[0].evidence(np.array([np.nan, 3.0])).tolist() == pytest.approx([0.0, 0.0])


def test_logistic_agrees_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(2)
    x = draw.normal(size=(800, 3))
    y = (draw.random(800) < 1 / (1 + np.exp(1 - x @ [0.5, 1.0, 0.2]))).astype(np.int8)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=1_000).fit(x, y)
    ours = fit_non_negative(x, y)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-6)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_negative_weights_are_dropped_and_the_rest_fitted_again():
    draw = np.random.default_rng(2)
    x = draw.normal(size=(800, 3))
    y = (draw.random(800) < 1 / (1 + np.exp(1 - x @ [0.8, -1.0, 0.4]))).astype(np.int8)
    found = fit_non_negative(x, y)
    alone = fit_non_negative(x[:, [0, 2]], y)
    assert found.weights.tolist() == [alone.weights[0], 0.0, alone.weights[1]]
