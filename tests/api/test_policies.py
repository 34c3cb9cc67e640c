"""Scoring policies by the API: proposed, approved by another person, rejected, withdrawn."""

import datetime as dt

import pytest
from django.utils import timezone

from apps.scoring.models import PolicyProposal
from apps.scoring.queries.policies import policy_on
from tests.api.sending import send
from tests.predict import BODY

pytestmark = pytest.mark.django_db
URL = "/api/v1/policies"
COSTS = {
    "amount_xaf": 340_000,
    "months": 10,
    "rate_percent": 22,
    "cost_of_funds_percent": 6,
    "fee_percent": 1,
    "file_cost_xaf": 5_000,
}


def proposal(**changes):
    today = timezone.localdate().isoformat()
    return {
        "effective_from": today,
        "reason": "Campagne scolaire",
        "figures": {"default_threshold": 0.12},
        **changes,
    }


@pytest.fixture
def people(world, api):
    return {who: api(f"{who}@horizon.demo") for who in ("risques", "risques2", "comite", "admin", "analyste")}


def test_the_first_policy_is_listed(world, api):
    body = api(world.analyst).get(URL).json()

    (first,) = body["results"]
    assert (first["status"], first["version"], first["differences"]) == ("approved", 1, [])
    assert first["in_force"]["until"] is None
    assert first["figures"]["default_threshold"] == 0.15
    assert first["worked"]["scolaire"]["profitable"] is True


def test_a_policy_is_proposed_approved_and_scores(world, people):
    said = send(people["risques"], "post", URL, proposal())
    assert said.status_code == 201
    body = said.json()
    assert (body["status"], body["version"], body["in_force"]) == ("proposed", None, None)
    assert body["differences"] == [{"figure": "default_threshold", "before": 0.15, "after": 0.12}]

    approved = send(people["comite"], "post", f"{URL}/{body['id']}/approve", {"reason": "Vu en comité"})

    assert approved.status_code == 200
    assert (approved.json()["status"], approved.json()["version"]) == ("approved", 2)
    assert approved.json()["decided_by"] == str(world.user("comite@horizon.demo").uid)
    score = send(people["analyste"], "post", "/api/v1/predict", BODY).json()
    assert (score["politique"]["version"], score["seuil_utilise"]) == (2, 0.12)
    first, second = people["analyste"].get(f"{URL}?sort=created_at").json()["results"]
    assert first["in_force"]["until"] == second["in_force"]["since"]


def test_a_threshold_from_costs(people):
    costs = {"by_type": {"scolaire": COSTS}}
    body = send(people["risques"], "post", URL, proposal(figures={}, costs=costs)).json()

    worked = body["worked"]["scolaire"]
    assert worked["margin_xaf"] == pytest.approx(340_000 * (0.16 * 11 / 24 + 0.01) - 5_000)
    assert body["figures"]["thresholds"] == {"scolaire": worked["threshold"]}
    assert body["costs"]["prudence_cap"] == 0.2


def test_the_same_person_is_refused(people):
    uid = send(people["risques"], "post", URL, proposal()).json()["id"]

    for verb in ("approve", "reject"):
        said = send(people["risques"], "post", f"{URL}/{uid}/{verb}", {"reason": "Moi-même"})
        assert (said.status_code, said.json()["code"]) == (403, "same_person")


def test_what_is_decided_stays_decided(people):
    uid = send(people["risques"], "post", URL, proposal()).json()["id"]
    said = send(people["comite"], "post", f"{URL}/{uid}/reject", {"reason": "Trop strict"})
    assert (said.status_code, said.json()["status"]) == (200, "rejected")

    for who, verb in (("admin", "approve"), ("comite", "reject"), ("risques", "withdraw")):
        said = send(people[who], "post", f"{URL}/{uid}/{verb}", {"reason": "Encore une fois"})
        assert (said.status_code, said.json()["code"]) == (409, "already_decided")


def test_one_proposal_at_a_time_and_its_author_withdraws(people):
    uid = send(people["risques"], "post", URL, proposal()).json()["id"]
    second = send(people["risques2"], "post", URL, proposal())
    assert (second.status_code, second.json()["code"]) == (409, "proposal_pending")

    assert (
        send(people["risques2"], "post", f"{URL}/{uid}/withdraw", {"reason": "À revoir"}).status_code == 403
    )
    assert send(people["risques"], "post", f"{URL}/{uid}/withdraw", {"reason": ""}).status_code == 422
    assert send(people["risques"], "post", f"{URL}/{uid}/withdraw", {"reason": "À revoir"}).status_code == 200
    assert send(people["risques2"], "post", URL, proposal()).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effective_from": "2020-01-01"}, "effective_from"),
        ({"reason": " "}, "reason"),
        ({"figures": {"default_threshold": 1.5}}, "figures.default_threshold"),
        ({"figures": {"thresholds": {"lunaire": 0.1}}}, "figures.thresholds.lunaire"),
        ({"figures": {"default_threshold": 0.1, "surprise": 1}}, "figures.surprise"),
        ({"figures": {"grade_limits": [0.1, 0.05, 0.2, 0.3]}}, "grade_limits"),
        ({"figures": {"rules": [{"code": "horoscope", "severity": "a_revoir"}]}}, "figures.rules.0.code"),
        ({"figures": {"rules": [{"code": "age_fin", "severity": "a_revoir"}]}}, "rules.age_fin.limit"),
        ({"costs": {"by_type": {"scolaire": {**COSTS, "months": 0}}}}, "costs.by_type.scolaire.months"),
    ],
)
def test_what_cannot_be_is_named(world, people, change, field):
    said = send(people["risques"], "post", URL, proposal(**change))

    assert said.status_code == 422
    assert list(said.json()["fields"]) == [field]
    with world.scope():
        assert PolicyProposal.objects.count() == 1


def test_roles_and_institutions(world, api, people):
    assert send(people["analyste"], "post", URL, proposal()).status_code == 403
    assert send(people["admin"], "post", URL, proposal()).status_code == 403
    uid = send(people["risques"], "post", URL, proposal()).json()["id"]
    assert send(people["analyste"], "post", f"{URL}/{uid}/approve", {}).status_code == 403
    outsider = api("comite@ngwa.demo")
    assert outsider.get(f"{URL}/{uid}").status_code == 404
    assert send(outsider, "post", f"{URL}/{uid}/approve", {}).status_code == 404
    with world.scope():
        assert policy_on().version == 1


def test_a_policy_for_later_changes_nothing_today(people):
    day = timezone.localdate() + dt.timedelta(days=10)
    uid = send(people["risques"], "post", URL, proposal(effective_from=day.isoformat())).json()["id"]
    approved = send(people["comite"], "post", f"{URL}/{uid}/approve", {}).json()

    assert approved["in_force"]["since"].startswith(day.isoformat())
    score = send(people["analyste"], "post", "/api/v1/predict", BODY).json()
    assert score["politique"]["version"] == 1
    listed = people["analyste"].get(f"{URL}?status=approved").json()["results"]
    assert [each["version"] for each in listed] == [2, 1]
