"""Early signs: the first instalment, and the delay at three months, by repayments or by balances."""

import datetime as dt

import pytest

from apps.credits.models import CreditStatement, Repayment
from apps.credits.queries.early import EarlySigns, early_signs
from tests.credits.lending import lent, pay

pytestmark = pytest.mark.django_db

START = dt.date(2026, 1, 15)
MONTH = dt.date(2026, 1, 1)


def signs(on):
    return early_signs(start=dt.date(2026, 1, 1), on=on)


def test_by_repayments(lender):
    punctual, late = (lent(lender, on=START) for _ in range(2))
    lent(lender, on=START)  # never pays
    pay(punctual, lender, 3)
    pay(late, lender, 1)

    assert signs(dt.date(2026, 3, 16)) == [EarlySigns(MONTH, 0, 0, 0, 0)]
    assert signs(dt.date(2026, 3, 17)) == [EarlySigns(MONTH, 3, 1, 0, 0)]
    assert signs(dt.date(2026, 4, 17)) == [EarlySigns(MONTH, 3, 1, 3, 2)]


def test_a_late_payment_does_not_undo_the_sign(lender):
    credit = lent(lender, on=START)
    pay(credit, lender, 1)
    Repayment.objects.update(paid_on=dt.date(2026, 4, 1))

    assert signs(dt.date(2026, 5, 1)) == [EarlySigns(MONTH, 1, 1, 1, 1)]


def test_by_balances_where_no_repayment_is_recorded(lender):
    lines = [lent(lender, on=START) for _ in range(3)]
    for credit, days in zip(lines[:2], (0, 44), strict=True):
        for day in (dt.date(2026, 3, 31), dt.date(2026, 4, 30)):
            CreditStatement.objects.create(credit=credit, date=day, outstanding_xaf=100_000, days_late=days)

    assert signs(dt.date(2026, 5, 1)) == [EarlySigns(MONTH, 2, 1, 2, 1)]


def test_a_silent_credit_among_others_is_judged_by_its_balance(lender):
    pay(lent(lender, on=START), lender, 3)
    silent = lent(lender, on=START)
    CreditStatement.objects.create(
        credit=silent, date=dt.date(2026, 3, 31), outstanding_xaf=90_000, days_late=0
    )

    assert signs(dt.date(2026, 5, 1)) == [EarlySigns(MONTH, 2, 0, 2, 0)]


def test_one_credit_type(lender):
    lent(lender, on=START)

    assert early_signs(start=START, on=dt.date(2026, 5, 1), credit_type="scolaire") == []
