"""Decisions against the advice are watched: one alert a subject a month, shown to who manages."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.monitoring.models import Alert
from apps.monitoring.queries import watched_versions
from apps.monitoring.services.alerts import sync_alerts
from apps.monitoring.services.overrides import watch_overrides
from apps.outbox.models import OutboxMessage
from apps.tenancy.actor import task_actor
from tests.decisions.filing import past

pytestmark = pytest.mark.django_db
TOLD = "monitoring.overrides"


def look(world, *, on=None):
    by = task_actor(world.institution_id("horizon"))
    return watch_overrides(version=watched_versions()[0], on=on or timezone.localdate(), by=by)


def told():
    return OutboxMessage.objects.filter(kind="alert", payload__code=TOLD).count()


def severe(world, count=24, **wishes):
    """Let the analyst alone ask for refusals against the advice: of 24 decisions each of them."""
    return past(world, count, overrides=count, **wishes)


def test_above_the_share_an_alert_is_opened_and_told_once(world):
    with world.scope():
        severe(world)
        analyst = world.user(world.analyst)

        opened = look(world)

        (alert,) = [each for each in opened if each.about == f"analyst:{analyst.uid}"]
        assert (alert.code, alert.severity, alert.figures["stricter"]) == ("overrides", "watch", 24)
        assert alert.figures["low"] > alert.figures["limit"] == 0.15
        assert told() == 1
        assert look(world) == []
        assert told() == 1


def test_below_the_share_or_with_few_decisions_there_is_none(world):
    with world.scope():
        severe(world, 19)
        past(world, 30, overrides=4, asker="risques2@horizon.demo")

        assert [alert for alert in look(world) if alert.about.startswith("analyst")] == []


def test_it_is_over_when_the_days_have_passed_and_not_told_again_within_a_month(world):
    with world.scope():
        severe(world)
        look(world)
        later = timezone.localdate() + dt.timedelta(days=85)
        assert look(world, on=later) == []
        assert not Alert.objects.open().filter(code="overrides").exists()

        assert look(world) == []  # within the month of the first
        Alert.objects.filter(code="overrides").update(opened_at=timezone.now() - dt.timedelta(days=31))
        assert look(world)
        assert told() == 2


def test_the_nightly_look_at_the_model_leaves_it_alone(world):
    with world.scope():
        severe(world)
        look(world)
        version = watched_versions()[0]

        sync_alerts(version=version, found=(), by=task_actor(world.institution_id("horizon")))

        assert Alert.objects.open().filter(code="overrides").exists()


def test_the_page_names_people_to_who_manages_only(world, page):
    with world.scope():
        severe(world)
        look(world)
        name = world.user(world.analyst).full_name
    address = reverse("web:monitoring")

    groups = page(world.risk_manager).get(f"{address}?vue=decisions").content.decode()
    assert "Décisions contre l&#x27;avis" in groups or "Décisions contre l'avis" in groups
    assert name in groups
    assert name in page(world.risk_manager).get(address).content.decode()
    for who in (world.agent, "commercial@horizon.demo"):
        client = page(who)
        shown = client.get(address).content.decode() + client.get(f"{address}?vue=decisions").content.decode()
        assert name not in shown
        assert "contre l&#x27;avis" not in shown
