"""The demonstration's ledger as it stands in the tables."""

import pytest

from apps.credits.models import Credit, CreditApplication, CreditStatement, Installment, Repayment
from apps.credits.queries.ledger import ledgers_of
from apps.credits.services.outcomes import derive_outcomes
from apps.engine.ledger import position, verdict
from tests.world import AS_OF

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["horizon", "ngwa"])
def institution(request, world):
    with world.scope(request.param):
        yield world.actor(f"analyste@{request.param}.demo")


def test_every_disbursed_application_has_its_credit(institution):
    lent = CreditApplication.objects.filter(status="disbursed")
    assert Credit.objects.count() > 250
    assert set(Credit.objects.values_list("application_id", flat=True)) <= set(
        lent.values_list("pk", flat=True)
    )
    for model in (Installment, Repayment, CreditStatement):
        assert set(model.objects.values_list("credit_id", flat=True)) <= set(
            Credit.objects.values_list("pk", flat=True)
        )


def test_outcomes_derived_from_the_tables_are_those_of_the_generator(institution):
    run = derive_outcomes(by=institution, size=5_000, on=AS_OF)
    labelled = CreditApplication.objects.exclude(outcome="").count()
    assert (run.kept, run.differing, dict(run.found)) == (labelled, 0, {})
    assert labelled > 150


def test_the_status_of_a_credit_is_that_of_its_ledger(institution):
    rows = list(Credit.objects.order_by("pk")[:300])
    ledgers = ledgers_of(rows)
    for row in rows:
        found = position(ledgers[row.pk], on=AS_OF)
        assert (found.payable_xaf == 0) == (row.status == "closed")
    some = verdict(ledgers[rows[0].pk], observed_on=AS_OF)
    assert some is not None
