"""/api/v1/applications: entered, changed, scored, sent for decision, returned, cancelled."""

import pytest

from apps.audit.models import AuditEntry
from apps.credits.models import Client, CreditApplication
from apps.institutions.models import Agency
from apps.scoring.models import Prediction
from tests.api.sending import NOBODY, send
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

URL = "/api/v1/applications"
LOAN = {
    "montant_credit": 450_000,
    "duree_mois": 12,
    "taux_interet": 20.0,
    "type_credit": "fonds_de_roulement",
}


@pytest.fixture
def person(world):
    with world.scope():
        return Client.objects.filter(birth_date__range=("1970-01-01", "2000-01-01")).order_by("pk").first()


@pytest.fixture
def draft(api, world, person):
    """Return a function: who -> the address and the answer of a new draft."""

    def enter(email=world.analyst, **values):
        answer = send(api(email), "post", URL, {"client_id": str(person.uid), **LOAN, **values})
        assert answer.status_code == 201, answer.content
        return f"{URL}/{answer.json()['id']}", answer

    return enter


def test_a_draft_takes_what_the_clients_file_knows(draft, person, world):
    _url, answer = draft(purpose="Stock de pagnes")

    body = answer.json()
    assert (body["status"], body["purpose"], body["client"]["id"]) == (
        "draft",
        "Stock de pagnes",
        str(person.uid),
    )
    assert body["variables"]["montant_credit"] == 450_000
    assert body["variables"]["sexe"] == person.sex
    with world.scope():
        assert CreditApplication.objects.get(uid=body["id"]).author == world.user(world.analyst)


def test_a_client_is_named_by_reference_too(api, world, person):
    answer = send(api(world.analyst), "post", URL, {"client_reference": person.reference, **LOAN})

    assert answer.json()["client"]["id"] == str(person.uid)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"client_id": NOBODY}, 404, None),
        ({"client_id": 7}, 422, "client_id"),
        ({"client_reference": "C-1"}, 422, "client_id"),
        ({"montant_credit": -5}, 422, "montant_credit"),
        ({"couleur": "bleu"}, 422, "couleur"),
        ({"purpose": "x" * 201}, 422, "purpose"),
        ({"purpose": None}, 422, "purpose"),
    ],
)
def test_a_wrong_draft_is_refused_and_nothing_is_stored(api, world, person, change, status, field):
    with world.scope():
        before = CreditApplication.objects.count()

    answer = send(api(world.analyst), "post", URL, {"client_id": str(person.uid), **LOAN, **change})

    assert answer.status_code == status
    assert field is None or field in answer.json()["fields"]
    with world.scope():
        assert CreditApplication.objects.count() == before


def test_the_list_is_filtered_and_costs_few_statements(api, world, draft, person):
    url, _answer = draft()
    client = api(world.analyst)

    with own_statements() as asked:
        rows = client.get(URL, {"client": str(person.uid), "status": "draft", "limit": "100"}).json()

    assert url.rpartition("/")[2] in [row["id"] for row in rows["results"]]
    assert {row["client"]["id"] for row in rows["results"]} == {str(person.uid)}
    assert len(asked) <= 6, asked


def test_the_list_goes_from_page_to_page(api, world):
    client = api(world.analyst)
    first = client.get(URL, {"limit": "10"}).json()
    second = client.get(first["next"]).json()

    with world.scope():
        rows = CreditApplication.objects.order_by("-applied_on", "-uid").values_list("uid", flat=True)[:20]
        assert [row["id"] for row in first["results"] + second["results"]] == [str(uid) for uid in rows]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "perdu"}, "status"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"mine": "1"}, "mine"),
    ],
)
def test_a_wrong_filter_is_named(api, world, query, field):
    answer = api(world.analyst).get(URL, query)

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_reading_is_recorded(api, world, draft):
    url, created = draft()

    answer = api(world.auditor).get(url)

    assert (answer.status_code, answer["ETag"]) == (200, created["ETag"])
    with world.scope():
        reads = AuditEntry.objects.filter(action="creditapplication.read", object_uid=answer.json()["id"])
        assert reads.count() == 1


