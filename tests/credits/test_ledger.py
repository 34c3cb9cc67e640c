"""Credits lent, repaid, ended: what services store and what they refuse."""

import datetime as dt
from dataclasses import replace
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils.timezone import localdate

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus, CreditStatus, Exclusion
from apps.credits.errors import ApplicationMoved, CreditMoved
from apps.credits.models import Client, Credit, CreditApplication, Installment, Repayment
from apps.credits.queries.ledger import compare_arrears, ledger_of, ledgers_of
from apps.credits.services.ledger import (
    Disbursement,
    Receipt,
    Restructuring,
    close_credit,
    disburse_application,
    record_repayment,
    restructure_credit,
    write_off,
)
from apps.engine.ledger import add_months, delays, position, verdict
from apps.institutions.models import Agency
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

LENT = add_months(localdate(), -5)


def granted(number=0, **values):
    """Return a granted application of one agency: 120,000 FCFA over 12 months without interest."""
    agency = Agency.objects.order_by("pk")[number]
    client = Client.objects.filter(agency=agency).order_by("pk").first()
    given = {"montant_credit": 120_000, "duree_mois": 12, "taux_interet": 0.0, **values}
    return CreditApplication.objects.create(
        client=client,
        agency=agency,
        reference=f"T-{CreditApplication.objects.count()}",
        status=ApplicationStatus.APPROVED,
        applied_on=add_months(LENT, -1),
        age=40,
        type_credit="consommation",
        **given,
    )


def lent(by, application=None, **values):
    terms = Disbursement(**{"disbursed_on": LENT, **values})
    return disburse_application(uid=(application or granted()).uid, terms=terms, by=by)


def receipt(amount=10_000, reference="R-1", paid_on=None):
    return Receipt(reference, paid_on or add_months(LENT, 1), amount)


@pytest.fixture
def analyst(world):
    actor = world.actor(world.analyst)
    with world.scope("horizon"):
        yield actor


@pytest.fixture
def agent(world, analyst):
    return world.actor(world.agent)


# -- disbursement


def test_a_granted_application_becomes_a_credit_with_its_schedule(analyst):
    application = granted(taux_interet=24.0)
    credit = lent(analyst, application, reference="P-100")
    application.refresh_from_db()
    assert application.status == ApplicationStatus.DISBURSED
    assert (credit.amount_xaf, credit.duration_months, credit.rate_percent) == (120_000, 12, 24.0)
    assert (credit.client_id, credit.agency_id) == (application.client_id, application.agency_id)
    assert credit.author_id == analyst.id
    rows = Installment.objects.filter(credit=credit).order_by("number")
    assert [row.number for row in rows] == list(range(1, 13))
    assert sum(row.principal_xaf for row in rows) == 120_000
    assert {row.schedule_from for row in rows} == {LENT}
    entry = AuditEntry.objects.order_by("-pk").first()
    assert (entry.action, entry.object_uid) == ("credit.disburse", credit.uid)


def test_a_second_disbursement_is_refused(analyst):
    application = granted()
    lent(analyst, application)
    with pytest.raises(ApplicationMoved):
        lent(analyst, application)
    assert Credit.objects.filter(application=application).count() == 1


@pytest.mark.parametrize("status", ["submitted", "declined", "draft", "cancelled"])
def test_what_is_not_granted_is_not_disbursed(analyst, status):
    application = granted()
    CreditApplication.objects.filter(pk=application.pk).update(status=status)
    with pytest.raises(ApplicationMoved):
        lent(analyst, application)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"disbursed_on": localdate() + dt.timedelta(days=2)}, "disbursed_on"),
        ({"disbursed_on": add_months(LENT, -2)}, "disbursed_on"),
        ({"amount_xaf": 120_001}, "amount_xaf"),
        ({"amount_xaf": 0}, "amount_xaf"),
        ({"duration_months": 0}, "duration_months"),
        ({"rate_percent": 121.0}, "rate_percent"),
        ({"repayment_kind": "never"}, "repayment_kind"),
        ({"exclusion": "whim"}, "exclusion"),
    ],
)
def test_impossible_disbursements_name_the_field(analyst, values, field):
    with pytest.raises(InvalidValues) as refusal:
        lent(analyst, **values)
    assert set(refusal.value.fields) == {field}
    assert not Installment.objects.filter(schedule_from=LENT, principal_xaf=10_000).exists()


