"""Limits of the API: announced, counted per key, person and address, and answered by 429."""

import json

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from apps.users.models import PartnerKey, RequestCount
from apps.users.services import limits
from apps.users.services.limits import Rate, purge_counts, rate_of
from config.settings import base
from tests.predict import BODY

pytestmark = pytest.mark.django_db


@pytest.fixture
def defaults(settings, monkeypatch):
    """Set the limits of an installation, and stop the clock in the middle of its windows."""
    settings.API_RATES = base.API_RATES
    moment = timezone.localtime().replace(hour=12, minute=0, second=30, microsecond=500_000)
    monkeypatch.setattr(limits, "now", lambda: moment)


def predict(client):
    return client.post("/api/v1/predict", json.dumps(BODY), content_type="application/json")


def log_in(email, password="wrong", **extra):  # noqa: S107  no password of anybody
    body = json.dumps({"email": email, "password": password})
    return Client().post("/api/v1/login", body, content_type="application/json", **extra)


def test_the_defaults_answer_429(api, world, defaults):
    client = api(world.analyst)

    answers = [predict(client) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    refused = answers[-1]
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "throttled"
    assert refused["Retry-After"] == "1"
    assert (answers[0]["RateLimit-Policy"], answers[0]["RateLimit"]) == (
        '"predict";q=20;w=1',
        '"predict";r=19;t=1',
    )
    assert refused["RateLimit"] == '"predict";r=0;t=1'


def test_a_limit_is_of_one_caller_and_of_one_kind_of_route(api, world, defaults):
    client = api(world.analyst)
    for _ in range(20):
        predict(client)

    assert predict(client).status_code == 429
    assert client.get("/api/v1/features-names").status_code == 200
    assert predict(api(world.risk_manager)).status_code == 201
    assert predict(Client(headers={"Authorization": f"Api-Key {settings.DEMO_API_KEY}"})).status_code == 201


def test_the_next_window_begins_anew(api, world, defaults, monkeypatch):
    client = api(world.analyst)
    for _ in range(21):
        predict(client)
    moment = limits.now()
    monkeypatch.setattr(limits, "now", lambda: moment.replace(second=31))

    answer = predict(client)

    assert (answer.status_code, answer["RateLimit"]) == (201, '"predict";r=19;t=1')


def test_callers_whom_nobody_knows_are_counted_by_address(defaults):
    answers = [predict(Client()) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert predict(Client(REMOTE_ADDR="203.0.113.7")).status_code == 401


def test_a_wrong_key_does_not_use_up_the_limit_of_a_right_one(world, defaults):
    prefix = settings.DEMO_API_KEY.partition(".")[0]
    for _ in range(21):
        predict(Client(headers={"Authorization": f"Api-Key {prefix}.wrong"}))

    assert predict(Client(headers={"Authorization": f"Api-Key {settings.DEMO_API_KEY}"})).status_code == 201


def test_an_account_is_tried_five_times_a_minute_from_anywhere(world, defaults):
    addresses = [f"203.0.113.{number}" for number in range(6)]

    answers = [log_in(world.analyst, settings.DEMO_PASSWORD, REMOTE_ADDR=each) for each in addresses]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1]["Retry-After"]
    assert log_in(world.outsider, settings.DEMO_PASSWORD).status_code == 200


def test_an_address_tries_a_hundred_times_a_minute(world, defaults, monkeypatch):
    answers = [log_in(f"x{number}@y.zz") for number in range(101)]

    assert [answer.status_code for answer in answers] == [401] * 100 + [429]
    assert answers[-1].json()["code"] == "throttled"  # not the lock-out, which has its own hundred
    assert answers[-1]["Retry-After"] == "30"
    assert log_in("x@y.zz", REMOTE_ADDR="203.0.113.9").status_code == 401
    moment = limits.now()
    monkeypatch.setattr(limits, "now", lambda: moment.replace(minute=1, second=0))
    assert log_in("x@y.zz").json()["code"] != "throttled"


def test_the_quota_of_a_key_is_of_a_day(world, defaults, monkeypatch):
    PartnerKey.objects.update(daily_quota=2)
    client = Client(headers={"Authorization": f"Api-Key {settings.DEMO_API_KEY}"})

    answers = [client.get("/api/v1/features-names") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "quota_exceeded"
    assert answers[-1]["Retry-After"] == str(12 * 3600 - 30)
    assert '"quota";q=2;w=86400' in answers[0]["RateLimit-Policy"]
    assert '"quota";r=1;t=' in answers[0]["RateLimit"]
    tomorrow = limits.now() + limits.dt.timedelta(days=1)
    monkeypatch.setattr(limits, "now", lambda: tomorrow)
    assert client.get("/api/v1/features-names").status_code == 200


def test_counting_takes_one_statement_outside_the_scope(world, django_assert_num_queries):
    with django_assert_num_queries(1):
        limits.count([("predict", "key:1", Rate(20, 1)), ("quota", "key:1", Rate(9, 86_400))])


def test_a_limit_that_is_off_counts_nothing(api, world, settings):
    settings.API_RATES = dict.fromkeys(base.API_RATES, "off")

    assert "RateLimit" not in predict(api(world.analyst))
    assert not RequestCount.objects.exists()


def test_silent_callers_are_forgotten(world):
    limits.count([("predict", "user:1", Rate(20, 1))])
    assert purge_counts() == 0
    RequestCount.objects.update(touched_at=timezone.now() - limits.dt.timedelta(days=3))
    assert purge_counts() == 1


def test_pages_have_no_limit(page, world, defaults):
    assert "RateLimit" not in page(world.analyst).get("/scores")


@pytest.mark.parametrize("text", ["20", "0/s", "x/min", "20/day", "-1/s", ""])
def test_a_limit_that_cannot_be_read_stops(text):
    with pytest.raises(ImproperlyConfigured):
        rate_of(text)
