"""What tests of the ledger share."""

import pytest

from apps.credits.models import Credit, CreditStatement, Installment, Repayment


@pytest.fixture
def lender(world):
    """Act as the analyst in horizon's scope, where nothing was lent yet."""
    actor = world.actor(world.analyst)
    with world.scope("horizon"):
        Repayment.objects.all().delete()
        CreditStatement.objects.all().delete()
        Installment.objects.all().delete()
        Credit.objects.all().delete()
        yield actor
