"""/api/v1/webhooks: an administrator's own addresses, whose secret is told once."""

import pytest

from apps.outbox.models import Webhook
from tests.api.sending import NOBODY, send

pytestmark = pytest.mark.django_db

WEBHOOKS = "/api/v1/webhooks"
PUBLIC = {"url": "https://203.0.113.10/told", "events": ["prediction.created"]}


@pytest.fixture(autouse=True)
def anywhere(monkeypatch):
    """Let an address of documentation be a public one; what is refused for good is tried in the outbox."""
    monkeypatch.setattr("apps.outbox.services.check_address", lambda _url: None)


def test_a_webhook_is_created_read_and_stopped(api, world):
    admin = api(world.administrator)
    created = send(admin, "post", WEBHOOKS, PUBLIC)
    url = f"{WEBHOOKS}/{created.json()['id']}"
    read = admin.get(url)

    missing = send(admin, "patch", url, {"is_active": False})
    stopped = send(admin, "patch", url, {"is_active": False}, **{"If-Match": read["ETag"]})
    stale = send(admin, "patch", url, {"is_active": True}, **{"If-Match": read["ETag"]})

    statuses = [each.status_code for each in (created, missing, stopped, stale)]
    assert statuses == [201, 428, 200, 412]
    assert created.json()["secret"].startswith("whsec_")
    assert "secret" not in read.json()
    assert stopped.json() == {**read.json(), "is_active": False}
    stopped_ones = admin.get(WEBHOOKS, {"is_active": "false"}).json()["results"]
    assert [row["id"] for row in stopped_ones] == [created.json()["id"]]


def test_the_secret_is_told_again_to_the_same_request_only(api, world):
    admin = api(world.administrator)
    once = {"Idempotency-Key": "webhook-1"}

    first = send(admin, "post", WEBHOOKS, PUBLIC, **once)
    again = send(admin, "post", WEBHOOKS, PUBLIC, **once)

    assert first.json() == again.json()
    with world.scope():
        assert Webhook.objects.filter(url=PUBLIC["url"]).count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["batch.finished"]}, "events.0"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_a_wrong_webhook_is_refused(api, world, change, field):
    answer = send(api(world.administrator), "post", WEBHOOKS, {**PUBLIC, **change})

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_only_administrators_see_webhooks(api, world):
    for email in (world.analyst, world.risk_manager, world.auditor):
        assert api(email).get(WEBHOOKS).status_code == 403
        assert send(api(email), "post", WEBHOOKS, PUBLIC).status_code == 403


def test_a_webhook_of_another_institution_is_unknown(api, world):
    with world.scope():
        uid = Webhook.objects.first().uid
    outsider = api(world.outsider_admin)

    assert outsider.get(f"{WEBHOOKS}/{uid}").status_code == 404
    assert outsider.get(f"{WEBHOOKS}/{NOBODY}").status_code == 404
    assert str(uid) not in outsider.get(WEBHOOKS).content.decode()
