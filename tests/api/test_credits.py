"""/api/v1/credits and /repayments: disbursed, read, repaid."""

import datetime as dt

import pytest
from django.utils import timezone
from django.utils.timezone import localdate

from apps.audit.models import AuditEntry
from apps.credits.models import Credit, CreditApplication, Installment, Repayment
from apps.institutions.models import Agency
from tests.api.sending import NOBODY, send
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

CREDITS, REPAYMENTS = "/api/v1/credits", "/api/v1/repayments"


@pytest.fixture
def application(world):
    """Grant an application of 120,000 FCFA over 12 months, asked for 100 days ago."""
    with world.scope():
        row = CreditApplication.objects.filter(status="declined").order_by("pk").first()
        CreditApplication.objects.filter(pk=row.pk).update(
            status="approved",
            applied_on=localdate() - dt.timedelta(days=100),
            montant_credit=120_000,
            duree_mois=12,
            taux_interet=0.0,
        )
    return row


@pytest.fixture
def lent(api, world, application):
    """Disburse it 95 days ago; return the body."""
    day = localdate() - dt.timedelta(days=95)
    answer = send(
        api(world.analyst), "post", CREDITS, {"application": str(application.uid), "disbursed_on": str(day)}
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


def paid(body, **values):
    first = {"credit": body["id"], "reference": "API-1", "paid_on": str(localdate()), "amount_xaf": 15_000}
    return {**first, **values}


def test_a_granted_application_is_disbursed(api, world, application, lent):
    assert (lent["status"], lent["amount_xaf"], lent["application"]) == (
        "active",
        120_000,
        str(application.uid),
    )
    assert lent["position"]["outstanding_xaf"] == 120_000
    assert lent["position"]["days_past_due"] > 60
    assert lent["delays"] == {"thirty": 1, "sixty": 1, "ninety": 0}
    again = send(api(world.analyst), "post", CREDITS, {"application": str(application.uid)})
    assert (again.status_code, again.json()["code"]) == (409, "moved")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"application": NOBODY}, 404, None),
        ({"application": "x"}, 422, "application"),
        ({"amount_xaf": 120_001}, 422, "amount_xaf"),
        ({"disbursed_on": str(localdate() + dt.timedelta(days=2))}, 422, "disbursed_on"),
        ({"rate_percent": 121}, 422, "rate_percent"),
        ({"colour": "blue"}, 422, "colour"),
        ({"refinances": NOBODY}, 422, "refinances"),
    ],
)
def test_a_wrong_disbursement_is_refused_and_nothing_is_stored(
    api, world, application, change, status, field
):
    with world.scope():
        before = Credit.objects.count()

    answer = send(api(world.analyst), "post", CREDITS, {"application": str(application.uid), **change})

    assert answer.status_code == status
    assert field is None or set(answer.json()["fields"]) == {field}
    with world.scope():
        assert Credit.objects.count() == before


