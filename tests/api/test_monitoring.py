"""models/{uid}/monitoring: the last night's figures and the alerts."""

import pytest

from apps.monitoring.models import Alert, MonitoringFigures
from apps.registry.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(world):
    with world.scope():
        return f"/api/v1/models/{ModelVersion.objects.get().uid}/monitoring"


def test_figures_are_read(api, world, address):
    body = api(world.auditor).get(address).json()

    assert (body["model"]["name"], body["day"]) == ("defaut-imf", "2026-11-21")
    assert body["standing"] in {"level", "watch", "alert"}
    assert body["periods"]["matured_until"] == "2025-09"
    assert body["months"][-1]["to"] == "2025-09"
    assert {"ratio", "ratio_low", "ratio_high", "chance", "seen"} <= set(body["cohorts"][-1])
    assert {line["variable"] for line in body["variables"]} >= {"age", "montant_credit"}
    assert body["agencies"]["lines"]
    assert body["score"]["limit"] >= 0.10


def test_an_alert_has_its_reason(api, world, address):
    with world.scope():
        Alert.objects.all().delete()
        Alert.objects.create(
            model_version=ModelVersion.objects.get(),
            code="missing",
            about="revenu_mensuel",
            severity="watch",
            suggestion="check_source",
            figures={"before": 0.07, "now": 0.31, "passed": True},
        )

    body = api(world.risk_manager).get(address).json()

    (alert,) = body["alerts"]
    assert (body["standing"], alert["code"], alert["about"]) == ("watch", "missing", "revenu_mensuel")
    assert alert["figures"]["now"] == 0.31
    assert alert["closed_at"] is None
    assert "formulaire" in alert["reason"]


def test_an_agent_gets_no_figure_of_agencies_and_officers(api, world, address):
    body = api(world.agent).get(address).json()

    assert (body["agencies"], body["officers"]) == (None, None)
    assert body["bands"]["lines"]


def test_before_the_first_night_everything_is_null(api, world, address):
    with world.scope():
        MonitoringFigures.objects.all().delete()
        Alert.objects.all().delete()

    body = api(world.auditor).get(address).json()

    assert (body["day"], body["standing"], body["months"], body["alerts"]) == (None, "unknown", None, [])


def test_an_unchanged_answer_is_not_sent_again(api, world, address):
    client = api(world.auditor)
    tag = client.get(address)["ETag"]

    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_refusals(api, world, address):
    assert api(None).get(address).status_code == 401
    assert api("auditeur@ngwa.demo").get(address).status_code == 404
    assert api(world.auditor).post(address).status_code == 405
