"""The ledger of one credit: schedule, allotment of repayments, days past due, delays, outcome.

Amounts are whole XAF, rates nominal yearly %, dates ``datetime.date``; a day is judged at its end, when its
repayments are in. Rules are those of MODELS.md, « Outcome »; days past due count from the oldest unpaid
instalment (CGAP, DOMAIN.md 2.3).
"""

import calendar
import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from apps.engine.ratios import monthly_instalment

RepaymentKind = Literal["constant", "in_fine", "seasonal"]
Cause = Literal["late", "written_off", "restructured", "refinanced", "repaid", "horizon"]

HORIZON_MONTHS = 12
#: What is added to the term of credits whose principal falls due at the end.
GRACE_MONTHS = 4
DEFAULT_DAYS = 90
REFINANCED_DAYS = 30
#: Below both, what is unpaid is no default.
SMALL_XAF, SMALL_SHARE = 5_000, 0.02
DELAY_CLASSES = (30, 60, 90)
#: Statements further apart than this may hide a default that was cured in between.
LONGEST_GAP_DAYS = 92

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed.

    ``constant`` instalments, interest monthly and the principal ``in_fine``, or all at the ``seasonal`` end.
    """

    principal_xaf: int
    rate_percent: float
    months: int
    disbursed_on: dt.date
    kind: RepaymentKind = "constant"


@dataclass(frozen=True, slots=True)
class Due:
    """One instalment."""

    number: int
    due_on: dt.date
    principal_xaf: int
    interest_xaf: int

    @property
    def total_xaf(self) -> int:
        return self.principal_xaf + self.interest_xaf


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received."""

    paid_on: dt.date
    amount_xaf: int