def test_a_reading_is_known_and_the_same_state_is_not_sent_twice(api, world, lent):
    client = api(world.auditor)
    answer = client.get(f"{CREDITS}/{lent['id']}")

    assert answer.json() == lent
    with world.scope():
        entry = AuditEntry.objects.order_by("-pk").first()
        assert (entry.action, str(entry.object_uid)) == ("credit.read", lent["id"])
    again = client.get(f"{CREDITS}/{lent['id']}", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_the_list_is_filtered_and_costs_few_statements(api, world, lent):
    client = api(world.analyst)
    with own_statements() as asked:
        rows = client.get(CREDITS, {"client": lent["client"]["id"], "status": "active", "limit": "100"})

    assert lent["id"] in [row["id"] for row in rows.json()["results"]]
    assert {row["client"]["id"] for row in rows.json()["results"]} == {lent["client"]["id"]}
    assert len(asked) <= 6, asked
    assert client.get(CREDITS, {"reference": lent["reference"]}).json()["results"][0]["id"] == lent["id"]


def test_the_list_goes_from_page_to_page(api, world):
    client = api(world.analyst)
    first = client.get(CREDITS, {"limit": "10"}).json()
    second = client.get(first["next"]).json()

    with world.scope():
        rows = Credit.objects.order_by("-disbursed_on", "-uid").values_list("uid", flat=True)[:20]
        assert [row["id"] for row in first["results"] + second["results"]] == [str(uid) for uid in rows]


@pytest.mark.parametrize("query", [{"status": "lost"}, {"from": "2026-02-30"}, {"mine": "1"}])
def test_a_wrong_filter_is_named(api, world, query):
    assert set(api(world.analyst).get(CREDITS, query).json()["fields"]) == set(query)


def test_instalments_say_what_they_have_got(api, world, lent):
    send(api(world.analyst), "post", REPAYMENTS, paid(lent))

    rows = api(world.analyst).get(f"{CREDITS}/{lent['id']}/installments").json()["results"]

    assert [row["number"] for row in rows] == list(range(1, 13))
    assert [row["paid_xaf"] for row in rows[:3]] == [10_000, 5_000, 0]
    assert [row["settled_on"] for row in rows[:2]] == [str(localdate()), None]
    assert not any(row["replaced"] for row in rows)


def test_the_same_receipt_is_answered_with_the_first(api, world, lent):
    client = api(world.analyst)
    first = send(client, "post", REPAYMENTS, paid(lent))
    again = send(client, "post", REPAYMENTS, paid(lent))

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (first.json()["source"], first.json()["amount_xaf"]) == ("api", 15_000)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"credit": NOBODY}, 404, None),
        ({"paid_on": str(localdate() + dt.timedelta(days=2))}, 422, "paid_on"),
        ({"paid_on": "2001-01-01"}, 422, "paid_on"),
        ({"amount_xaf": 120_001}, 422, "amount_xaf"),
        ({"amount_xaf": 0}, 422, "amount_xaf"),
        ({"reference": ""}, 422, "reference"),
        ({"reference": None}, 422, "reference"),
        ({"note": "x"}, 422, "note"),
    ],
)
def test_a_wrong_repayment_is_refused_and_nothing_is_stored(api, world, lent, change, status, field):
    answer = send(api(world.analyst), "post", REPAYMENTS, paid(lent, **change))

    assert answer.status_code == status
    assert field is None or set(answer.json()["fields"]) == {field}
    with world.scope():
        assert not Repayment.objects.filter(credit__uid=lent["id"]).exists()


def test_too_much_says_in_french_what_to_do(api, world, lent):
    answer = send(
        api(world.analyst), "post", REPAYMENTS, paid(lent, amount_xaf=130_000), **{"Accept-Language": "fr"}
    )

    assert "120\N{NARROW NO-BREAK SPACE}000 FCFA" in answer.json()["fields"]["amount_xaf"][0]


def test_the_last_franc_closes_and_the_next_is_refused(api, world, lent):
    client = api(world.analyst)
    send(client, "post", REPAYMENTS, paid(lent, amount_xaf=120_000))

    body = client.get(f"{CREDITS}/{lent['id']}").json()
    assert (body["status"], body["closed_on"], body["position"]["payable_xaf"]) == (
        "closed",
        str(localdate()),
        0,
    )
    answer = send(client, "post", REPAYMENTS, paid(lent, reference="API-2", amount_xaf=1))
    assert (answer.status_code, answer.json()["code"]) == (409, "moved")


def test_repayments_are_listed_by_credit_and_by_day(api, world, lent):
    client = api(world.analyst)
    send(client, "post", REPAYMENTS, paid(lent))
    send(client, "post", REPAYMENTS, paid(lent, reference="API-0", paid_on=lent["disbursed_on"]))

    rows = client.get(REPAYMENTS, {"credit": lent["id"]}).json()["results"]
    assert [row["reference"] for row in rows] == ["API-1", "API-0"]
    rows = client.get(REPAYMENTS, {"credit": lent["id"], "from": str(localdate())}).json()["results"]
    assert [row["reference"] for row in rows] == ["API-1"]
    assert client.get(REPAYMENTS, {"credit": NOBODY}).status_code == 404
    assert client.get(REPAYMENTS, {"reference": "API-0"}).json()["results"][0]["credit"] == lent["id"]