def test_a_change_needs_the_state_that_was_read(api, world, draft):
    url, created = draft()
    client = api(world.analyst)

    missing = send(client, "patch", url, {"montant_credit": 500_000})
    done = send(client, "patch", url, {"montant_credit": 500_000}, **{"If-Match": created["ETag"]})
    stale = send(client, "patch", url, {"montant_credit": 1}, **{"If-Match": created["ETag"]})
    wrong = send(client, "patch", url, {"montant_credit": "x"}, **{"If-Match": done["ETag"]})

    assert (missing.status_code, stale.status_code, wrong.status_code) == (428, 412, 422)
    assert done.json()["variables"]["montant_credit"] == 500_000
    assert done.json()["variables"]["duree_mois"] == 12


def test_from_draft_to_decision_and_back(api, world, draft):
    url, _created = draft()
    analyst, manager = api(world.analyst), api(world.risk_manager)

    scored = [send(analyst, "post", f"{url}/score") for _time in range(2)]
    sent = send(analyst, "post", f"{url}/submit")
    again = send(analyst, "post", f"{url}/submit")
    own = send(analyst, "post", f"{url}/return", {"pieces": ["identite"]})
    returned = send(manager, "post", f"{url}/return", {"pieces": ["identite"], "note": "Carte expirée"})
    answered = send(analyst, "post", f"{url}/submit", {"answer": "Récépissé joint"})
    cancelled = send(analyst, "post", f"{url}/cancel", {"reason": "desistement"})
    after = send(analyst, "post", f"{url}/score")

    assert [each.status_code for each in scored] == [201, 200]
    assert scored[0].json()["id"] == scored[1].json()["id"]
    assert (sent.json()["status"], again.status_code, again.json()["code"]) == ("submitted", 409, "moved")
    assert own.status_code == 403
    assert (returned.json()["status"], returned.json()["piece_requests"][0]["note"]) == (
        "incomplete",
        "Carte expirée",
    )
    assert answered.json()["piece_requests"][0]["answer"] == "Récépissé joint"
    assert (cancelled.json()["status"], cancelled.json()["cancel_reason"]) == ("cancelled", "desistement")
    assert (after.status_code, after.json()["code"]) == (409, "moved")


def test_a_refused_submission_leaves_no_score(api, world, draft):
    url, _created = draft()
    send(api(world.analyst), "post", f"{url}/cancel", {"reason": "doublon"})
    with world.scope():
        before = Prediction.objects.count()

    assert send(api(world.analyst), "post", f"{url}/submit").status_code == 409
    with world.scope():
        assert Prediction.objects.count() == before


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("return", {}, "pieces"),
        ("return", {"pieces": []}, "pieces"),
        ("return", {"pieces": ["carte"]}, "pieces.0"),
        ("return", {"pieces": ["autre"]}, "note"),
        ("cancel", {}, "reason"),
        ("cancel", {"reason": "lune"}, "reason"),
        ("cancel", {"reason": "doublon", "why": 1}, "why"),
        ("submit", {"answer": "x" * 501}, "answer"),
    ],
)
def test_what_a_verb_needs_is_named(api, world, draft, verb, body, field):
    url, _created = draft()
    if verb == "return":
        send(api(world.analyst), "post", f"{url}/submit")

    answer = send(api(world.risk_manager), "post", f"{url}/{verb}", body)

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_an_application_of_another_agency_is_unknown_to_an_agent(api, world):
    allowed = world.actor(world.agent).agency_ids
    with world.scope():
        agency = Agency.objects.exclude(pk__in=allowed).first()
        uid = CreditApplication.objects.filter(agency=agency).first().uid

    answers = [
        api(world.agent).get(f"{URL}/{uid}"),
        send(api(world.agent), "post", f"{URL}/{uid}/score"),
        send(api(world.agent), "patch", f"{URL}/{uid}", {}),
    ]

    assert [each.status_code for each in answers] == [404, 404, 404]


def test_refusals_come_in_order(api, world, draft):
    url, _created = draft()

    assert api(None).delete(url).status_code == 401
    assert api("commercial@horizon.demo").delete(url).status_code == 403
    assert api(world.analyst).delete(f"{URL}/{NOBODY}").status_code == 404
    assert api(world.analyst).delete(url).status_code == 405
    assert send(api(world.auditor), "post", f"{url}/cancel", {"reason": "doublon"}).status_code == 403
