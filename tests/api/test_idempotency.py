"""Idempotency-Key: the same request once, whatever the network does to its answer."""

import datetime as dt
import json

import psycopg
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.scoring.models import Prediction
from apps.users.models import IdempotentReply, Membership
from apps.users.services.idempotency import purge_replies
from tests.predict import BODY

pytestmark = pytest.mark.django_db


def post(client, body, key, path="/api/v1/predict"):
    return client.post(
        path, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key}
    )


def how_many(world):
    with world.scope():
        return Prediction.objects.count()


def test_the_same_request_again_gives_the_stored_answer(api, world):
    client, before = api(world.analyst), how_many(world)

    first, again = post(client, BODY, "k1"), post(client, BODY, "k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert how_many(world) == before + 1


def test_another_key_or_none_scores_again(api, world):
    client, before = api(world.analyst), how_many(world)

    for key in ("k1", "k2"):
        post(client, BODY, key)
    client.post("/api/v1/predict", json.dumps(BODY), content_type="application/json")

    assert how_many(world) == before + 3


def test_another_body_or_route_under_the_same_key_is_a_conflict(api, world):
    client = api(world.analyst)
    uid = post(client, BODY, "k1").json()["id"]

    other_body = post(client, BODY | {"age": 39}, "k1")
    other_route = post(client, BODY, "k1", path=f"/api/v1/predictions/{uid}/replay")

    for answer in (other_body, other_route):
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
        assert answer["Content-Type"] == "application/problem+json"


def test_a_request_that_still_runs_is_told(api, world):
    by = world.actor(world.analyst)
    place = settings.DATABASES["default"]
    name = f"{by.institution}:idempotency:user:{by.id}:k1"
    with psycopg.connect(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=place["NAME"],
    ) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        running = post(api(world.analyst), BODY, "k1")
    done = post(api(world.analyst), BODY, "k1")

    assert (running.status_code, running.json()["code"]) == (409, "in_progress")
    assert done.status_code == 201


def test_a_refusal_is_stored_too_and_leaves_nothing_else(api, world):
    client, before = api(world.analyst), how_many(world)

    first, again = post(client, BODY | {"age": 17}, "k1"), post(client, BODY | {"age": 17}, "k1")

    assert (first.status_code, again.status_code) == (422, 422)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["fields"] == first.json()["fields"]
    assert how_many(world) == before


@pytest.mark.parametrize("failure", [ZeroDivisionError, None])
def test_a_failure_of_the_server_is_not_stored(api, world, monkeypatch, failure):
    client = api(world.analyst)
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        if failure:
            patch.setattr("apps.api.v1.scoring.views.PredictView._score", lambda *_: 1 / 0)
            status = 500
        else:
            patch.setattr("apps.scoring.services.scores.champion_for", _no_model)
            status = 503
        assert post(client, BODY, "k1").status_code == status

    assert post(client, BODY, "k1").status_code == 201


def _no_model(_code):
    from apps.registry.errors import NoApprovedModel

    raise NoApprovedModel("none")


def test_keys_of_two_callers_do_not_meet(api, world):
    answers = [
        post(api(world.analyst), BODY, "k1"),
        post(api(world.risk_manager), BODY | {"age": 40}, "k1"),
        post(api(world.outsider), BODY | {"age": 41}, "k1"),
        post(Client(headers={"Authorization": f"Api-Key {settings.DEMO_API_KEY}"}), BODY, "k1"),
    ]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 4


def test_whoever_lost_rights_is_not_given_the_old_answer(api, world):
    first = post(api(world.analyst), BODY, "k1")
    Membership.objects.filter(user__email=world.analyst).update(role="auditeur")

    again = post(api(world.analyst), BODY, "k1")

    assert again.status_code == 409
    assert first.json()["id"] not in again.content.decode()


def test_a_key_serves_again_after_a_day(api, world):
    client = api(world.analyst)
    post(client, BODY, "k1")
    with world.scope():
        old = timezone.now() - dt.timedelta(hours=24, seconds=1)
        IdempotentReply.objects.update(created_at=old)

    assert post(client, BODY | {"age": 39}, "k1").status_code == 201
    with world.scope():
        assert purge_replies() == 0
        IdempotentReply.objects.update(created_at=old)
        assert purge_replies() == 1


def test_the_answer_is_not_readable_in_the_database(api, world):
    answer = post(api(world.analyst), BODY, "k1")

    with world.scope():
        stored = IdempotentReply.objects.extra(select={"raw": "reply"}).get()

    assert "probabilite_defaut" in stored.reply
    assert "probabilite" not in stored.raw
    assert answer.json()["id"] not in stored.raw


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_cannot_be_is_refused(api, world, key):
    answer = post(api(world.analyst), BODY, key)

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["Idempotency-Key"]


def test_log_in_takes_no_key(api, world):
    body = {"email": world.analyst, "password": settings.DEMO_PASSWORD}

    first, again = (post(api(None), body, "k1", path="/api/v1/login") for _ in range(2))

    assert first.status_code == again.status_code == 200
    assert first.json() != again.json()
