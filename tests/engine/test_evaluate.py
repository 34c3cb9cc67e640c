"""Quality figures against their definitions."""

import numpy as np
import pytest

from apps.engine.discrimination import auc_standard_error
from apps.engine.training.evaluate import (
    Nested,
    auc,
    ece,
    figures,
    ks,
    log_loss,
    nested_scores,
    recall_at,
)
from apps.engine.training.pipeline import Settings


@pytest.fixture(scope="module")
def scored():
    draw = np.random.default_rng(4)
    pd = draw.beta(2, 8, 3_000).round(2)
    return pd, (draw.random(3_000) < pd).astype(np.int8)


def test_auc_agrees_with_scikit_learn_ties_included(scored):
    from sklearn.metrics import roc_auc_score

    assert auc(*scored) == pytest.approx(roc_auc_score(scored[1], scored[0]), abs=1e-12)


def test_ks_agrees_with_scipy(scored):
    from scipy.stats import ks_2samp

    pd, y = scored
    assert ks(pd, y) == pytest.approx(ks_2samp(pd[y == 1], pd[y == 0]).statistic, abs=1e-12)


def test_the_standard_error_agrees_with_resampling(scored):
    pd, y = scored
    draw = np.random.default_rng(5)
    samples = [draw.integers(0, len(y), len(y)) for _ in range(400)]
    assert auc_standard_error(pd, y) == pytest.approx(np.std([auc(pd[s], y[s]) for s in samples]), rel=0.15)


def test_log_loss_agrees_with_scikit_learn(scored):
    import sklearn.metrics

    pd = np.clip(scored[0], 0.01, 0.99)
    assert log_loss(pd, scored[1]) == pytest.approx(sklearn.metrics.log_loss(scored[1], pd), abs=1e-12)


@pytest.mark.parametrize(("pd", "y"), [(0.0, 0), (1.0, 1)])
def test_log_loss_at_certainty(pd, y):
    assert log_loss(np.array([pd]), np.array([y], dtype=np.int8)) == pytest.approx(0, abs=1e-12)


def test_ece_is_the_mean_gap_of_equal_groups():
    pd = np.array([0.1] * 50 + [0.6] * 50)
    y = np.array([0] * 40 + [1] * 10 + [1] * 30 + [0] * 20, dtype=np.int8)
    assert ece(pd, y, bins=2) == pytest.approx((0.1 + 0.0) / 2)


def test_recall_on_both_sides_of_a_threshold():
    pd = np.array([0.1, 0.2, 0.3, 0.4])
    y = np.array([0, 1, 0, 1], dtype=np.int8)
    assert recall_at(pd, y, 0.3) == (0.5, 0.5)
    assert recall_at(pd, y, 0.2) == (1.0, 0.5)


def test_figures_average_the_outer_folds():
    pd = np.array([0.1, 0.9, 0.2, 0.8, 0.9, 0.1, 0.4, 0.6])
    y = np.array([0, 1, 0, 1, 0, 1, 0, 1], dtype=np.int8)
    fold = np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=np.int8)
    found = figures(Nested(pd, y, fold))
    assert found.auc == pytest.approx((1.0 + 0.25) / 2)
    assert found.gini == pytest.approx(2 * found.auc - 1)
    assert found.auc_low < found.auc < found.auc_high <= 1
    assert (found.rows, found.defaults, found.observed_rate) == (8, 4, 0.5)


def test_permuted_outcomes_give_nothing(portfolio):
    """A pipeline that leaks would still find something in labels drawn at random."""
    shuffled = np.random.default_rng(6).permutation(portfolio.y)
    data = type(portfolio)(portfolio.variables, portfolio.x, shuffled)
    nested = nested_scores(data, 3, 42, Settings(max_trees=40, patience=10, threads=1))
    error = auc_standard_error(nested.pd, nested.y)
    assert abs(nested.auc() - 0.5) < 3 * error


def test_nested_scores_are_worth_something(portfolio):
    found = figures(nested_scores(portfolio, 3, 42, Settings(max_trees=60, patience=15, threads=1)))
    assert 0.68 < found.auc_low < found.auc < 0.90
    assert found.ece < 0.05