@dataclass(frozen=True, slots=True)
class Allotment:
    """What an instalment got of the repayments: interest first; ``settled_on`` is None while some is due."""

    due: Due
    paid_xaf: int
    settled_on: dt.date | None

    @property
    def unpaid_xaf(self) -> int:
        return self.due.total_xaf - self.paid_xaf

    @property
    def unpaid_principal_xaf(self) -> int:
        return min(self.due.principal_xaf, self.unpaid_xaf)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Instalments that count from a day on: disbursement, or a restructuring that replaces what was left."""

    from_on: dt.date
    dues: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that happened to one credit; ``schedules`` and ``payments`` in the order of their days.

    ``restructured_on`` is set for a restructuring for difficulty only, ``refinanced_on`` when a new credit of
    the same institution repaid this one.
    """

    terms: Terms
    schedules: tuple[Schedule, ...]
    payments: tuple[Payment, ...] = ()
    closed_on: dt.date | None = None
    written_off_on: dt.date | None = None
    restructured_on: dt.date | None = None
    refinanced_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a credit stands at the end of a day.

    ``outstanding_xaf`` is principal only, ``overdue_xaf`` principal and interest due before that day,
    ``payable_xaf`` all that the schedule still asks for; ``next_due`` is the oldest instalment not settled,
    of which ``next_xaf`` is left.
    """

    on: dt.date
    outstanding_xaf: int
    overdue_xaf: int
    payable_xaf: int
    days_past_due: int
    next_due: Due | None
    next_xaf: int


@dataclass(frozen=True, slots=True)
class Delays:
    """Spells in arrears by the longest delay in them, cumulative: ``thirty >= sixty >= ninety``."""

    thirty: int = 0
    sixty: int = 0
    ninety: int = 0

    def __add__(self, other: "Delays") -> "Delays":
        return Delays(self.thirty + other.thirty, self.sixty + other.sixty, self.ninety + other.ninety)


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of a monthly balance: outstanding principal in XAF and days late on a day."""

    on: dt.date
    outstanding_xaf: int
    days_late: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a credit, the day it was known, and by which rule."""

    outcome: Literal["good", "default"]
    on: dt.date
    cause: Cause


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month, ``months`` later; the month's last day where it has none such."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def schedule_of(terms: Terms) -> tuple[Due, ...]:
    """Return the instalments of a credit, monthly in arrears, in whole XAF; the last absorbs the rounding.

    The principal of all of them is what was lent, to the franc. Raises ``ValueError`` for a term under one
    month, a negative rate, or less than a franc of principal a month.
    """
    if terms.months < 1 or terms.rate_percent < 0 or terms.principal_xaf < terms.months:
        raise ValueError("a schedule needs months, a rate of at least 0 and a franc a month")
    if terms.kind == "constant":
        parts = _constant(terms)
    elif terms.kind == "in_fine":
        parts = _in_fine(terms)
    else:
        interest = round(terms.principal_xaf * terms.rate_percent * terms.months / 1200)
        return (Due(1, add_months(terms.disbursed_on, terms.months), terms.principal_xaf, interest),)
    return tuple(
        Due(number, add_months(terms.disbursed_on, number), principal, interest)
        for number, (principal, interest) in enumerate(parts, start=1)
    )


def _constant(terms: Terms) -> list[tuple[int, int]]:
    """Split the rounded constant instalment along the exact balances, so that rounding never compounds.

    The balance after k of n is P (1 - (1+r)^(k-n)) / (1 - (1+r)^-n), r the monthly rate.
    """
    instalment = round(monthly_instalment(terms.principal_xaf, terms.rate_percent, terms.months))
    growth = math.log1p(terms.rate_percent / 1200)
    left, parts = terms.principal_xaf, []
    for number in range(1, terms.months):
        share = _share_left(growth, number, terms.months)
        principal = max(0, min(instalment, left - round(terms.principal_xaf * share)))
        parts.append((principal, instalment - principal))
        left -= principal
    return [*parts, (left, round(left * terms.rate_percent / 1200))]


def _share_left(growth: float, number: int, months: int) -> float:
    if growth * months < 1e-9:  # noqa: PLR2004  no interest, or too little for double precision
        return (months - number) / months
    return math.expm1((number - months) * growth) / math.expm1(-months * growth)


def _in_fine(terms: Terms) -> list[tuple[int, int]]:
    total = terms.principal_xaf * terms.rate_percent / 1200
    monthly = round(total)
    parts = [(0, monthly)] * (terms.months - 1)
    last = max(0, round(total * terms.months) - monthly * (terms.months - 1))
    return [*parts, (terms.principal_xaf, last)]


def allot(dues: Sequence[Due], payments: Iterable[Payment]) -> tuple[Allotment, ...]:
    """Give the repayments, by their days, to the oldest instalment unpaid; what exceeds them all is left."""
    ordered = sorted(payments, key=lambda payment: payment.paid_on)
    reached, totals = 0, []
    for payment in ordered:
        reached += payment.amount_xaf
        totals.append(reached)
    asked, answer = 0, []
    for due in dues:
        before, asked = asked, asked + due.total_xaf
        paid = max(0, min(reached, asked) - before)
        settled = due.due_on if due.total_xaf == 0 else None
        if due.total_xaf and paid == due.total_xaf:
            settled = ordered[bisect_right(totals, asked - 1)].paid_on
        answer.append(Allotment(due, paid, settled))
    return tuple(answer)


def ledger_allotments(ledger: Ledger, *, on: dt.date) -> tuple[Allotment, ...]:
    """Return the instalments of the schedule in force on a day, with what they got until then."""
    return _allotted(ledger, _in_force(ledger, on), on)


def all_allotments(ledger: Ledger, *, on: dt.date) -> tuple[tuple[Schedule, tuple[Allotment, ...]], ...]:
    """Return every schedule, replaced ones too, with what each instalment got until a day."""
    return tuple((schedule, _allotted(ledger, place, on)) for place, schedule in enumerate(ledger.schedules))


def _in_force(ledger: Ledger, on: dt.date) -> int:
    """Give the place of the schedule in force; the first one before its own day, too."""
    starts = [schedule.from_on for schedule in ledger.schedules]
    return max(0, bisect_right(starts, on) - 1)


def _allotted(ledger: Ledger, place: int, on: dt.date) -> tuple[Allotment, ...]:
    """Allot what was paid under a schedule until a day; the day of a change is the next schedule's."""
    schedule = ledger.schedules[place]
    end = ledger.schedules[place + 1].from_on if place + 1 < len(ledger.schedules) else dt.date.max
    start = schedule.from_on if place else dt.date.min
    paid = [each for each in ledger.payments if start <= each.paid_on <= on and each.paid_on < end]
    return allot(schedule.dues, paid)


def position(ledger: Ledger, *, on: dt.date) -> Position:
    """Return where a credit stands at the end of a day; once closed it owes nothing."""
    if ledger.closed_on is not None and on >= ledger.closed_on:
        return Position(on, 0, 0, 0, 0, None, 0)
    lines = ledger_allotments(ledger, on=on)
    unpaid = [line for line in lines if line.unpaid_xaf]
    overdue = [line for line in unpaid if line.due.due_on < on]
    return Position(
        on=on,
        outstanding_xaf=sum(line.unpaid_principal_xaf for line in lines),
        overdue_xaf=sum(line.unpaid_xaf for line in overdue),
        payable_xaf=sum(line.unpaid_xaf for line in unpaid),
        days_past_due=(on - overdue[0].due.due_on).days if overdue else 0,
        next_due=unpaid[0].due if unpaid else None,
        next_xaf=unpaid[0].unpaid_xaf if unpaid else 0,
    )


