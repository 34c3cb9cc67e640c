"""The calibration alert on the generator: it sees the shock, and does not cry wolf without it.

SOAK_DRIFT_SEEDS says on how many years of the generator (20).
"""

import os

import pytest

from apps.demo.synthetic.outcome import AS_THEY_WERE, STILL
from tests.monitoring.drift import SHOCK_END, alarming_months

SEEDS = range(1, 1 + int(os.environ.get("SOAK_DRIFT_SEEDS", "20")))
#: Of so many years the shock is seen in as many at least, and wolf cried in as many at most.
SEEN, CRIED = 14 / 20, 5 / 20


def raised_in_time(seed):
    return any(month <= SHOCK_END for month in alarming_months(seed, AS_THEY_WERE))


def test_one_shock_is_seen_and_a_still_year_is_silent():
    assert raised_in_time(1)
    assert alarming_months(1, STILL) == []


@pytest.mark.soak
def test_the_shock_is_seen_in_most_years_and_wolf_seldom_cried(record_property):
    seen = sum(map(raised_in_time, SEEDS))
    cried = sum(bool(alarming_months(seed, STILL)) for seed in SEEDS)

    record_property(f"raised within the shock, of {len(SEEDS)}", seen)
    record_property(f"raised in still years, of {len(SEEDS)}", cried)
    assert seen >= SEEN * len(SEEDS)
    assert cried <= CRIED * len(SEEDS)