def test_an_idempotency_key_answers_again_and_refuses_another_body(api, world, lent):
    client = api(world.analyst)
    key = {"Idempotency-Key": "remboursement-1"}
    first = send(client, "post", REPAYMENTS, paid(lent), **key)
    again = send(client, "post", REPAYMENTS, paid(lent), **key)
    other = send(client, "post", REPAYMENTS, paid(lent, amount_xaf=1), **key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    with world.scope():
        assert Repayment.objects.filter(credit__uid=lent["id"]).count() == 1


def test_an_agent_sees_the_own_agency_only(api, world):
    own = world.actor(world.agent).agency_ids
    with world.scope():
        elsewhere = Credit.objects.exclude(agency__in=own).first()
        here = Credit.objects.filter(agency__in=own).first()
        foreign = Repayment.objects.filter(credit=elsewhere).first()
        codes = set(Agency.objects.filter(pk__in=own).values_list("code", flat=True))
    client = api(world.agent)

    assert client.get(f"{CREDITS}/{elsewhere.uid}").status_code == 404
    assert client.get(f"{CREDITS}/{elsewhere.uid}/installments").status_code == 404
    assert client.get(REPAYMENTS, {"credit": str(elsewhere.uid)}).status_code == 404
    assert client.get(REPAYMENTS, {"reference": foreign.reference}).json()["results"] == []
    body = {"credit": str(elsewhere.uid), "reference": "X", "paid_on": str(localdate()), "amount_xaf": 1}
    assert send(client, "post", REPAYMENTS, body).status_code == 404
    assert client.get(f"{CREDITS}/{here.uid}").status_code == 200
    rows = client.get(CREDITS, {"limit": "100"}).json()["results"]
    assert {row["agency"]["code"] for row in rows} == codes


@pytest.mark.parametrize("email", ["auditeur@horizon.demo", "comite@horizon.demo", "admin@horizon.demo"])
def test_readers_write_nothing(api, lent, email):
    assert send(api(email), "post", REPAYMENTS, paid(lent)).status_code == 403
    assert send(api(email), "post", CREDITS, {"application": NOBODY}).status_code == 403
    assert api(email).get(f"{CREDITS}/{lent['id']}").status_code == 200


def test_nothing_is_deleted(api, world, lent):
    assert api(world.analyst).delete(f"{CREDITS}/{lent['id']}").status_code == 405
    with world.scope():
        assert Installment.objects.filter(credit__uid=lent["id"]).count() == 12


def test_a_partner_writes_off_and_restructures_for_a_reason(api, world, lent):
    decides = api(world.risk_manager)
    path = f"/api/v1/credits/{lent['id']}"
    today = timezone.localdate().isoformat()

    bare = send(decides, "post", f"{path}/write-off", {})
    done = send(
        decides,
        "post",
        f"{path}/restructure",
        {
            "on": today,
            "duration_months": 24,
            "rate_percent": 10,
            "for_difficulty": False,
            "reason": "Convenance",
        },
    )
    off = send(decides, "post", f"{path}/write-off", {"reason": "Décès sans héritier"})
    again = send(decides, "post", f"{path}/write-off", {"reason": "Encore"})

    assert (bare.status_code, set(bare.json()["fields"])) == (422, {"reason"})
    assert (done.status_code, done.json()["status"]) == (200, "restructured"), done.json()
    assert (off.status_code, off.json()["status"], off.json()["written_off_on"]) == (
        200,
        "written_off",
        today,
    )
    assert (again.status_code, again.json()["code"]) == (409, "moved")


@pytest.mark.parametrize("verb", ["write-off", "restructure"])
def test_who_does_not_decide_ends_no_credit(api, world, lent, verb):
    answer = send(api(world.agent), "post", f"/api/v1/credits/{lent['id']}/{verb}", {"reason": "x"})

    assert answer.status_code == 403
