"""A foreign object is not told from no object by the time of the answer (attack 33).

Pairs are asked alternately, which is first drawn at random, and compared by rank (Mann-Whitney). Chance
alone fails once in a thousand, a burst of load more often. Hence up to three series: a real difference
fails them all.
"""

import json
import random
import time

import pytest
from scipy.stats import mannwhitneyu

from tests.isolation.doors import unknown
from tests.isolation.loot import foreign_uids

pytestmark = pytest.mark.django_db
P_VALUE = 0.001
SERIES = 3


def seconds(ask, value):
    started = time.perf_counter()
    ask(value)
    return time.perf_counter() - started


def p_value(ask, foreign, invented, pairs):
    """Return the probability that so different ranks come from equal times."""
    taken = {True: [], False: []}
    draw = random.Random(pairs)  # noqa: S311  an order, not a secret
    for _ in range(pairs):
        for known in draw.sample([True, False], 2):
            taken[known].append(seconds(ask, foreign if known else invented()))
    return mannwhitneyu(taken[True], taken[False]).pvalue


def assert_not_told(ask, foreign, invented, pairs):
    for _ in range(20):
        ask(invented())  # warm
    found = []
    for _ in range(SERIES):
        found.append(p_value(ask, foreign, invented, pairs))
        if found[-1] > P_VALUE:
            return
    pytest.fail(f"the time tells foreign from unknown: p = {found}")


@pytest.fixture
def reading(api, world):
    client = api(world.outsider)
    return lambda uid: client.get(f"/api/v1/predictions/{uid}")


@pytest.fixture
def searching(api, world):
    client = api(world.outsider)

    def ask(reference):
        body = json.dumps({"client_reference": reference})
        client.post("/api/v1/predict", body, content_type="application/json")

    return ask


def test_reading_tells_nothing_by_time(reading, world):
    assert_not_told(reading, foreign_uids()["scoring.prediction"], unknown, 150)


def test_searching_tells_nothing_by_time(searching, world):
    from apps.credits.models import Client

    with world.scope("horizon"):
        reference = Client.objects.first().reference
    made = iter(range(10**6))
    assert_not_told(searching, reference, lambda: f"{reference[:-6]}{next(made):06d}", 150)


def test_the_measure_would_see_a_difference(world):
    """The same test over an answer that takes 0.3 ms more for a known value."""

    def slower(value):
        time.sleep(0.0013 if value == "known" else 0.001)

    with pytest.raises(pytest.fail.Exception):
        assert_not_told(slower, "known", unknown, 150)


@pytest.mark.soak
def test_reading_tells_nothing_over_a_thousand_pairs(reading, world):
    assert_not_told(reading, foreign_uids()["scoring.prediction"], unknown, 1_000)
