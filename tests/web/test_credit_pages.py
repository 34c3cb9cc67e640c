"""Credits on the client's file, the page of one, and the entry of a repayment."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils.timezone import localdate

from apps.audit.models import AuditEntry
from apps.credits.models import Credit, CreditApplication, Installment, Repayment
from apps.credits.queries.ledger import ledger_of
from apps.engine.ledger import position
from tests.api.sending import send
from tests.statements import own_statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def credit(world):
    """Return a running credit of which at least two instalments are unpaid."""
    with world.scope():
        rows = Credit.objects.select_related("client").filter(status="active").order_by("-disbursed_on")
        return next(row for row in rows if row.duration_months > 6)


def address(credit):
    return reverse("web:credit", args=[credit.uid])


def entry(credit):
    return reverse("web:repayment_new", args=[credit.uid])


def typed(**values):
    return {"amount_xaf": "10 000", "paid_on": f"{localdate():%d/%m/%Y}", "reference": "REC-77", **values}


def test_the_clients_file_lists_the_credits(page, world, credit):
    body = page(world.analyst).get(reverse("web:client", args=[credit.client.uid])).content.decode()

    with world.scope():
        found = position(ledger_of(credit), on=localdate())
    assert address(credit) in body
    assert f"{found.next_due.due_on:%d/%m/%Y}" in body


def test_the_page_shows_the_ledger(page, world, credit):
    answer = page(world.analyst).get(address(credit))

    with world.scope():
        assert len(answer.context["schedule"]) == Installment.objects.filter(credit=credit).count()
        assert len(answer.context["repayments"]) == Repayment.objects.filter(credit=credit).count()
        found = position(ledger_of(credit), on=localdate())
        read = AuditEntry.objects.order_by("-pk").first()
    amount = f"{found.outstanding_xaf:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    assert amount in answer.content.decode()
    assert (read.action, read.object_uid) == ("credit.read", credit.uid)


def test_the_page_costs_few_statements(page, world, credit):
    client = page(world.analyst)
    with own_statements() as asked:
        client.get(address(credit))
    assert len(asked) <= 12, asked


def test_declared_delays_stand_beside_the_computed_ones(page, world, credit):
    with world.scope():
        later = CreditApplication.objects.filter(client=credit.client).order_by("-applied_on").first()
        CreditApplication.objects.filter(pk=later.pk).update(
            applied_on=localdate(), nb_retards_30j=7, nb_retards_60j=None, nb_retards_90j=0
        )

    line = page(world.analyst).get(address(credit)).context["compared"][0]

    assert line.uid == later.uid
    assert line.facts[0][1] == localdate()
    assert [words.split()[1] for _label, words in line.facts[1:]] == ["7", "?", "0"]


def test_a_repayment_is_entered_once(page, world, credit):
    client = page(world.analyst)
    with world.scope():
        before = position(ledger_of(credit), on=localdate()).payable_xaf

    for _ in range(2):
        answer = client.post(entry(credit), typed())
        assert answer.status_code == 302, answer.context["form"].errors
        assert answer["Location"] == address(credit)

    with world.scope():
        assert position(ledger_of(credit), on=localdate()).payable_xaf == before - 10_000
        noted = Repayment.objects.get(reference="REC-77")
        assert (noted.source, noted.author_id) == ("typed", world.user(world.analyst).pk)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount_xaf": "0"}, "amount_xaf"),
        ({"amount_xaf": "999 999 999"}, "amount_xaf"),
        ({"amount_xaf": "1,5"}, "amount_xaf"),
        ({"paid_on": f"{localdate() + dt.timedelta(days=2):%d/%m/%Y}"}, "paid_on"),
        ({"paid_on": "01/01/2001"}, "paid_on"),
        ({"reference": ""}, "reference"),
    ],
)
def test_a_wrong_repayment_is_shown_beside_its_field(page, world, credit, values, field):
    answer = page(world.analyst).post(entry(credit), typed(**values))

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    with world.scope():
        assert not Repayment.objects.filter(reference="REC-77").exists()


def test_a_credit_that_is_paid_off_takes_no_more(page, world):
    with world.scope():
        done = Credit.objects.filter(status="closed").first()
    client = page(world.analyst)

    assert entry(done) not in client.get(address(done)).content.decode()
    answer = client.post(entry(done), typed())
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["__all__"]


@pytest.mark.parametrize(
    ("email", "reads", "writes"),
    [
        ("risques@horizon.demo", 200, 200),
        ("auditeur@horizon.demo", 200, 403),
        ("comite@horizon.demo", 200, 403),
        ("commercial@horizon.demo", 403, 403),
        ("analyste@ngwa.demo", 404, 404),
    ],
)
def test_roles(page, credit, email, reads, writes):
    client = page(email)
    answer = client.get(address(credit))

    assert answer.status_code == reads
    assert client.get(entry(credit)).status_code == writes
    if reads == 200:
        assert (entry(credit) in answer.content.decode()) == (writes == 200)


def test_an_agent_works_in_the_own_agencies(page, world):
    own = world.actor(world.agent).agency_ids
    with world.scope():
        here = Credit.objects.filter(agency__in=own).first()
        elsewhere = Credit.objects.exclude(agency__in=own).first()
    client = page(world.agent)

    assert client.get(address(here)).status_code == 200
    assert client.get(address(elsewhere)).status_code == 404
    assert client.post(entry(elsewhere), typed()).status_code == 404


# --- written off, restructured -------------------------------------------------------------------------


def change(name, credit):
    return reverse(f"web:{name}", args=[credit.uid])


def test_a_credit_is_written_off_for_a_reason(page, world, credit):
    client = page(world.risk_manager)
    assert change("credit_write_off", credit) in client.get(address(credit)).content.decode()
    assert client.get(change("credit_write_off", credit)).status_code == 200

    answer = client.post(
        change("credit_write_off", credit),
        {"on": f"{localdate():%d/%m/%Y}", "reason": "Introuvable depuis un an"},
    )

    assert answer.url == address(credit)
    with world.scope():
        stored = Credit.objects.get(pk=credit.pk)
        assert (stored.status, stored.written_off_on) == ("written_off", localdate())
        entry = AuditEntry.objects.filter(action="credit.write_off").latest("pk")
        assert entry.after == {"reason": "Introuvable depuis un an"}
    assert change("credit_write_off", credit) not in client.get(address(credit)).content.decode()
    assert (
        client.post(change("credit_write_off", credit), {"on": "01/01/2026", "reason": "x"}).status_code
        == 422
    )


def test_a_credit_is_restructured_with_a_new_schedule(page, world, credit):
    with world.scope():
        last = Repayment.objects.filter(credit=credit).order_by("-paid_on").first()
        before = Installment.objects.filter(credit=credit).count()
        left = position(ledger_of(credit), on=localdate() - dt.timedelta(days=1)).outstanding_xaf
    assert last is None or last.paid_on < localdate()
    client = page(world.risk_manager)
    shown = client.get(change("credit_restructure", credit)).content.decode()
    assert "error-summary" not in shown

    answer = client.post(
        change("credit_restructure", credit),
        {
            "on": f"{localdate():%d/%m/%Y}",
            "duration_months": "18",
            "rate_percent": "12,5",
            "repayment_kind": "constant",
            "for_difficulty": "on",
            "reason": "Marché incendié",
        },
    )

    assert answer.status_code == 302, answer.content.decode()
    with world.scope():
        stored = Credit.objects.get(pk=credit.pk)
        assert (stored.status, stored.for_difficulty) == ("restructured", True)
        new = Installment.objects.filter(credit=credit, schedule_from=localdate())
        assert new.count() == 18
        assert sum(each.principal_xaf for each in new) == left
        assert Installment.objects.filter(credit=credit).count() == before + 18


@pytest.mark.parametrize("name", ["credit_write_off", "credit_restructure"])
def test_without_a_reason_nothing_changes(page, world, credit, name):
    values = {"on": f"{localdate():%d/%m/%Y}", "duration_months": "12", "rate_percent": "10", "reason": " "}

    answer = page(world.risk_manager).post(change(name, credit), {**values, "repayment_kind": "constant"})

    assert answer.status_code == 422
    assert "reason" in answer.context["form"].errors
    with world.scope():
        assert Credit.objects.get(pk=credit.pk).status == "active"


@pytest.mark.parametrize("name", ["credit_write_off", "credit_restructure"])
@pytest.mark.parametrize(
    ("email", "status"),
    [("agent@horizon.demo", 403), ("auditeur@horizon.demo", 403), ("analyste@ngwa.demo", 404)],
)
def test_who_does_not_decide_changes_no_credit(page, world, credit, name, email, status):
    client = page(email)

    assert client.get(change(name, credit)).status_code == status
    assert client.post(change(name, credit), {"reason": "x"}).status_code == status


@pytest.mark.parametrize("text", ["a\r\nb", "a\x1b[2J", "a\tb"])
def test_a_receipt_number_has_one_line_and_nothing_unseen(page, world, api, credit, text):
    by_page = page(world.analyst).post(entry(credit), typed(reference=text))
    receipt = {
        "credit": str(credit.uid),
        "reference": text,
        "paid_on": localdate().isoformat(),
        "amount_xaf": 1,
    }
    by_api = send(api(world.analyst), "post", "/api/v1/repayments", receipt)

    assert "reference" in by_page.context["form"].errors
    assert (by_api.status_code, set(by_api.json()["fields"])) == (422, {"reference"})


def test_references_are_shown_as_text(page, world, credit):
    hostile = "<script>alert(1)</script>"
    page(world.analyst).post(entry(credit), typed(reference=hostile))
    with world.scope():
        Credit.objects.filter(pk=credit.pk).update(reference=f"{hostile}2")
        assert Repayment.objects.filter(reference=hostile).exists()

    body = page(world.analyst).get(address(credit)).content.decode()

    assert hostile not in body
    assert body.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2