def test_a_reference_serves_once(analyst):
    lent(analyst, reference="P-7")
    with pytest.raises(InvalidValues) as refusal:
        lent(analyst, reference="P-7")
    assert set(refusal.value.fields) == {"reference"}


def test_an_agent_disburses_in_the_own_agencies_only(agent):
    own = Agency.objects.get(pk=min(agent.agency_ids))
    places = list(Agency.objects.order_by("pk"))
    lent(agent, granted(places.index(own)))
    with pytest.raises(ObjectNotFound):
        lent(agent, granted(next(i for i, each in enumerate(places) if each != own)))


@pytest.mark.parametrize("email", ["auditeur@horizon.demo", "comite@horizon.demo"])
def test_readers_write_nothing(world, analyst, email):
    credit = lent(analyst)
    reader = world.actor(email)
    with pytest.raises(NotAllowed):
        lent(reader)
    with pytest.raises(NotAllowed):
        record_repayment(uid=credit.uid, receipt=receipt(), by=reader)
    with pytest.raises(NotAllowed):
        write_off(uid=credit.uid, reason="Perdu", by=reader)
    with pytest.raises(NotAllowed):
        close_credit(uid=credit.uid, by=reader)


def test_a_credit_of_another_agency_is_unknown(analyst):
    credit = lent(analyst)
    elsewhere = replace(analyst, agency_ids=frozenset({-1}))
    with pytest.raises(ObjectNotFound):
        record_repayment(uid=credit.uid, receipt=receipt(), by=elsewhere)


# -- repayments


def test_repayments_go_to_the_oldest_instalment(analyst):
    credit = lent(analyst)
    noted, new = record_repayment(uid=credit.uid, receipt=receipt(15_000), by=analyst)
    assert (new, noted.author_id, noted.source) == (True, analyst.id, "typed")
    found = position(ledger_of(credit), on=add_months(LENT, 2))
    assert (found.outstanding_xaf, found.next_xaf, found.days_past_due) == (105_000, 5_000, 0)
    assert found.next_due.number == 2
    assert position(ledger_of(credit), on=add_months(LENT, 3)).days_past_due > 27


def test_the_same_receipt_is_noted_once(analyst):
    credit = lent(analyst)
    first, _new = record_repayment(uid=credit.uid, receipt=receipt(), by=analyst)
    again, new = record_repayment(uid=credit.uid, receipt=receipt(), by=analyst)
    assert (again.pk, new) == (first.pk, False)
    assert Repayment.objects.filter(credit=credit).count() == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (receipt(9_000), "reference"),
        (receipt(paid_on=localdate()), "reference"),
        (receipt(reference="R-2", paid_on=localdate() + dt.timedelta(days=2)), "paid_on"),
        (receipt(reference="R-2", paid_on=LENT - dt.timedelta(days=1)), "paid_on"),
        (receipt(110_001, "R-2"), "amount_xaf"),
        (receipt(0, "R-2"), "amount_xaf"),
        (receipt(reference=""), "reference"),
    ],
)
def test_repayments_that_cannot_be_name_the_field(analyst, sent, field):
    credit = lent(analyst)
    record_repayment(uid=credit.uid, receipt=receipt(), by=analyst)
    with pytest.raises(InvalidValues) as refusal:
        record_repayment(uid=credit.uid, receipt=sent, by=analyst)
    assert set(refusal.value.fields) == {field}
    assert Repayment.objects.filter(credit=credit).count() == 1


def test_too_much_says_what_is_due(analyst):
    credit = lent(analyst)
    with pytest.raises(InvalidValues) as refusal:
        record_repayment(uid=credit.uid, receipt=receipt(120_001), by=analyst)
    assert "120\N{NARROW NO-BREAK SPACE}000" in refusal.value.fields["amount_xaf"][0]


def test_a_receipt_of_another_credit_is_refused(analyst):
    record_repayment(uid=lent(analyst).uid, receipt=receipt(), by=analyst)
    with pytest.raises(InvalidValues) as refusal:
        record_repayment(uid=lent(analyst).uid, receipt=receipt(), by=analyst)
    assert set(refusal.value.fields) == {"reference"}


