"""Searches look inside the training part only, repeat themselves and keep to their time."""

import numpy as np
import pytest

from apps.engine.training.candidates import KINDS
from apps.engine.training.estimators import Fitting
from apps.engine.training.runs import RunData, RunSettings, run
from apps.engine.training.searching import _grid, _random, best_parameters

HOW = Fitting(1)


@pytest.fixture(scope="module")
def part(portfolio):
    return portfolio.take(np.arange(700))


@pytest.mark.parametrize(("method", "trials"), [("grid", 7), ("random", 7), ("optuna", 25)])
def test_a_search_tries_the_usual_parameters_and_others_of_the_space(part, method, trials):
    found = best_parameters(KINDS["logistic"], part, method, 60, HOW)
    assert found.trials == trials
    assert not found.cut_short
    assert found.params["C"] in {*KINDS["logistic"].space["C"], 1.0}


@pytest.mark.parametrize("method", ["grid", "random", "optuna"])
def test_the_same_seed_finds_the_same(part, method):
    one, two = (best_parameters(KINDS["logistic"], part, method, 60, HOW) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("kind", ["xgboost", "gradient_boosting"])
def test_a_range_is_tried_at_three_points_or_anywhere_in_it(kind):
    span = KINDS[kind].space["learning_rate"]
    grid = {tried["learning_rate"] for tried in _grid(KINDS[kind], 1, None)}
    assert len(grid) == 3
    assert (min(grid), max(grid)) == pytest.approx((span.low, span.high))
    drawn = [tried["learning_rate"] for tried in _random(KINDS[kind], 1, None)]
    assert len(set(drawn)) == len(drawn) == 24
    assert all(span.low <= rate <= span.high for rate in drawn)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_grid_is_gone_through_whole_within_its_trials(kind):
    assert not kind.space or len(list(_grid(kind, 1, None))) <= 24


def test_time_ends_a_search_and_is_told(part):
    found = best_parameters(KINDS["xgboost"], part, "random", 0.0, HOW)
    assert (found.params, found.trials, found.cut_short) == ({"n_estimators": 100}, 1, True)


@pytest.mark.parametrize("kind", ["dummy", "scorecard"])
def test_what_has_nothing_to_choose_is_not_searched(part, kind):
    assert best_parameters(KINDS[kind], part, "grid", 60, HOW).trials == 0


def test_too_few_defaults_to_search_keep_the_usual(portfolio):
    rows = np.append(np.flatnonzero(portfolio.y == 0)[:200], np.flatnonzero(portfolio.y == 1)[:8])
    found = best_parameters(KINDS["logistic"], portfolio.take(rows), "grid", 60, HOW)
    assert (found.trials, found.params) == (0, {"C": 1.0})


def test_a_run_searches_in_each_fold_and_says_how_much(portfolio):
    settings = RunSettings(candidates=("logistic",), folds=2, search="grid", threads=1)
    entry = run(RunData(portfolio.take(np.arange(700))), settings).of("logistic")
    assert entry["search"] == {"method": "grid", "trials": 14, "cut_short": False}
    assert entry["params"]["C"] in KINDS["logistic"].space["C"]
