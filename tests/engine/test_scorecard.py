"""Points, grades and bands at every limit of the policy's table."""

import math
import random

import pytest

from apps.engine.contracts import PolicyFigures
from apps.engine.scorecard import (
    band,
    breakdown,
    grade,
    logit,
    points,
    points_of_contribution,
    sigmoid,
)

FIGURES = PolicyFigures()


def below(x):
    return math.nextafter(x, 0)


@pytest.mark.parametrize(
    ("pd", "expected"),
    [
        (1 / 11, 600),  # one default for ten good
        (1 / 21, 650),  # 50 points more double the odds
        (1 / 6, 550),
        (0.0843, 606),
        (0.5, 434),
        (0.001, 850),
        (0.0, 850),
        (1.0, 300),
        (0.999, 300),
        (1e-300, 850),
        (1 / 321, 850),  # 600 + 5 x 50: the upper limit itself
        (1 / (1 + 10 * 2**4.9), 845),
        (1 / (1 + 10 * 2**-6), 300),
        (1 / (1 + 10 * 2**-5.9), 305),
    ],
)
def test_points(pd, expected):
    assert points(pd, FIGURES) == expected


def test_points_never_rise_with_the_risk():
    found = [points(step / 1000, FIGURES) for step in range(1001)]
    assert found == sorted(found, reverse=True)


def test_the_scale_is_the_policy_s():
    figures = PolicyFigures(points_at_base_odds=500, base_odds=20, pdo=20, points_min=0, points_max=1_000)
    assert points(1 / 21, figures) == 500
    assert points(1 / 41, figures) == 520


@pytest.mark.parametrize(
    ("log_odds", "expected"), [(0.41, -30), (-0.41, 30), (0.0, 0), (math.log(2), -50), (-math.log(2), 50)]
)
def test_points_of_a_contribution(log_odds, expected):
    assert points_of_contribution(log_odds, FIGURES) == expected


@pytest.mark.parametrize(
    ("pd", "expected"),
    [
        (0.0, "A"),
        (below(0.02), "A"),
        (0.02, "B"),
        (below(0.05), "B"),
        (0.05, "C"),
        (below(0.10), "C"),
        (0.10, "D"),
        (below(0.20), "D"),
        (0.20, "E"),
        (1.0, "E"),
    ],
)
def test_grades(pd, expected):
    assert grade(pd, FIGURES) == expected


@pytest.mark.parametrize(
    ("pd", "expected"),
    [
        (0.0, "faible"),
        (below(0.075), "faible"),
        (0.075, "modere"),
        (below(0.15), "modere"),
        (0.15, "eleve"),
        (1.0, "eleve"),
    ],
)
def test_bands(pd, expected):
    assert band(pd, 0.15) == expected


@pytest.mark.parametrize("x", [-800.0, -30.0, -1.0, 0.0, 1.0, 30.0])
def test_sigmoid_and_logit_are_inverse(x):
    assert logit(sigmoid(x)) == (-math.inf if sigmoid(x) == 0 else pytest.approx(x, rel=1e-3))


@pytest.mark.parametrize(("x", "expected"), [(-10_000, 0.0), (10_000, 1.0), (0, 0.5)])
def test_sigmoid_never_overflows(x, expected):
    assert sigmoid(x) == expected


def test_logit_at_the_ends():
    assert (logit(0), logit(1)) == (-math.inf, math.inf)


def taken_apart(base, contributions, figures):
    total = points(sigmoid(base + sum(contributions)), figures)
    return total, breakdown(base, contributions, total, figures)


@pytest.mark.parametrize(
    "figures", [FIGURES, PolicyFigures(points_at_base_odds=500, base_odds=20, pdo=7.3, points_max=600)]
)
def test_a_score_taken_apart_adds_up_and_rounding_stays_small(figures):
    chance = random.Random(7)  # noqa: S311  not cryptography
    for _ in range(3_000):
        spread = chance.choice([0.01, 0.3, 3])
        contributions = [chance.gauss(0, spread) for _ in range(chance.randint(0, 30))]
        total, found = taken_apart(chance.gauss(-2, 2), contributions, figures)

        assert found.base + sum(found.parts) + found.rounding + found.clipping == found.total == total
        assert found.parts == tuple(points_of_contribution(each, figures) for each in contributions)
        assert abs(found.rounding) <= (len(contributions) + 3) / 2
        assert figures.points_min <= total <= figures.points_max
        assert found.clipping == 0 or total in {figures.points_min, figures.points_max}


@pytest.mark.parametrize(("base", "total", "clipping"), [(-9.0, 850, -233), (9.0, 300, 515), (-2.0, 578, 0)])
def test_what_the_limits_of_the_scale_take_is_told(base, total, clipping):
    _total, found = taken_apart(base, [], FIGURES)

    assert (found.total, found.clipping) == (total, clipping)
    assert found.reached == total - clipping
