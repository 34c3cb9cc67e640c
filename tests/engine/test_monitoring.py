"""Limits that do not cry wolf, against figures worked out by hand, by brute force or by SciPy."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from apps.engine import monitoring
from apps.engine.discrimination import discrimination
from apps.engine.model import Range
from apps.engine.monitoring import (
    ALARM,
    cohorts,
    compare,
    counts_of,
    edges_of,
    outside,
    poisson_binomial,
    rise,
    share_interval,
    shift,
    tails,
    treatment,
)


def counts(*numbers):
    return np.array(numbers, dtype=np.int64)


# --- populations ----------------------------------------------------------------------------------


def test_psi_by_hand():
    moved = shift(counts(500, 500), counts(600, 400))

    assert moved.psi == pytest.approx(0.1 * math.log(0.6 / 0.5) - 0.1 * math.log(0.4 / 0.5))
    assert (moved.limit, moved.bins, moved.passed) == (0.10, 2, False)


def test_the_limit_grows_when_rows_are_few():
    ten = counts(*[10] * 10)

    assert shift(ten, counts(*[5] * 10)).limit == pytest.approx((1 / 100 + 1 / 50) * stats.chi2.ppf(0.999, 9))
    assert shift(ten * 1_000, ten * 1_000).limit == 0.10


def test_a_bin_empty_on_one_side_counts_as_half_a_row_and_one_empty_on_both_not():
    moved = shift(counts(100, 0, 0), counts(90, 10, 0))

    p, q = (100 / 100.5, 0.5 / 100.5), (0.9, 0.1)
    assert moved.psi == pytest.approx(sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True)))
    assert moved.bins == 2


def test_nothing_is_compared_with_nothing():
    assert shift(counts(0, 0), counts(1, 2)) is None
    assert shift(counts(3, 0), counts(4, 0)).psi == 0


def test_chance_alone_almost_never_passes_the_limit():
    rng = np.random.default_rng(3)
    passed = 0
    for _ in range(400):
        before, now = rng.normal(size=(2, 150))
        edges = edges_of(before)
        passed += shift(counts_of(before, edges)[:-1], counts_of(now, edges)[:-1]).passed

    assert passed <= 4


def test_missing_values_have_their_own_bin():
    values = np.array([1.0, 2.0, 2.0, np.nan, 9.0])

    assert counts_of(values, np.array([1.0, 2.0])).tolist() == [1, 2, 1, 1]
    assert monitoring.category_counts(np.array([0.0, 2.0, np.nan]), 3).tolist() == [1, 0, 1, 1]
    assert edges_of(np.array([np.nan])).tolist() == []


def test_tenths_of_the_reference_hold_about_as_many_rows():
    values = np.arange(1000.0)

    *tenths, missing = counts_of(values, edges_of(values)).tolist()
    assert (len(tenths), missing) == (10, 0)
    assert max(tenths) - min(tenths) <= 2


def test_values_beyond_what_training_saw():
    values = np.array([1.0, 5.0, 9.0, np.nan])

    assert outside(values, Range(2.0, 8.0)).tolist() == [True, False, True, False]
    assert outside(values, Range(codes=(1.0, 9.0))).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("before", "now"), [((10, 400), (20, 300)), ((0, 50), (3, 40)), ((200, 210), (9, 10))]
)
def test_a_rise_is_fishers_test(before, now):
    table = [[now[0], now[1] - now[0]], [before[0], before[1] - before[0]]]

    assert rise(before, now) == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_no_rise_of_an_empty_side():
    assert rise((0, 0), (5, 10)) == rise((5, 10), (0, 0)) == 1.0


# --- defaults against predictions -----------------------------------------------------------------


def test_the_number_of_defaults_by_brute_force():
    pd = np.array([0.02, 0.5, 0.9, 0.13, 0.31, 0.07, 0.44])
    law = np.zeros(len(pd) + 1)
    for ends in itertools.product((0, 1), repeat=len(pd)):
        law[sum(ends)] += np.prod(np.where(ends, pd, 1 - pd))

    assert poisson_binomial(pd) == pytest.approx(law, rel=1e-12)
    assert tails(pd, 3) == pytest.approx((law[3:].sum(), law[:4].sum()))


@pytest.mark.parametrize("rows", [1, 64, 65, 1_000])
def test_equal_probabilities_give_the_binomial_law(rows):
    law = poisson_binomial(np.full(rows, 0.1))

    assert law == pytest.approx(stats.binom.pmf(np.arange(rows + 1), rows, 0.1), rel=1e-9, abs=1e-300)


def test_no_row_has_no_default():
    assert poisson_binomial(np.empty(0)).tolist() == [1.0]
    assert compare(np.empty(0), np.empty(0, dtype=np.int8)) is None


def test_many_rows_are_approximated_closely(monkeypatch):
    pd = np.random.default_rng(1).beta(1, 9, 12_000)
    exact = [tails(pd, defaults) for defaults in (1_150, 1_200, 1_290)]

    monkeypatch.setattr(monitoring, "EXACT_ROWS", 100)

    for (above, below), defaults in zip(exact, (1_150, 1_200, 1_290), strict=True):
        assert tails(pd, defaults) == pytest.approx((above, below), rel=0.01)


@pytest.mark.parametrize(
    ("counted", "rows", "low", "high"),
    [(0, 30, 0.0, 0.1157), (5, 100, 0.0164, 0.1128), (30, 30, 0.8843, 1.0)],
)
def test_the_exact_interval_of_a_share(counted, rows, low, high):
    assert share_interval(counted, rows) == pytest.approx((low, high), abs=5e-5)


def test_observed_over_predicted():
    y = np.array([1] * 20 + [0] * 80, dtype=np.int8)

    found = compare(np.full(100, 0.1), y)

    assert (found.ratio, found.observed_rate, found.predicted_rate) == pytest.approx((2.0, 0.2, 0.1))
    assert found.ratio_interval == pytest.approx(tuple(bound / 0.1 for bound in share_interval(20, 100)))
    assert found.above == pytest.approx(stats.binom.sf(19, 100, 0.1))


def test_cohorts_roll_and_alarm_when_defaults_exceed_chance():
    months = np.repeat(np.arange(24_300, 24_306), 200)
    pd = np.full(len(months), 0.1)
    y = np.zeros(len(months), dtype=np.int8)
    for month, defaults in zip(range(24_300, 24_306), (20, 20, 20, 20, 45, 40), strict=True):
        y[np.flatnonzero(months == month)[:defaults]] = 1

    found = cohorts(months, pd, y, window=3)

    assert [(each.first, each.last, each.compared.defaults, each.alarming) for each in found] == [
        (24_300, 24_302, 60, False),
        (24_301, 24_303, 60, False),
        (24_302, 24_304, 85, True),
        (24_303, 24_305, 105, True),
    ]
    assert cohorts(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.int8)) == []


def test_the_order_of_the_risk_needs_ten_of_each():
    y = np.array([1] * 10 + [0] * 10, dtype=np.int8)
    pd = np.linspace(0.9, 0.1, 20)

    assert discrimination(pd, y).auc == 1.0
    assert discrimination(pd[1:], y[1:]) is None


def test_the_order_has_fallen_only_beyond_chance():
    rng = np.random.default_rng(5)
    y = (rng.random(2_000) < 0.1).astype(np.int8)
    noise = rng.random(2_000)

    found = discrimination(noise, y)

    assert found.low < 0.5 < found.high
    assert found.has_fallen(0.78, ALARM)
    assert not found.has_fallen(found.auc + found.standard_error, ALARM)


# --- equal treatment ------------------------------------------------------------------------------


def groups(**shares):
    codes = np.repeat(list(shares), [rows for _favourable, rows in shares.values()])
    favourable = np.concatenate([np.arange(rows) < many for many, rows in shares.values()])
    return codes.astype(np.str_), favourable


def test_four_fifths_and_hidden_groups():
    found = treatment(*groups(F=(300, 400), M=(200, 400), X=(5, 20)))

    assert [(group.code, group.rows, group.favourable) for group in found.groups] == [
        ("F", 400, 300),
        ("M", 400, 200),
    ]
    assert [group.ratio for group in found.groups] == pytest.approx([1.0, 2 / 3])
    assert [group.unequal for group in found.groups] == [False, True]
    assert (found.hidden, found.gap) == (1, pytest.approx(0.25))


def test_a_small_group_under_four_fifths_by_chance_is_not_unequal():
    found = treatment(*groups(F=(300, 400), M=(17, 30)))

    assert found.groups[1].ratio < 0.8
    assert not found.unequal


def test_rows_without_a_group_belong_to_none():
    codes, favourable = groups(F=(30, 40), M=(30, 40))
    codes[:10] = ""

    assert [group.rows for group in treatment(codes, favourable).groups] == [40, 30]
    assert treatment(np.empty(0, dtype=np.str_), np.empty(0, dtype=bool)).groups == ()
