"""The pages of the scoring policy: what is in force, a threshold tried, a proposal and its two people."""

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from apps.scoring.models import PolicyProposal
from apps.scoring.queries.policies import draft_of, policy_on
from tests.scoring.proposing import REASON, proposed, put_in_force, score_many
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
CHECKER = "comite@horizon.demo"


def text(answer):
    return " ".join(answer.content.decode().split())


def filled(client, **changes):
    """Return what a browser sends back of the form as it stands, with some answers changed."""
    form = client.get("/politique/nouvelle").context["form"]
    shown = {name: form[name].value() for name in form.fields}
    values = {name: form.fields[name].prepare_value(value) for name, value in shown.items()}
    values["effective_from"] = timezone.localdate().strftime("%d/%m/%Y")
    values["reason"] = REASON
    return {name: value for name, value in {**values, **changes}.items() if value not in (None, "")}


def test_everybody_with_reports_reads_the_policy(world, page):
    answer = page(world.agent).get("/politique")

    assert answer.status_code == 200
    assert "15 %" in text(answer)
    assert "/politique/nouvelle" not in text(answer)
    assert "/politique/simulation" not in text(answer)


@pytest.mark.parametrize(
    ("email", "path"),
    [
        ("analyste@horizon.demo", "/politique/simulation"),
        ("commercial@horizon.demo", "/politique/simulation"),
        ("comite@horizon.demo", "/politique/nouvelle"),
        ("admin@horizon.demo", "/politique/nouvelle"),
    ],
)
def test_trying_is_for_approvers_and_proposing_for_risk_managers(world, page, email, path):
    assert page(email).get(path).status_code == 403


def test_a_threshold_is_tried_with_and_without_a_script(world, page):
    client = page(world.risk_manager)

    whole = client.get("/politique/simulation?type=&seuil=3")
    part = client.get("/politique/simulation?type=&seuil=3", headers={"HX-Request": "true"})

    assert whole.status_code == part.status_code == 200
    assert whole.context["impact"].changed > 0
    assert 'type="range"' in text(whole)
    assert "<html" in text(whole)
    assert "<html" not in text(part)
    assert part.headers["HX-Push-Url"] == "/politique/simulation?type=&seuil=3"
    for answer in (whole, part):
        assert "3,0 %" in text(answer)
        assert whole.context["files"][0].url in text(answer)
    with world.scope():
        assert PolicyProposal.objects.count() == 1


@pytest.mark.parametrize("query", ["seuil=0", "seuil=51", "seuil=x", "type=lunaire&seuil=5", "seuil=nan"])
def test_what_cannot_be_tried_is_said(world, page, query):
    answer = page(world.risk_manager).get(f"/politique/simulation?{query}")

    assert answer.status_code == 422
    assert answer.context["impact"].changed == 0


def test_the_files_that_change_are_paged(world, page):
    score_many(world)
    client = page(world.risk_manager)
    address, seen = "/politique/simulation?type=&seuil=1", []
    while address:
        answer = client.get(address)
        seen += [each.url for each in answer.context["files"]]
        following = answer.context["files_next"]
        address = following and f"/politique/simulation{following}"

    assert len(seen) == len(set(seen)) == answer.context["impact"].changed > 25


def test_the_form_holds_the_policy_in_force(world, page):
    client = page(world.risk_manager)

    answer = client.post("/politique/nouvelle", filled(client))

    assert answer.status_code == 422
    assert "aucun chiffre" in text(answer) or "no figure differs" in text(answer)


def test_the_effect_is_shown_before_anything_is_proposed(world, page):
    client = page(world.risk_manager)

    answer = client.post("/politique/nouvelle", filled(client, default_threshold="4,5", simulate="1"))

    assert answer.status_code == 200
    assert [each.after for each in answer.context["differences"]] == ["4,50\N{NO-BREAK SPACE}%"]
    assert answer.context["impact"].changed > 0
    with world.scope():
        assert PolicyProposal.objects.filter(status="proposed").count() == 0


