"""models: list, detail, import, export, promote, approve, rollback."""

import datetime as dt
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.registry.models import ModelVersion
from tests.api.sending import send
from tests.registry.grids import DOCUMENT, changed

pytestmark = pytest.mark.django_db

COMMITTEE = "comite@horizon.demo"


@pytest.fixture
def risks(api, world):
    return api(world.risk_manager)


@pytest.fixture
def committee(api):
    return api(COMMITTEE)


@pytest.fixture
def grid(risks):
    return send(risks, "post", "/api/v1/models/import", DOCUMENT).json()


def promote(client, model, **body):
    return send(client, "post", f"{model['links']['promote']}", {"reason": "Départ", **body})


def test_models_are_listed_and_read(api, world):
    client = api(world.auditor)

    (line,) = client.get("/api/v1/models").json()["results"]
    body = client.get(f"/api/v1/models/{line['id']}").json()

    assert (line["name"], line["status"], line["calibrated"]) == ("defaut-imf", "champion", True)
    assert {name: body[name] for name in line} == line
    assert body["promotion"]["status"] == "started"
    assert {gate["code"] for gate in body["promotion"]["gates"]} >= {"demonstration", "two_people"}
    (time,) = body["times"]
    assert (time["until"], time["proposed_by"], time["started_by"]) == (
        None, "Serge Kamdem", "Jean-Paul Essomba",
    )  # fmt: skip
    assert client.get("/api/v1/models", {"status": "draft"}).json()["results"] == []
    assert client.get("/api/v1/models", {"status": "x"}).status_code == 422


def test_a_scorecard_goes_into_production_and_back(risks, committee, grid):
    assert (grid["status"], grid["calibrated"], grid["promotion"]) == ("candidate", False, None)

    proposed = promote(risks, grid)
    assert (proposed.status_code, proposed.json()["promotion"]["status"]) == (201, "proposed")
    approved = send(committee, "post", grid["links"]["approve"])
    assert (approved.status_code, approved.json()["status"]) == (200, "champion")
    back = send(committee, "post", grid["links"]["rollback"], {"reason": "Trop sévère"})
    assert (back.status_code, back.json()["name"], back.json()["status"]) == (200, "defaut-imf", "champion")
    assert risks.get(grid["links"]["self"]).json()["status"] == "retired"


def test_refusals_of_a_promotion(risks, committee, grid, api, world):
    def refusal(answer):
        return answer.status_code, answer.json()["code"]

    assert refusal(send(committee, "post", grid["links"]["approve"])) == (409, "promotion_closed")
    assert refusal(promote(risks, grid, reason="")) == (422, "invalid_values")
    assert refusal(promote(risks, grid, reason="a\nb")) == (422, "invalid_values")
    past = (timezone.now() - dt.timedelta(days=1)).isoformat()
    assert refusal(promote(risks, grid, starts_at=past)) == (422, "invalid_values")
    assert refusal(promote(committee, grid)) == (403, "not_allowed")
    assert promote(risks, grid).status_code == 201
    assert refusal(promote(risks, grid)) == (409, "promotion_closed")
    assert refusal(send(risks, "post", grid["links"]["approve"])) == (403, "same_person")
    assert refusal(send(committee, "post", grid["links"]["rollback"], {"reason": "x"})) == (
        409, "promotion_closed",
    )  # fmt: skip
    assert refusal(send(api(world.analyst), "post", grid["links"]["approve"])) == (403, "not_allowed")


def test_a_failed_gate_is_named(risks):
    bad = changed(variables=[{"name": "nb_retards_30j", "cuts": [1], "points": [-50, 50]}])
    grid = send(risks, "post", "/api/v1/models/import", bad).json()

    answer = promote(risks, grid)

    assert (answer.status_code, answer.json()["code"]) == (409, "gate_failed")
    assert "sens de chaque variable" in answer.json()["detail"]


def test_a_zip_goes_out_and_comes_in_under_another_segment(risks, grid):
    content = risks.get(grid["links"]["export"])
    assert content["Content-Type"] == "application/zip"

    upload = SimpleUploadedFile("m.zip", content.content)
    answer = risks.post("/api/v1/models/import", {"file": upload, "segment": "agricole"})

    assert (answer.status_code, answer.json()["sha256"]) == (201, grid["sha256"])
    assert answer["Location"] == answer.json()["links"]["self"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        changed(format="x"),
        changed(variables=[{"name": "ethnie", "cuts": [], "points": [1]}]),
        changed(segment="../x"),
        changed(segment=["tous"]),
        changed(segment=None),
    ],
)
def test_a_scorecard_that_cannot_be_used_is_a_422(risks, world, body):
    answer = send(risks, "post", "/api/v1/models/import", body)

    assert (answer.status_code, answer.json()["code"] in {"model_refused", "invalid_values"}) == (422, True)
    with world.scope():
        assert ModelVersion.objects.count() == 1


def test_numbers_beyond_any_type_are_refused(risks):
    text = json.dumps(DOCUMENT).replace("0.09", "1e999").replace("-60", "-1" + "0" * 4000)

    answer = risks.post("/api/v1/models/import", text, content_type="application/json")

    assert answer.status_code in {400, 422}


def test_a_pickle_is_refused_with_what_to_do(risks):
    upload = SimpleUploadedFile("modele.joblib", b"\x80\x04K\x01.")

    answer = risks.post("/api/v1/models/import", {"file": upload})

    assert (answer.status_code, answer.json()["code"]) == (422, "model_refused")
    assert "écrivez-le en grille de score" in answer.json()["detail"]


def test_another_institution_knows_nothing_of_it(api, grid):
    for person in ("risques@ngwa.demo", "comite@ngwa.demo"):
        client = api(person)
        assert client.get(grid["links"]["self"]).status_code == 404
        assert client.get(grid["links"]["export"]).status_code == 404
    assert (
        send(api("risques@ngwa.demo"), "post", grid["links"]["promote"], {"reason": "x"}).status_code == 404
    )
    for step in ("approve", "rollback"):
        answer = send(api("comite@ngwa.demo"), "post", grid["links"][step], {"reason": "x"})
        assert answer.status_code == 404