def settlement_xaf(ledger: Ledger, *, on: dt.date) -> int:
    """Return what ends a credit early on a day: all principal left, and the interest due until then.

    Interest of later instalments is not earned yet; what was paid ahead counts against the principal.
    """
    lines = ledger_allotments(ledger, on=on)
    asked = sum(
        line.due.principal_xaf + (line.due.interest_xaf if line.due.due_on <= on else 0) for line in lines
    )
    return max(0, asked - sum(line.paid_xaf for line in lines))


def delays(ledger: Ledger, *, on: dt.date) -> Delays:
    """Count the spells in arrears until a day, each once in every class that its longest delay reaches.

    A delay runs from an instalment's day to the day it is settled, or to ``on``; a spell ends on the day on
    which nothing is overdue. A restructuring ends the spell that it finds.
    """
    worst: list[int] = []
    for place, schedule in enumerate(ledger.schedules):
        if schedule.from_on > on:
            break
        worst += _spells(ledger, place, on)
    return Delays(*(sum(1 for days in worst if days >= least) for least in DELAY_CLASSES))


def _spells(ledger: Ledger, place: int, on: dt.date) -> list[int]:
    """Give the longest delay of each spell under one schedule, in days."""
    end = min([on, *(each.from_on for each in ledger.schedules[place + 1 : place + 2])])
    if ledger.closed_on is not None:
        end = min(end, ledger.closed_on)
    worst: list[int] = []
    cured = dt.date.min
    for line in _allotted(ledger, place, end):
        start, settled = line.due.due_on, min(line.settled_on or end, end)
        if settled <= start:
            continue
        days = (settled - start).days
        if start < cured and worst:
            worst[-1] = max(worst[-1], days)
        else:
            worst.append(days)
        cured = max(cured, settled)
    return worst


def delays_from_statements(statements: Sequence[Statement], *, on: dt.date) -> Delays:
    """Count the spells in arrears until a day that monthly balances show, by the longest delay seen in them.

    A line in good order ends a spell, and so does one whose delay began after the line before. What the
    balances cannot show: a spell begun and cured between two of them, and the days that it had after the last
    line in it.
    """
    worst: list[int] = []
    before: Statement | None = None
    for line in statements:
        if line.on > on:
            break
        if line.days_late:
            goes_on = before is not None and before.days_late and line.on - line.days_late * DAY < before.on
            if goes_on:
                worst[-1] = max(worst[-1], line.days_late)
            else:
                worst.append(line.days_late)
        before = line
    return Delays(*(sum(1 for days in worst if days >= least) for least in DELAY_CLASSES))


def horizon_end(terms: Terms, *, horizon_months: int = HORIZON_MONTHS) -> dt.date:
    """Return the last day on which a default counts: ``horizon_months`` after disbursement.

    Credits whose principal falls due at the end get their term and four months instead (MODELS.md).
    """
    months = horizon_months if terms.kind == "constant" else terms.months + GRACE_MONTHS
    return add_months(terms.disbursed_on, months)


def verdict(ledger: Ledger, *, observed_on: dt.date, horizon_months: int = HORIZON_MONTHS) -> Verdict | None:
    """Return what became of a credit, or None before its horizon is over: whole cohorts only (MODELS.md).

    Default is the earliest, within the horizon, of: instalments more than 90 days unpaid above 5,000 XAF and
    2 % of the principal together; written off; restructured for difficulty; repaid by a new credit of the
    same institution while 30 days late or more. Repaid early is good.
    """
    closes = horizon_end(ledger.terms, horizon_months=horizon_months)
    if observed_on < closes:
        return None
    events = [each for each in _defaults(ledger) if each.on <= closes]
    if events:
        return min(events, key=lambda each: each.on)
    ended = ledger.closed_on or _settled_on(ledger)
    if ended is not None and ended <= closes:
        return Verdict("good", ended, "repaid")
    return Verdict("good", closes, "horizon")


def _defaults(ledger: Ledger) -> list[Verdict]:
    events = []
    if (late := _late_on(ledger)) is not None:
        events.append(Verdict("default", late, "late"))
    events += _told_defaults(ledger)
    if ledger.refinanced_on is not None and _was_late(ledger, ledger.refinanced_on):
        events.append(Verdict("default", ledger.refinanced_on, "refinanced"))
    return events


def _told_defaults(ledger: Ledger) -> list[Verdict]:
    """Give the defaults that somebody noted, whatever was paid."""
    events = []
    if ledger.written_off_on is not None:
        events.append(Verdict("default", ledger.written_off_on, "written_off"))
    if ledger.restructured_on is not None:
        events.append(Verdict("default", ledger.restructured_on, "restructured"))
    return events