def test_from_a_threshold_tried_to_a_policy_in_force(world, page):
    maker, checker = page(world.risk_manager), page(CHECKER)
    prefilled = maker.get("/politique/nouvelle?type=scolaire&seuil=8.5").context["form"]
    assert (prefilled["mode_scolaire"].value(), prefilled["threshold_scolaire"].value()) == ("manual", "8,5")

    values = filled(maker, mode_scolaire="manual", threshold_scolaire="8,5 %", severity_age_fin="bloquante")
    answer = maker.post("/politique/nouvelle", values)
    address = answer.headers["Location"]
    own = maker.get(address)
    assert own.context["own"] is True
    assert maker.post(f"{address}/approuver").status_code == 302
    with world.scope():
        assert policy_on().version == 1

    seen = checker.get(address)
    assert seen.context["impact"].total > 0
    checker.post(f"{address}/approuver", {"reason": "Vu"})

    with world.scope():
        policy = policy_on()
        assert (policy.version, policy.figures["thresholds"]) == (2, {"scolaire": 0.085})
        assert [each["severity"] for each in policy.figures["rules"] if each["code"] == "age_fin"] == [
            "bloquante"
        ]
    assert "Version 2" in text(checker.get("/politique"))
    assert checker.get(address).context["line"].status == "active"


def test_costs_give_a_threshold_and_an_unprofitable_type_is_said(world, page):
    client = page(world.risk_manager)
    values = filled(
        client,
        mode_scolaire="computed",
        mode_agricole="computed",
        file_cost_xaf_agricole="90 000",
        simulate="1",
    )

    answer = client.post("/politique/nouvelle", values)

    lines = {line.label: line for line in answer.context["sheet"].thresholds}
    assert lines["Scolaire"].worked[-1].startswith("t = M / (M + L) = ")
    assert lines["Agricole"].unprofitable
    assert lines["Agricole"].threshold == "20\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effective_from": "01/01/2020"}, "effective_from"),
        ({"reason": ""}, "reason"),
        ({"default_threshold": "120"}, "default_threshold"),
        ({"grade_0": "30"}, "grade_0"),
        ({"lgd": "0"}, "lgd"),
        ({"mode_scolaire": "manual"}, "threshold_scolaire"),
        ({"mode_scolaire": "computed", "months_scolaire": ""}, "months_scolaire"),
        ({"limit_age_fin": ""}, "limit_age_fin"),
        ({"limit_montant_max": "-5"}, "limit_montant_max"),
        ({"severity_consentement": "grave"}, "severity_consentement"),
    ],
)
def test_a_wrong_answer_is_told_beside_its_field(world, page, change, field):
    client = page(world.risk_manager)

    answer = client.post("/politique/nouvelle", filled(client, **{"default_threshold": "12", **change}))

    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_a_rejection_needs_a_reason_and_a_withdrawal_its_author(world, page):
    with world.scope():
        proposal = proposed(world, replace(draft_of(policy_on()).figures, default_threshold=0.1))
    address, checker = f"/politique/{proposal.uid}", page(CHECKER)

    checker.post(f"{address}/rejeter", {"reason": ""})
    page("risques2@horizon.demo").post(f"{address}/retirer", {"reason": REASON})
    with world.scope():
        assert PolicyProposal.objects.get(uid=proposal.uid).status == "proposed"

    checker.post(f"{address}/rejeter", {"reason": "Trop strict pour la rentrée"})
    with world.scope():
        assert PolicyProposal.objects.get(uid=proposal.uid).status == "rejected"
    assert "Trop strict pour la rentrée" in text(page(world.agent).get(address))


def test_a_reader_sees_a_proposal_but_no_file(world, page):
    with world.scope():
        proposal = proposed(world, replace(draft_of(policy_on()).figures, default_threshold=0.02))

    answer = page("commercial@horizon.demo").get(f"/politique/{proposal.uid}")

    assert answer.status_code == 200
    assert "impact" not in answer.context
    assert "/scores/" not in text(answer)


def test_another_institution_is_a_404(world, page):
    with world.scope():
        proposal = proposed(world, replace(draft_of(policy_on()).figures, default_threshold=0.1))
    outsider = page("comite@ngwa.demo")

    assert outsider.get(f"/politique/{proposal.uid}").status_code == 404
    for verb in ("approuver", "rejeter"):
        assert outsider.post(f"/politique/{proposal.uid}/{verb}", {"reason": REASON}).status_code == 404


def test_a_scheduled_policy_says_when(world, page):
    day = timezone.localdate() + dt.timedelta(days=3)
    with world.scope():
        figures = replace(draft_of(policy_on()).figures, default_threshold=0.1)
        put_in_force(world, figures, day=day)

    answer = page(world.auditor).get("/politique")

    assert answer.context["current"].version == 1
    assert answer.context["history"][0].status == "scheduled"
    assert day.strftime("%d/%m/%Y") in text(answer)


@pytest.mark.parametrize("path", ["/politique", "/politique/simulation?type=&seuil=4", "/politique/nouvelle"])
def test_few_statements(world, page, path):
    client = page(world.risk_manager)
    client.get(path)
    with own_statements() as seen:
        client.get(path)
    assert len(seen) <= 6
