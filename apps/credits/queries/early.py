"""Early signs of default: what the first months of the credits tell, long before their outcome."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, TruncMonth

from apps.credits.models import Credit, CreditStatement, Installment, Repayment

#: Days after which an instalment counts as late, and the age at which credits are looked at: three months.
LATE_DAYS, LOOKED_AT_DAYS = 30, 92
#: A monthly balance speaks for a day when it is no older, or no younger, than this.
_BALANCE_DAYS = 31


@dataclass(frozen=True, slots=True)
class EarlySigns:
    """The credits disbursed in one month.

    Of the ``first_due`` whose first instalment fell due 30 days ago or more, ``first_missed`` had not paid it
    by then; of the ``aged`` that were three months old, ``late`` were 30 days late or more on that day.
    """

    month: dt.date
    first_due: int
    first_missed: int
    aged: int
    late: int


def early_signs(*, start: dt.date, on: dt.date, credit_type: str = "") -> list[EarlySigns]:
    """Return the signs of the credits disbursed from ``start`` on, by month, as known on a day.

    Two statements, however many credits. Of a credit without any repayment the monthly balances decide where
    there are some; where an institution records no repayment at all, only these count.
    """
    rows = Credit.objects.filter(disbursed_on__gte=start, disbursed_on__lte=on, exclusion="")
    if credit_type:
        rows = rows.filter(application__type_credit=credit_type)
    rows = _with_amounts(_with_days(rows))
    first, aged = Q(first_known_on__lte=on), Q(looked_at__lte=on, first_due_on__isnull=False)
    if not Repayment.objects.exists():
        first, aged = first & Q(first_said__isnull=False), aged & Q(third_said__isnull=False)
    in_time_first = Q(any_paid=False, first_said__isnull=False, first_said__lt=LATE_DAYS)
    in_time_third = Q(any_paid=False, third_said__isnull=False, third_said__lt=LATE_DAYS)
    months = (
        rows.annotate(month=TruncMonth("disbursed_on"))
        .order_by("month")
        .values("month")
        .annotate(
            first_due=Count("pk", filter=first),
            first_missed=Count("pk", filter=first & Q(first_paid__lt=F("first_asked")) & ~in_time_first),
            aged=Count("pk", filter=aged),
            late=Count("pk", filter=aged & Q(third_paid__lt=F("third_asked")) & ~in_time_third),
        )
    )
    return [EarlySigns(**row) for row in months]


def _with_days(rows: Any) -> Any:
    """Add the days on which a credit is looked at, and what the balances around them say."""
    rows = rows.annotate(
        first_due_on=Subquery(_first_schedule().filter(number=1).values("due_on")[:1]),
        looked_at=_after(F("disbursed_on"), LOOKED_AT_DAYS),
        any_paid=Exists(Repayment.objects.filter(credit=OuterRef("pk"))),
    )
    rows = rows.annotate(first_known_on=_after(F("first_due_on"), LATE_DAYS))
    return rows.annotate(
        first_said=_balance(
            date__gte=OuterRef("first_known_on"),
            date__lt=_after(OuterRef("first_known_on"), _BALANCE_DAYS),
        ),
        third_said=_balance(
            date__lte=OuterRef("looked_at"), date__gt=_after(OuterRef("looked_at"), -_BALANCE_DAYS)
        ),
    )


def _with_amounts(rows: Any) -> Any:
    """Add what was asked for and paid by these days."""
    by_third = _after(OuterRef("disbursed_on"), LOOKED_AT_DAYS - LATE_DAYS)
    return rows.annotate(
        first_asked=_sum(_asked(_first_schedule().filter(number=1))),
        third_asked=_sum(_asked(_first_schedule().filter(due_on__lte=by_third))),
        first_paid=_sum(_paid("first_known_on")),
        third_paid=_sum(_paid("looked_at")),
    )


def _after(day: Any, days: int) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(day + dt.timedelta(days=days), output_field=DateField())


def _first_schedule() -> Any:
    """Return the instalments agreed at the disbursement, of the outer credit."""
    return Installment.objects.filter(credit=OuterRef("pk"), schedule_from=OuterRef("disbursed_on"))


def _asked(dues: Any) -> Any:
    return dues.order_by().values("credit").annotate(total=Sum(F("principal_xaf") + F("interest_xaf")))


def _paid(until: str) -> Any:
    rows = Repayment.objects.filter(credit=OuterRef("pk"), paid_on__lte=OuterRef(until))
    return rows.order_by().values("credit").annotate(total=Sum("amount_xaf"))


def _sum(rows: Any) -> Any:
    return Coalesce(Subquery(rows.values("total"), output_field=IntegerField()), 0)


def _balance(**days: Any) -> Subquery:
    rows = CreditStatement.objects.filter(credit=OuterRef("pk"), **days)
    return Subquery(rows.order_by("date").values("days_late")[:1])
