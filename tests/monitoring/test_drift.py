"""The calibration alert on the generator: it sees the shock, and does not cry wolf without it."""

import pytest

from apps.demo.synthetic.outcome import AS_THEY_WERE, STILL
from tests.monitoring.drift import SHOCK_END, alarming_months

SEEDS = range(1, 21)


def raised_in_time(seed):
    return any(month <= SHOCK_END for month in alarming_months(seed, AS_THEY_WERE))


def test_one_shock_is_seen_and_a_still_year_is_silent():
    assert raised_in_time(1)
    assert alarming_months(1, STILL) == []


@pytest.mark.soak
def test_the_shock_is_seen_in_most_of_twenty_years_and_wolf_seldom_cried():
    seen = sum(map(raised_in_time, SEEDS))
    cried = sum(bool(alarming_months(seed, STILL)) for seed in SEEDS)

    print(f"raised within the shock: {seen}/20; raised in still years: {cried}/20")  # noqa: T201  the issue asks for the counts
    assert seen >= 14
    assert cried <= 5
