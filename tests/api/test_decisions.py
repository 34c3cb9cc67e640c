"""Deciding over the API: the same rules as on the pages, refused as problems."""

import pytest
from django.urls import reverse

from apps.credits.models import CreditApplication
from apps.decisions.models import Decision, OverrideRequest
from apps.decisions.queries.limits import limit_of
from tests.api.sending import send
from tests.decisions.filing import WHY, sent_file

pytestmark = pytest.mark.django_db
BODY = {"decision": "accorde", "motive": "capacite_suffisante"}


def decide_path(file):
    return reverse("api:application_decide", args=[file.uid])


@pytest.fixture
def file(world):
    """Return a file that the agent sent, with a favourable advice."""
    with world.scope():
        return sent_file(world)


def status_of(world, file):
    with world.scope():
        return CreditApplication.objects.get(pk=file.pk).status


def test_a_decision_is_taken_and_read(world, api, file):
    client = api(world.analyst)

    answer = send(client, "post", decide_path(file), {**BODY, "amount_xaf": 400_000, "comment": "<b>ok</b>"})

    told = answer.json()
    assert answer.status_code == 201
    assert (told["application_id"], told["application_status"]) == (str(file.uid), "approved")
    assert (told["decision"], told["recommendation"], told["amount_xaf"]) == ("accorde", "accorder", 400_000)
    assert told["decided_by"] == str(world.user(world.analyst).uid)
    assert told["override"] is None
    listed = client.get(reverse("api:application_decisions", args=[file.uid])).json()
    assert listed == {"results": [told]}
    assert listed["results"][0]["comment"] == "<b>ok</b>"


def test_against_the_advice_a_second_person_is_awaited(world, api, file):
    body = {
        "decision": "refuse",
        "motive": "non_verifiable",
        "override_reason": "information_nouvelle",
        "override_text": WHY,
    }

    answer = send(api(world.analyst), "post", decide_path(file), body)

    assert (answer.status_code, answer.json()["direction"]) == (202, "plus_severe")
    assert status_of(world, file) == "submitted"
    again = send(api(world.risk_manager), "post", decide_path(file), BODY)
    assert (again.status_code, again.json()["code"]) == (409, "override_pending")
    with world.scope():
        assert OverrideRequest.objects.filter(application=file).count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "peut-être", "motive": "x"}, "decision"),
        ({"decision": "accorde", "motive": "inconnu"}, "motive"),
        ({**BODY, "amount_xaf": 900_000}, "amount_xaf"),
        ({**BODY, "duration_months": 18}, "duration_months"),
        ({**BODY, "inconnu": 1}, "inconnu"),
        ({"decision": "refuse", "motive": "non_verifiable"}, "override_reason"),
    ],
)
def test_a_wrong_body_names_its_fields(world, api, file, body, field):
    answer = send(api(world.analyst), "post", decide_path(file), body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_values")
    assert field in answer.json()["fields"]
    assert status_of(world, file) == "submitted"


def test_the_author_does_not_decide_the_own_file(world, api):
    with world.scope():
        file = sent_file(world, author=world.analyst)

    answer = send(api(world.analyst), "post", decide_path(file), BODY)

    assert (answer.status_code, answer.json()["code"]) == (403, "own_file")
    assert answer["Content-Type"].startswith("application/problem+json")
    assert status_of(world, file) == "submitted"


def test_nobody_decides_above_the_own_limit(world, api):
    with world.scope():
        file = sent_file(world, amount_xaf=limit_of("analyste") + 1)

    answer = send(api(world.analyst), "post", decide_path(file), {**BODY, "amount_xaf": 1_000})

    assert (answer.status_code, answer.json()["code"]) == (403, "above_limit")
    assert send(api(world.risk_manager), "post", decide_path(file), BODY).status_code == 201


def test_a_changed_file_is_scored_again_first(world, api, file):
    with world.scope():
        CreditApplication.objects.filter(pk=file.pk).update(revenu_mensuel=81_000)

    answer = send(api(world.analyst), "post", decide_path(file), BODY)

    assert (answer.status_code, answer.json()["code"]) == (409, "score_outdated")


def test_sent_twice_one_decision_is_kept(world, api, file):
    client = api(world.analyst)
    send(client, "post", decide_path(file), BODY)

    answer = send(client, "post", decide_path(file), BODY)

    assert (answer.status_code, answer.json()["code"]) == (409, "moved")
    with world.scope():
        assert Decision.objects.filter(application=file).count() == 1


@pytest.mark.parametrize("local_part", ["agent", "auditeur", "admin", "comite", "dpo"])
def test_other_roles_do_not_decide(world, api, file, local_part):
    assert send(api(f"{local_part}@horizon.demo"), "post", decide_path(file), BODY).status_code == 403


def test_another_institution_knows_nothing_of_it(world, api, file):
    client = api(world.outsider)

    assert send(client, "post", decide_path(file), BODY).status_code == 404
    assert client.get(reverse("api:application_decisions", args=[file.uid])).status_code == 404