def test_the_last_franc_closes_the_credit(analyst):
    credit = lent(analyst)
    record_repayment(uid=credit.uid, receipt=receipt(119_999, paid_on=localdate()), by=analyst)
    credit.refresh_from_db()
    assert credit.status == CreditStatus.ACTIVE
    record_repayment(uid=credit.uid, receipt=receipt(1, "R-2", add_months(LENT, 1)), by=analyst)
    credit.refresh_from_db()
    assert (credit.status, credit.closed_on) == (CreditStatus.CLOSED, localdate())
    with pytest.raises(CreditMoved):
        record_repayment(uid=credit.uid, receipt=receipt(1, "R-3"), by=analyst)
    assert record_repayment(uid=credit.uid, receipt=receipt(1, "R-2"), by=analyst)[1] is False


# -- the ends of a credit


def test_a_credit_settled_early_owes_no_later_interest(analyst):
    credit = lent(analyst, granted(taux_interet=24.0))
    with pytest.raises(InvalidValues) as refusal:
        close_credit(uid=credit.uid, by=analyst)
    assert set(refusal.value.fields) == {"on"}
    due = [row for row in Installment.objects.filter(credit=credit) if row.due_on <= localdate()]
    owed = 120_000 + sum(row.interest_xaf for row in due)
    record_repayment(uid=credit.uid, receipt=receipt(owed, paid_on=localdate()), by=analyst)
    closed = close_credit(uid=credit.uid, by=analyst)
    assert (closed.status, closed.closed_on) == (CreditStatus.CLOSED, localdate())
    assert position(ledger_of(closed), on=localdate()).outstanding_xaf == 0
    with pytest.raises(CreditMoved):
        close_credit(uid=credit.uid, by=analyst)


def test_a_write_off_keeps_what_is_recovered(analyst):
    credit = lent(analyst)
    with pytest.raises(InvalidValues) as refusal:
        write_off(uid=credit.uid, reason=" ", by=analyst)
    assert set(refusal.value.fields) == {"reason"}
    write_off(uid=credit.uid, reason="Introuvable", on=add_months(LENT, 4), by=analyst)
    record_repayment(uid=credit.uid, receipt=receipt(120_000, paid_on=localdate()), by=analyst)
    credit.refresh_from_db()
    assert credit.status == CreditStatus.WRITTEN_OFF
    assert position(ledger_of(credit), on=localdate()).outstanding_xaf == 0
    with pytest.raises(CreditMoved):
        write_off(uid=credit.uid, reason="Encore", by=analyst)


def plan(**values):
    first = {"on": add_months(LENT, 3), "duration_months": 10, "rate_percent": 12.0}
    return Restructuring(**{**first, "for_difficulty": True, "reason": "Récolte perdue", **values})


def test_a_restructuring_replaces_what_is_left(analyst):
    credit = lent(analyst, granted(taux_interet=24.0))
    record_repayment(uid=credit.uid, receipt=receipt(11_348), by=analyst)
    before = position(ledger_of(credit), on=plan().on - dt.timedelta(days=1))
    restructure_credit(uid=credit.uid, plan=plan(), by=analyst)
    credit.refresh_from_db()
    ledger = ledger_of(credit)
    new = ledger.schedules[1].dues
    assert sum(due.principal_xaf for due in new) == before.outstanding_xaf
    assert new[0].interest_xaf > new[1].interest_xaf  # what was due joins the first instalment
    assert position(ledger, on=plan().on).days_past_due == 0
    assert (credit.status, credit.restructured_on) == (CreditStatus.RESTRUCTURED, plan().on)
    assert verdict(ledger, observed_on=add_months(LENT, 12)).cause == "restructured"
    with pytest.raises(InvalidValues) as refusal:
        record_repayment(uid=credit.uid, receipt=receipt(1, "R-2", add_months(LENT, 2)), by=analyst)
    assert set(refusal.value.fields) == {"paid_on"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"on": localdate() + dt.timedelta(days=2)}, "on"),
        ({"on": LENT}, "on"),
        ({"on": add_months(LENT, 1)}, "on"),
        ({"reason": ""}, "reason"),
        ({"duration_months": 121}, "duration_months"),
    ],
)
def test_restructurings_that_cannot_be(analyst, values, field):
    credit = lent(analyst)
    record_repayment(uid=credit.uid, receipt=receipt(), by=analyst)
    with pytest.raises(InvalidValues) as refusal:
        restructure_credit(uid=credit.uid, plan=plan(**values), by=analyst)
    assert field in refusal.value.fields
    assert {row.schedule_from for row in Installment.objects.filter(credit=credit)} == {LENT}


