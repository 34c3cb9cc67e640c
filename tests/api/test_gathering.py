"""What waits at the same moment for the same caller is answered together, each with its own answer."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from django.utils import timezone

from apps.api.direct import Asked, _answers, _caller
from apps.api.gathering import Gathering
from apps.audit.models import AuditEntry
from apps.scoring.models import Prediction
from apps.users.middleware import name_of
from apps.users.models import LoginSession
from config.settings import base
from tests.predict import BODY

PATIENCE_S = 30
OWN = ("id", "date", "duree_ms")


class Station:
    """Answers twice what was asked, once it may; notes who was answered together."""

    def __init__(self, most=16, *, early=False):
        self.groups, self.begun, self.may = [], threading.Semaphore(0), threading.Semaphore(0)
        self.early = early
        self.gathering = Gathering(self.answer, most)

    def answer(self, key, asked, hand_over):
        self.groups.append((key, list(asked)))
        if self.early:
            hand_over()
        self.begun.release()
        assert self.may.acquire(timeout=PATIENCE_S)
        return [2 * each for each in asked]

    def wait_for(self, key, count):
        """Wait until so many stand behind the one who is at work."""
        for _ in range(PATIENCE_S * 1000):
            if len(self.gathering._queues.get(key, ())) == count:
                return
            threading.Event().wait(0.001)
        raise AssertionError("they never came")


@pytest.fixture
def pool():
    with ThreadPoolExecutor(40) as threads:
        yield threads


def test_those_who_came_meanwhile_are_answered_together(pool):
    station = Station()
    first = pool.submit(station.gathering, "a", 1)
    assert station.begun.acquire(timeout=PATIENCE_S)
    others = []
    for number in range(2, 6):
        others.append(pool.submit(station.gathering, "a", number))
        station.wait_for("a", number - 1)
    station.may.release(2)

    assert first.result(PATIENCE_S) == 2
    assert [each.result(PATIENCE_S) for each in others] == [4, 6, 8, 10]
    assert station.groups == [("a", [1]), ("a", [2, 3, 4, 5])]
    assert station.gathering._queues == {}


def test_other_keys_neither_wait_nor_mix(pool):
    station = Station()
    callers = [pool.submit(station.gathering, key, number) for number, key in enumerate("abc")]
    for _ in callers:
        assert station.begun.acquire(timeout=PATIENCE_S)  # all three are at work at once
    station.may.release(3)

    assert [each.result(PATIENCE_S) for each in callers] == [0, 2, 4]
    assert sorted(station.groups) == [("a", [0]), ("b", [1]), ("c", [2])]


def test_no_more_than_so_many_at_once(pool):
    station = Station(most=3)
    callers = [pool.submit(station.gathering, "a", 0)]
    assert station.begun.acquire(timeout=PATIENCE_S)
    for number in range(1, 8):
        callers.append(pool.submit(station.gathering, "a", number))
        station.wait_for("a", number)
    station.may.release(10)

    assert [each.result(PATIENCE_S) for each in callers] == [2 * number for number in range(8)]
    assert [asked for _key, asked in station.groups] == [[0], [1, 2, 3], [4, 5, 6], [7]]


def test_the_next_begin_once_the_work_is_handed_over(pool):
    station = Station(early=True)
    callers = [pool.submit(station.gathering, "a", number) for number in range(2)]
    assert station.begun.acquire(timeout=PATIENCE_S)
    assert station.begun.acquire(timeout=PATIENCE_S)  # the second did not wait for the first to end
    station.may.release(2)

    assert [each.result(PATIENCE_S) for each in callers] == [0, 2]


def test_what_fails_is_raised_once_and_leaves_the_others_without_an_answer(pool):
    begun, may = threading.Semaphore(0), threading.Event()

    def fail(_key, asked, _hand_over):
        begun.release()
        may.wait(PATIENCE_S)
        if len(asked) > 1:
            raise ValueError("broken")
        return asked

    gathering = Gathering(fail)
    first = pool.submit(gathering, "a", 1)
    assert begun.acquire(timeout=PATIENCE_S)
    others = [pool.submit(gathering, "a", number) for number in (2, 3, 4)]
    while len(gathering._queues["a"]) < 3:
        threading.Event().wait(0.001)
    may.set()

    assert first.result(PATIENCE_S) == 1
    ends = [each.exception(PATIENCE_S) or each.result() for each in others]
    assert sorted(map(str, ends)) == ["None", "None", "broken"]
    assert gathering._queues == {}


def test_a_hundred_threads_get_each_its_own(pool):
    gathering = Gathering(lambda _key, asked, _hand_over: [each + 1 for each in asked])
    asked = [(key, number) for number in range(2_000) for key in "ab"]

    assert list(pool.map(lambda given: gathering(*given), asked)) == [number + 1 for _key, number in asked]
    assert gathering._queues == {}


# --- scores ---------------------------------------------------------------------------------------------


def asked_by(client, bodies):
    """Return the requests as the direct way holds them, and who sends them."""
    asked, callers = [], set()
    for body in bodies:
        request = RequestFactory(headers=client.headers_given).post(
            "/api/v1/predict", json.dumps(body), content_type="application/json"
        )
        request.request_id = name_of(request)
        callers.add(_caller(request))
        asked.append(Asked(request, body, "fr"))
    (caller,) = callers
    return asked, (caller, "127.0.0.1")


@pytest.fixture
def analyst(api, world):
    client = api(world.analyst)
    client.headers_given = {"Authorization": client.defaults["HTTP_AUTHORIZATION"]}
    return client


@pytest.mark.django_db
def test_scores_given_together_are_those_given_alone(world, analyst):
    bodies = [{**BODY, "age": 25 + number, "montant_credit": 100_000 * (1 + number)} for number in range(6)]
    asked, who = asked_by(analyst, [*bodies[:3], {**BODY, "age": 12}, *bodies[3:]])

    contents = _answers(who, asked, lambda: None)

    assert contents[3] is None  # left to the complete way, which says why
    given = [json.loads(content) for content in contents if content is not None]
    for body, one in zip(bodies, given, strict=True):
        alone = analyst.post("/api/v1/predict", body, content_type="application/json").json()
        assert {**one, **dict.fromkeys(OWN)} == {**alone, **dict.fromkeys(OWN)}
    names = [each.request.request_id for each in asked]
    with world.scope():
        entries = AuditEntry.objects.filter(action="prediction.create", request_id__in=names)
        told = {str(entry.object_uid): entry.request_id for entry in entries}
        assert told == {one["id"]: name for one, name in zip(given, names[:3] + names[4:], strict=True)}
        assert Prediction.objects.filter(uid__in=told).count() == 6


@pytest.mark.django_db
def test_each_is_counted_and_those_beyond_the_limit_are_left_out(analyst, settings):
    settings.API_RATES = base.API_RATES | {"predict": "3/h"}
    asked, who = asked_by(analyst, [BODY] * 5)

    contents = _answers(who, asked, lambda: None)

    assert [content is not None for content in contents] == [True, True, True, False, False]
    limits = [each.request.limits[0] for each in asked]
    assert [(limit.used, limit.refused) for limit in limits] == [
        (1, False), (2, False), (3, False), (4, True), (5, True),
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_session_that_is_over_gets_nothing_for_any(world, analyst):
    asked, who = asked_by(analyst, [BODY] * 3)
    LoginSession.objects.filter(kind="api").update(revoked_at=timezone.now())
    with world.scope():
        before = Prediction.objects.count()

    assert _answers(who, asked, lambda: None) == [None] * 3
    with world.scope():
        assert Prediction.objects.count() == before


@pytest.mark.django_db
def test_all_are_kept_or_none(world, analyst, monkeypatch):
    asked, who = asked_by(analyst, [BODY] * 3)
    twice = uuid.uuid4()
    monkeypatch.setattr("apps.scoring.services.direct.new_uid", lambda: twice)
    with world.scope():
        before = Prediction.objects.count()

    with pytest.raises(IntegrityError), transaction.atomic():
        _answers(who, asked, lambda: None)

    with world.scope():
        assert Prediction.objects.count() == before


@pytest.mark.django_db
def test_people_institutions_and_addresses_are_never_gathered(api, world, monkeypatch):
    keys = []
    monkeypatch.setattr(Gathering, "__call__", lambda _self, key, _asked: keys.append(key))
    for email in (world.analyst, world.agent, world.outsider):
        for address in ("203.0.113.5", "203.0.113.6"):
            api(email).post("/api/v1/predict", BODY, content_type="application/json", REMOTE_ADDR=address)

    assert len(set(keys)) == len(keys) == 6
