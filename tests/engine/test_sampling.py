"""Sampling changes training parts only, and what it does to calibration is said."""

import numpy as np
import pytest

from apps.engine.training.dataset import TrainingSet
from apps.engine.training.runs import RunData, RunSettings, run
from apps.engine.training.sampling import repeated, resampler

RATE = 0.5


@pytest.fixture(scope="module")
def part(portfolio):
    return portfolio.take(np.arange(800))


@pytest.mark.parametrize("method", ["over", "under", "smote"])
def test_both_outcomes_come_out_as_many(part, method):
    sampled = resampler(method, 1)(part)
    assert sampled.y.mean() == RATE
    assert sampled.variables == part.variables
    good = int((part.y == 0).sum())
    assert sampled.rows == (2 * int(part.y.sum()) if method == "under" else 2 * good)


@pytest.mark.parametrize("method", ["over", "under"])
def test_rows_are_repeated_or_left_out_but_never_changed(part, method):
    sampled = resampler(method, 1)(part)
    known = {row.tobytes() for row in np.nan_to_num(part.x, nan=-1.0)}
    assert {row.tobytes() for row in np.nan_to_num(sampled.x, nan=-1.0)} <= known


def test_made_up_rows_lie_between_known_ones(part):
    sampled = resampler("smote", 1)(part)
    assert not np.isnan(sampled.x).any()
    for place, variable in enumerate(part.variables):
        low, high = np.nanmin(part.x[:, place]), np.nanmax(part.x[:, place])
        assert low <= sampled.x[:, place].min() <= sampled.x[:, place].max() <= high
        if variable.type == "category":
            assert set(sampled.x[:, place]) <= set(np.unique(part.x[:, place]))


def test_the_same_seed_samples_the_same_rows(part):
    one, two = (resampler("smote", 3)(part) for _ in range(2))
    assert (one.x == two.x).all()


def test_with_one_default_nothing_can_be_made_up(part):
    rows = np.append(np.flatnonzero(part.y == 0)[:30], np.flatnonzero(part.y == 1)[:1])
    sampled = resampler("smote", 1)(part.take(rows))
    assert sampled.y.mean() == RATE


@pytest.mark.parametrize("method", ["none", "weights"])
def test_nothing_is_sampled_otherwise(method):
    assert resampler(method, 1) is None


def test_weights_are_repetitions_where_a_library_knows_none():
    x = np.arange(10.0)[:, None]
    data = TrainingSet((), x, np.array([1, 1] + [0] * 8, dtype=np.int8))
    found = repeated(data)
    assert found.rows == 16
    assert found.y.mean() == RATE
    assert repeated(found).rows == 16


@pytest.mark.parametrize("method", ["smote", "over", "under", "weights"])
def test_every_way_ruins_the_calibration_of_a_logistic_regression_and_the_run_says_so(portfolio, method):
    settings = RunSettings(candidates=("logistic", "scorecard"), folds=2, sampling=method, threads=1)
    found = run(RunData(portfolio), settings)
    effect = found.of("logistic")["sampling_effect"]
    assert effect["method"] == method
    assert effect["without"]["observed_over_predicted"] == pytest.approx(1, abs=0.05)
    assert effect["with"]["observed_over_predicted"] < 0.8
    assert effect["with"]["ece"] > 3 * effect["without"]["ece"]
    assert found.of("logistic")["gates"]["calibration"]["verdict"] == "failed"
    assert found.of("scorecard")["sampling_effect"]["with"]["observed_over_predicted"] < 0.8


def test_the_default_pipeline_calibrates_on_rows_that_were_not_sampled(portfolio):
    data = portfolio.take(np.arange(800))
    found = run(RunData(data), RunSettings(candidates=("default",), folds=2, sampling="over", threads=2))
    effect = found.of("default")["sampling_effect"]
    assert effect["with"]["observed_over_predicted"] == pytest.approx(1, abs=0.1)


def test_without_sampling_there_is_no_effect_to_tell(portfolio):
    found = run(RunData(portfolio), RunSettings(candidates=("dummy",), folds=2, threads=1))
    assert found.of("dummy")["sampling_effect"] is None