def test_an_agent_does_not_restructure(agent):
    own = list(Agency.objects.order_by("pk").values_list("pk", flat=True)).index(min(agent.agency_ids))
    credit = lent(agent, granted(own))
    with pytest.raises(NotAllowed):
        restructure_credit(uid=credit.uid, plan=plan(), by=agent)


def test_a_new_credit_repays_the_old_one(analyst):
    application = granted()
    old = lent(analyst, application)
    other = CreditApplication.objects.get(pk=granted().pk)
    new = lent(analyst, other, disbursed_on=add_months(LENT, 3), refinances=old.uid)
    old.refresh_from_db()
    assert (old.status, old.closed_on, new.refinances_id) == (CreditStatus.CLOSED, new.disbursed_on, old.pk)
    paid = Repayment.objects.get(credit=old)
    assert (paid.amount_xaf, paid.source) == (120_000, "refinancing")
    assert verdict(ledger_of(old), observed_on=add_months(LENT, 12)).cause == "refinanced"


def test_only_a_running_credit_of_the_same_client_is_repaid_so(analyst):
    old = lent(analyst)
    with pytest.raises(InvalidValues) as refusal:
        lent(analyst, granted(1), disbursed_on=localdate(), refinances=old.uid)
    assert set(refusal.value.fields) == {"refinances"}
    small = granted(montant_credit=100_000)
    with pytest.raises(InvalidValues):
        lent(analyst, small, disbursed_on=localdate(), refinances=old.uid)
    small.refresh_from_db()
    assert small.status == ApplicationStatus.APPROVED


# -- reads


def test_ledgers_take_three_statements_however_many(analyst):
    rows = [lent(analyst) for _ in range(3)]
    with own_statements() as sent:
        found = ledgers_of(rows)
    assert len(sent) == 3
    assert set(found) == {row.pk for row in rows}


def test_declared_delays_stand_beside_those_of_the_ledger(analyst):
    application = granted()
    credit = lent(analyst, application)
    record_repayment(
        uid=credit.uid,
        receipt=receipt(20_000, paid_on=add_months(LENT, 1) + dt.timedelta(days=40)),
        by=analyst,
    )
    later = granted(nb_retards_30j=0, nb_retards_60j=0, nb_retards_90j=0)
    CreditApplication.objects.filter(pk=later.pk).update(applied_on=add_months(LENT, 3))
    found = {each.application.pk: each for each in compare_arrears(analyst, application.client)}
    first, second = found[application.pk], found[later.pk]
    assert second.credits == first.credits + 1
    assert second.computed == (first.computed[0] + 1, *first.computed[1:])
    assert found[later.pk].declared == (0, 0, 0)
    assert found[later.pk].understated


def test_an_excluded_credit_says_why(analyst):
    assert lent(analyst, exclusion=Exclusion.STAFF).exclusion == "staff"
    assert delays(ledger_of(lent(analyst)), on=localdate()).thirty == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_enter_one_repayment_at_once(world):
    analyst, manager = world.actor(world.analyst), world.actor(world.risk_manager)
    with world.scope("horizon"):
        credit = lent(analyst)
    barrier, results = Barrier(2), []

    def enter(by):
        barrier.wait()
        try:
            with world.scope("horizon"):
                results.append(record_repayment(uid=credit.uid, receipt=receipt(), by=by)[1])
        finally:
            connection.close()

    threads = [Thread(target=enter, args=(by,)) for by in (analyst, manager)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [False, True]
    with world.scope("horizon"):
        assert Repayment.objects.filter(credit=credit).count() == 1