def _late_on(ledger: Ledger) -> dt.date | None:
    """Give the first day at whose end what is more than 90 days unpaid is not small.

    That sum grows only on the 91st day after an instalment: no other day needs looking at.
    """
    least = small_xaf(ledger.terms.principal_xaf)
    for place, schedule in enumerate(ledger.schedules):
        later = ledger.schedules[place + 1 : place + 2]
        for number, due in enumerate(schedule.dues, start=1):
            day = due.due_on + (DEFAULT_DAYS + 1) * DAY
            if any(day >= each.from_on for each in later):
                break
            if ledger.closed_on is not None and day >= ledger.closed_on:
                break
            if sum(line.unpaid_xaf for line in _allotted(ledger, place, day)[:number]) > least:
                return day
    return None


def small_xaf(principal_xaf: int) -> float:
    """Return what an unpaid sum must exceed to make a default: 5,000 XAF and 2 % of the principal."""
    return max(SMALL_XAF, SMALL_SHARE * principal_xaf)


def _was_late(ledger: Ledger, on: dt.date) -> bool:
    """Say whether a credit was 30 days late or more just before what repaid it that day."""
    lines = _allotted(ledger, _in_force(ledger, on), on - DAY)
    unpaid = [line.due.due_on for line in lines if line.unpaid_xaf]
    return bool(unpaid) and (on - unpaid[0]).days >= REFINANCED_DAYS


def _settled_on(ledger: Ledger) -> dt.date | None:
    """Give the day on which the last instalment was settled, None while one is not."""
    days = [line.settled_on for line in ledger_allotments(ledger, on=dt.date.max)]
    return None if None in days else max(day for day in days if day is not None)


def verdict_from_statements(
    terms: Terms,
    statements: Sequence[Statement],
    *,
    last_balance_on: dt.date,
    horizon_months: int = HORIZON_MONTHS,
    ledger: Ledger | None = None,
) -> Verdict | None:
    """Return what became of a credit by its monthly balances, or None where they cannot tell.

    ``statements`` are the credit's lines by date; ``last_balance_on`` is the day of the institution's latest
    balance: a credit that it no longer lists, and that was less than 30 days late when last seen, is repaid.
    Of ``ledger`` only a write-off and a restructuring for difficulty count, both told and not seen.
    A line more than 90 days late dates the default to the day: the 91st of the oldest unpaid instalment. It
    counts while the principal left is not small. What the rule cannot see: a default cured between two
    balances, and how much of the arrears is small. None before the horizon's end; without a line within a
    quarter of the disbursement, of one another and of the horizon's end, or of the default: a credit that was
    not followed from its start would enter its cohort only when it defaults.
    """
    closes = horizon_end(terms, horizon_months=horizon_months)
    lines = [each for each in statements if each.on >= terms.disbursed_on]
    if last_balance_on < closes or not lines:
        return None
    events = [Verdict("default", _crossed_on(each), "late") for each in lines if _is_default(each, terms)]
    events += [] if ledger is None else _told_defaults(ledger)
    events = [each for each in events if each.on <= closes]
    if events:
        first = min(events, key=lambda each: each.on)
        followed = not _has_gap([terms.disbursed_on, *(each.on for each in lines)], until=first.on)
        return first if followed else None
    ended = _ended_on(lines, last_balance_on)
    seen = [each.on for each in lines if each.on <= (ended or dt.date.max)]
    if _has_gap([terms.disbursed_on, *seen], until=ended or closes):
        return None
    if ended is not None and ended <= closes:
        return Verdict("good", ended, "repaid")
    return Verdict("good", closes, "horizon") if ended or seen[-1] >= closes else None


def _is_default(line: Statement, terms: Terms) -> bool:
    return line.days_late > DEFAULT_DAYS and line.outstanding_xaf > small_xaf(terms.principal_xaf)


def _crossed_on(line: Statement) -> dt.date:
    return line.on - (line.days_late - DEFAULT_DAYS - 1) * DAY


def _ended_on(lines: Sequence[Statement], last_balance_on: dt.date) -> dt.date | None:
    """Give the day by which a credit was repaid: nothing outstanding, or in good order and listed no more."""
    for line in lines:
        if line.outstanding_xaf == 0:
            return line.on
    last = lines[-1]
    gone = last.on < last_balance_on and last.days_late < REFINANCED_DAYS
    return last.on if gone else None


def _has_gap(days: Sequence[dt.date], *, until: dt.date) -> bool:
    """Say whether two neighbours are further apart than a quarter, as far as ``until``."""
    inside = [day for day in days if day <= until]
    following = [day for day in days if day > until][:1] or [until]
    return any((after - before).days > LONGEST_GAP_DAYS for before, after in pairwise([*inside, *following]))
