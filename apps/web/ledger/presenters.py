"""Credits in words and lines."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.credits.models import Credit, Repayment
from apps.credits.queries.ledger import ArrearsCompared
from apps.engine.ledger import DELAY_CLASSES, Ledger, all_allotments, delays, position, settlement_xaf
from apps.web.templatetags.formats import fcfa, percent

SHOWN_COMPARISONS = 6


@dataclass(frozen=True, slots=True)
class CreditLine:
    uid: UUID
    reference: str
    disbursed_on: dt.date
    amount_xaf: int
    status: str
    status_label: str
    outstanding_xaf: int
    days_late: int
    next_on: dt.date | None
    next_xaf: int


def credit_lines(rows: Iterable[Credit], ledgers: Mapping[int, Ledger]) -> list[CreditLine]:
    """Return the lines of a client's credits, as they stand today."""
    return [_line(credit, ledgers[credit.pk]) for credit in rows]


def _line(credit: Credit, ledger: Ledger) -> CreditLine:
    found = position(ledger, on=timezone.localdate())
    return CreditLine(
        uid=credit.uid,
        reference=credit.reference,
        disbursed_on=credit.disbursed_on,
        amount_xaf=credit.amount_xaf,
        status=credit.status,
        status_label=credit.get_status_display(),
        outstanding_xaf=found.outstanding_xaf,
        days_late=found.days_past_due,
        next_on=found.next_due.due_on if found.next_due else None,
        next_xaf=found.next_xaf,
    )


Fact = tuple[str, Any]


def facts_of(credit: Credit, ledger: Ledger) -> list[Fact]:
    """Return where a credit stands today: ``(label, value)``; dates stay dates."""
    today = timezone.localdate()
    found = position(ledger, on=today)
    rows: list[Fact] = [
        (_("Outstanding balance"), fcfa(found.outstanding_xaf)),
        (_("Overdue"), fcfa(found.overdue_xaf)),
        (_("Days late"), str(found.days_past_due)),
    ]
    if found.next_due is not None:
        rows += [
            (_("Next instalment due on"), found.next_due.due_on),
            (_("Still to pay on it"), fcfa(found.next_xaf)),
            (_("To settle the credit today"), fcfa(settlement_xaf(ledger, on=today))),
        ]
    counted = delays(ledger, on=today)
    rows.append((_("Delays of 30, 60, 90 days"), f"{counted.thirty} · {counted.sixty} · {counted.ninety}"))
    ends = (
        (_("Paid off on"), credit.closed_on),
        (_("Written off on"), credit.written_off_on),
        (_("Restructured on"), credit.restructured_on),
    )
    return rows + [(label, day) for label, day in ends if day is not None]


def left_of(ledger: Ledger) -> list[Fact]:
    """Return what is left of a credit today, before it is written off or restructured."""
    found = position(ledger, on=timezone.localdate())
    return [
        (_("Outstanding balance"), fcfa(found.outstanding_xaf)),
        (_("Overdue"), fcfa(found.overdue_xaf)),
        (_("Days late"), str(found.days_past_due)),
    ]


def terms_of(credit: Credit) -> list[Fact]:
    """Return what was agreed."""
    months = ngettext("%(count)d month", "%(count)d months", credit.duration_months)
    return [
        (_("Amount disbursed"), fcfa(credit.amount_xaf)),
        (_("Disbursed on"), credit.disbursed_on),
        (_("Term"), months % {"count": credit.duration_months}),
        (_("Nominal annual rate"), percent(credit.rate_percent / 100)),
        (_("Repayment"), credit.get_repayment_kind_display()),
    ]


@dataclass(frozen=True, slots=True)
class InstallmentLine:
    number: int
    due_on: dt.date
    total_xaf: int
    interest_xaf: int
    unpaid_xaf: int
    settled_on: dt.date | None
    days_late: int
    tone: str
    label: str


def schedule_lines(ledger: Ledger) -> list[InstallmentLine]:
    """Return the instalments that count: those of a replaced schedule only until it was replaced."""
    today = timezone.localdate()
    found = all_allotments(ledger, on=today)
    ended = ledger.closed_on is not None and ledger.closed_on <= today
    lines: list[InstallmentLine] = []
    for place, (_schedule, allotted) in enumerate(found):
        until = found[place + 1][0].from_on if place + 1 < len(found) else dt.date.max
        counted = [each for each in allotted if each.due.due_on < until]
        lines += [_installment(each, today) for each in counted if not (ended and each.unpaid_xaf)]
    return lines


def _installment(line: Any, today: dt.date) -> InstallmentLine:
    due = line.due
    late = ((line.settled_on or today) - due.due_on).days
    if line.settled_on is not None:
        tone, label = ("caution", _days_late(late)) if late > 0 else ("positive", _("Paid"))
    elif late > 0:
        tone, label = "negative", _days_late(late)
    else:
        tone, label = "neutral", _("To come")
    return InstallmentLine(
        number=due.number,
        due_on=due.due_on,
        total_xaf=due.total_xaf,
        interest_xaf=due.interest_xaf,
        unpaid_xaf=line.unpaid_xaf,
        settled_on=line.settled_on,
        days_late=max(0, late),
        tone=tone,
        label=label,
    )


def _days_late(days: int) -> str:
    return ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}


@dataclass(frozen=True, slots=True)
class RepaymentLine:
    reference: str
    paid_on: dt.date
    amount_xaf: int
    source: str


def repayment_lines(repayments: Iterable[Repayment]) -> list[RepaymentLine]:
    """Return the lines of the repayments."""
    return [
        RepaymentLine(each.reference, each.paid_on, each.amount_xaf, each.get_source_display())
        for each in repayments
    ]


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """The day of an application, then its delays of 30, 60, 90 days: declared, « ? » if unknown, computed."""

    uid: UUID
    reference: str
    facts: list[Fact]
    understated: bool


def compared_lines(rows: Iterable[ArrearsCompared]) -> list[ComparedLine]:
    """Return the applications that came after a credit here, the latest first."""
    lines = [
        ComparedLine(
            uid=each.application.uid,
            reference=each.application.reference,
            facts=[(_("Date of the application"), each.application.applied_on), *_pairs(each)],
            understated=each.understated,
        )
        for each in rows
        if each.credits
    ]
    return lines[:SHOWN_COMPARISONS]


def _pairs(row: ArrearsCompared) -> list[Fact]:
    text = _("declared %(declared)s · computed %(computed)d")
    return [
        (
            _("Delays of %(days)d days") % {"days": days},
            text % {"declared": "?" if declared is None else declared, "computed": computed},
        )
        for days, declared, computed in zip(DELAY_CLASSES, row.declared, row.computed, strict=True)
    ]
