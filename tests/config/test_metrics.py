"""`/metrics`: who may read it, what it tells, and what it never tells."""

import ipaddress
import re

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from config import metrics
from tests.predict import BODY

pytestmark = pytest.mark.django_db(databases=["default", "platform"])
TOKEN = "t" * 40


@pytest.fixture(autouse=True)
def token(settings):
    settings.METRICS_TOKEN = TOKEN
    settings.METRICS_ADDRESSES = []


def read(**headers):
    return Client(headers=headers).get("/metrics")


def families(answer):
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def test_the_token_opens_and_nothing_else_does(settings, page, world):
    assert read(Authorization=f"Bearer {TOKEN}").status_code == 200
    assert read().status_code == 403
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", "Bearer é", f"Basic {TOKEN}", TOKEN):
        assert read(Authorization=wrong).status_code == 403
    assert page(world.analyst).get("/metrics").status_code == 403
    settings.METRICS_TOKEN = ""
    assert read(Authorization="Bearer ").status_code == 403


def test_a_declared_address_opens_but_not_through_a_proxy(settings):
    settings.METRICS_ADDRESSES = [ipaddress.ip_network("10.9.0.0/16")]

    assert Client(REMOTE_ADDR="10.9.1.2").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="10.8.1.2").get("/metrics").status_code == 403
    forwarded = Client(REMOTE_ADDR="10.9.1.2", headers={"X-Forwarded-For": "10.9.1.3"})
    assert forwarded.get("/metrics").status_code == 403


def test_requests_and_scores_are_counted(api, world):
    before = metrics.SCORE_SECONDS._sum.get()
    api(world.analyst).post("/api/v1/predict", BODY, content_type="application/json")
    found = families(read(Authorization=f"Bearer {TOKEN}"))

    assert metrics.SCORE_SECONDS._sum.get() > before
    labels = [sample.labels for sample in found["credisense_requests"].samples]
    assert any(each.get("door") == "api" and each["status"] == "201" for each in labels)


def test_the_background_is_told(world):
    found = families(read(Authorization=f"Bearer {TOKEN}"))

    for name in (
        "credisense_jobs_queued",
        "credisense_jobs_oldest_seconds",
        "credisense_outbox_pending",
        "credisense_outbox_lag_seconds",
        "credisense_champion_oldest_seconds",
        "credisense_queue_length",
        "credisense_broker_up",
        "credisense_database_up",
    ):
        assert found[name].samples[0].value >= 0, name
    assert found["credisense_database_up"].samples[0].value == 1
    assert found["credisense_champion_oldest_seconds"].samples[0].value > 0


def test_labels_are_a_closed_list(client):
    client.generic("AWA", "/clients/Ngono?q=Awa")
    answer = read(Authorization=f"Bearer {TOKEN}")

    names = set(re.findall(r'(\w+)="', answer.content.decode()))
    assert names <= {
        "door",
        "method",
        "status",
        "le",
        "implementation",
        "major",
        "minor",
        "patchlevel",
        "version",
        "generation",
    }
    for word in (b"AWA", b"Ngono", b"Awa"):
        assert word not in answer.content
