"""Outcomes derived from the ledger and from monthly balances: whole cohorts, nothing overwritten."""

import contextvars
import datetime as dt

import pytest
from django.utils.timezone import localdate

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus, EntrySource, Exclusion
from apps.credits.models import CreditApplication, CreditStatement
from apps.credits.queries.ledger import HORIZON_SETTING
from apps.credits.services.outcomes import count_cancelled, derive_outcomes
from apps.credits.tasks import derive_all_outcomes
from apps.engine.ledger import add_months
from apps.institutions.services import set_setting
from apps.tenancy import context
from tests.credits.lending import OLD, lent, pay

pytestmark = pytest.mark.django_db


def outcome_of(credit):
    row = CreditApplication.objects.get(pk=credit.application_id)
    return row.outcome, row.outcome_date, row.outcome_source


def test_matured_credits_get_their_outcome(lender):
    good, late = lent(lender), lent(lender)
    pay(good, lender, 12)
    pay(late, lender, 3)
    run = derive_outcomes(by=lender)
    assert dict(run.found) == {"good": 1, "default": 1}
    assert outcome_of(good) == ("good", add_months(OLD, 12), "ledger")
    assert outcome_of(late) == ("default", add_months(OLD, 4) + dt.timedelta(days=91), "ledger")
    assert AuditEntry.objects.order_by("-pk").first().action == "outcome.derive"


def test_a_young_credit_has_none_whatever_happened(lender):
    credit = lent(lender, on=add_months(localdate(), -11))
    run = derive_outcomes(by=lender)
    assert (run.young, dict(run.found)) == (1, {})
    assert outcome_of(credit) == ("", None, "")


def test_the_horizon_is_a_dated_setting(world, lender):
    credit = lent(lender, on=add_months(localdate(), -11))
    set_setting(key=HORIZON_SETTING, value=9, by=lender, reason="Cohortes plus courtes")
    derive_outcomes(by=lender)
    assert outcome_of(credit)[0] == "default"


def test_derived_twice_changes_nothing_and_writes_nothing(lender):
    lent(lender)
    derive_outcomes(by=lender)
    entries = AuditEntry.objects.count()
    run = derive_outcomes(by=lender)
    assert (run.kept, dict(run.found)) == (1, {})
    assert AuditEntry.objects.count() == entries


def test_a_late_entry_corrects_what_was_derived(lender):
    credit = lent(lender)
    derive_outcomes(by=lender)
    pay(credit, lender, 12)
    derive_outcomes(by=lender)
    assert outcome_of(credit)[0] == "good"


def test_an_imported_outcome_is_kept_unless_there_is_a_reason(lender):
    credit = lent(lender)
    known = {"outcome": "good", "outcome_date": localdate(), "outcome_source": "import"}
    CreditApplication.objects.filter(pk=credit.application_id).update(**known)
    run = derive_outcomes(by=lender)
    assert run.differing == 1
    assert outcome_of(credit) == ("good", localdate(), "import")
    derive_outcomes(by=lender, reason="Fichier repris par erreur")
    assert outcome_of(credit)[0] == "default"
    assert AuditEntry.objects.order_by("-pk").first().after["reason"] == "Fichier repris par erreur"


@pytest.mark.parametrize("why", list(Exclusion))
def test_excluded_credits_are_counted_and_have_no_outcome(lender, why):
    credit = lent(lender, exclusion=why)
    run = derive_outcomes(by=lender)
    assert dict(run.excluded) == {why: 1}
    assert outcome_of(credit)[0] == ""


def test_principal_at_the_end_matures_four_months_after_it(lender):
    early = lent(lender, repayment_kind="seasonal")
    ripe = lent(lender, on=add_months(localdate(), -16), repayment_kind="in_fine")
    derive_outcomes(by=lender)
    assert (outcome_of(early)[0], outcome_of(ripe)[0]) == ("", "default")


def test_chunks_go_through_everything_once(lender):
    for _ in range(5):
        lent(lender)
    first = derive_outcomes(by=lender, size=2)
    second = derive_outcomes(by=lender, size=2, after=first.last)
    third = derive_outcomes(by=lender, size=2, after=second.last)
    assert [run.found["default"] for run in (first, second, third)] == [2, 2, 1]
    assert third.last is None


def test_balances_speak_for_credits_without_repayments(lender):
    good, late, lost = lent(lender), lent(lender), lent(lender)
    for month in range(1, 14):
        for credit, days in ((good, 0), (late, max(0, 30 * (month - 4)))):
            CreditStatement.objects.create(
                credit=credit,
                date=add_months(OLD, month),
                outstanding_xaf=60_000,
                days_late=days,
                source=EntrySource.IMPORT,
            )
    CreditStatement.objects.create(credit=lost, date=add_months(OLD, 3), outstanding_xaf=90_000, days_late=45)
    run = derive_outcomes(by=lender)
    assert outcome_of(good) == ("good", add_months(OLD, 12), "statements")
    assert outcome_of(late)[0] == "default"
    assert outcome_of(late)[2] == "statements"
    assert run.unclear == 1
    assert outcome_of(lost)[0] == ""


def test_an_outcome_that_nothing_tells_any_more_is_withdrawn(lender):
    """The balances it came from were taken back; the other credit turned out to be one of the staff."""
    followed, staff, told = lent(lender), lent(lender), lent(lender)
    for month in range(1, 14):
        CreditStatement.objects.create(
            credit=followed, date=add_months(OLD, month), outstanding_xaf=60_000, days_late=0
        )
    known = {"outcome": "good", "outcome_date": localdate(), "outcome_source": "import"}
    CreditApplication.objects.filter(pk=told.application_id).update(**known)
    derive_outcomes(by=lender)
    assert (outcome_of(followed)[2], outcome_of(staff)[2]) == ("statements", "ledger")

    CreditStatement.objects.filter(credit=followed, date__gt=add_months(OLD, 2)).delete()
    for credit in (staff, told):
        credit.exclusion = Exclusion.STAFF
        credit.save()
    run = derive_outcomes(by=lender)

    assert (run.withdrawn, run.unclear) == (2, 1)
    assert outcome_of(followed) == outcome_of(staff) == ("", None, "")
    assert outcome_of(told) == ("good", localdate(), "import")
    assert AuditEntry.objects.order_by("-pk").first().after == {"outcomes": {}, "withdrawn": 2}
    assert derive_outcomes(by=lender).withdrawn == 0


def test_cancelled_applications_are_counted(lender):
    file = CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED).first()
    CreditApplication.objects.filter(pk=file.pk).update(status=ApplicationStatus.CANCELLED)
    assert count_cancelled(start=file.applied_on, end=file.applied_on) == 1


def test_the_nightly_task_goes_to_every_institution(world, lender):
    credit = lent(lender)
    other = world.institution_id("ngwa")
    _leave_scope(derive_all_outcomes)
    assert outcome_of(credit)[0] == "default"
    assert other != credit.institution_id


def _leave_scope(task):
    """Run a task as a worker does, which has no scope open; on the connection of the test, all the same.

    A context without anything would do, but for the browsers of other tests: while one is open, an event
    loop runs and Django keeps its connections in the context.
    """

    def without_scope():
        context._institution.set(None)
        task()

    contextvars.copy_context().run(without_scope)
