"""The books of a synthetic portfolio: schedules, repayments, balances that agree with its outcomes."""

import datetime as dt
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from apps.demo.synthetic.portfolio import Portfolio
from apps.engine.ledger import DAY, Due, Terms, schedule_of

#: Days late of a delay of each class: rooms are left between them, and no good payer ever reaches the 91st.
DELAY_DAYS = {30: (30, 44), 60: (60, 74), 90: (90, 90)}
PUNCTUAL = (-2, 6)
RECOVERED, RECOVERED_AFTER = 0.35, (60, 200)
WRITTEN_OFF_AFTER = 365 * DAY
DEFAULT_AFTER = 91 * DAY
SOON = 3 * DAY

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Books:
    """What became of the money, one frame a table; ``row`` is the index of the application.

    ``credits``: row, status, disbursed_on, closed_on, written_off_on. ``installments``: row, number, due_on,
    principal, interest. ``repayments``: row, number, paid_on, amount. ``statements``: row, date,
    outstanding, days_late, at each month's end while a credit is listed, a last one with nothing
    outstanding once it is repaid.
    Dates are ``datetime.date``, amounts whole XAF.
    """

    credits: pd.DataFrame
    installments: pd.DataFrame
    repayments: pd.DataFrame
    statements: pd.DataFrame


@dataclass(slots=True)
class _Pages:
    credits: list[Row] = field(default_factory=list)
    installments: list[Row] = field(default_factory=list)
    repayments: list[Row] = field(default_factory=list)
    statements: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What is to happen to one credit: ``missed`` and ``defaulted`` are places of instalments, 0 for none."""

    delays: tuple[int, int, int]
    missed: int
    defaulted: int
    back_on: dt.date | None


def write_books(portfolio: Portfolio, *, as_of: dt.date, seed: int) -> Books:
    """Write the books of every disbursed credit up to the day before ``as_of``, the same for the same seed.

    Every delay that an outcome or a later application tells is in them, as far as the term has room: the
    worst come first. A horizon of twelve months is assumed.
    """
    draw = random.Random(seed)  # noqa: S311  fictional data
    pages, ends = _Pages(), _month_ends(portfolio, as_of)
    applications = portfolio.applications
    lent = applications[applications["disbursed_on"].notna()]
    columns = ("montant_credit", "taux_interet", "duree_mois", "disbursed_on")
    agreed = zip(*(lent[name].tolist() for name in columns), strict=True)
    for row, terms, fate in zip(lent.index.tolist(), agreed, _fates(portfolio, lent.index), strict=True):
        _write_credit(draw, pages, row, Terms(*terms), fate, as_of - DAY, ends)
    return Books(
        pd.DataFrame(pages.credits, columns=["row", "status", "disbursed_on", "closed_on", "written_off_on"]),
        pd.DataFrame(pages.installments, columns=["row", "number", "due_on", "principal", "interest"]),
        pd.DataFrame(pages.repayments, columns=["row", "number", "paid_on", "amount"]),
        pd.DataFrame(pages.statements, columns=["row", "date", "outstanding", "days_late"]),
    )


def _month_ends(portfolio: Portfolio, as_of: dt.date) -> list[dt.date]:
    """Give the last day of each month from the first disbursement to the day before ``as_of``."""
    first = portfolio.applications["submitted_on"].min()
    days, day = [], dt.date(first.year, first.month, 1)
    while day <= as_of:
        days.append(day - DAY)
        day = (day + 31 * DAY).replace(day=1)
    return days


def _fates(portfolio: Portfolio, index: pd.Index) -> list[_Fate]:
    truth = portfolio.truth.loc[index]
    names = ("n30", "n60", "n90", "first_missed", "default_place", "default_if_granted", "back_on")
    return [
        _Fate((n30, n60, n90), missed if default else 0, place if default else 0, back)
        for n30, n60, n90, missed, place, default, back in zip(
            *(truth[name].tolist() for name in names), strict=True
        )
    ]


def _write_credit(
    draw: random.Random,
    pages: _Pages,
    row: int,
    terms: Terms,
    fate: _Fate,
    today: dt.date,
    ends: list[dt.date],
) -> None:
    dues = schedule_of(terms)
    settled = _settled(draw, dues, fate)
    known = [day for day in settled if day <= today]
    pages.installments += [(row, due.number, due.due_on, due.principal_xaf, due.interest_xaf) for due in dues]
    pages.repayments += [
        (row, number, day, amount) for number, (day, amount) in enumerate(_receipts(dues, known), start=1)
    ]
    closed = known[-1] if len(known) == len(dues) else None
    lost = dues[fate.missed - 1].due_on + WRITTEN_OFF_AFTER if fate.missed and closed is None else None
    if lost is not None and (lost > today or len(settled) == len(dues)):
        lost = None
    status = "closed" if closed else "written_off" if lost else "active"
    pages.credits.append((row, status, terms.disbursed_on, closed, lost))
    pages.statements += _statements(row, terms, dues, known, closed, lost, ends)


def _settled(draw: random.Random, dues: tuple[Due, ...], fate: _Fate) -> list[dt.date]:
    """Give the day on which each instalment is settled, in order; those that never are, are left out."""
    kept = fate.missed - 1 if fate.missed else len(dues)
    bound = dues[kept].due_on if fate.missed else fate.back_on or dt.date.max
    spells = _placed(draw, dues, kept, bound, _lengths(fate))
    days: list[dt.date] = []
    while len(days) < kept:
        start = dues[len(days)].due_on
        if (late := spells.get(len(days))) is not None:
            cured = start + late * DAY
            days += [cured] * sum(1 for due in dues[len(days) : kept] if due.due_on <= cured)
        else:
            day = start + draw.randint(*PUNCTUAL) * DAY
            day = min(day, max(start, fate.back_on or day))
            days.append(max([day, *days[-1:]]))
    if fate.missed and (recovered := _recovered_on(draw, dues, fate)) is not None:
        days += [recovered] * (len(dues) - kept)
    return days


def _recovered_on(draw: random.Random, dues: tuple[Due, ...], fate: _Fate) -> dt.date | None:
    """Give the day on which a defaulter pays all: always before asking for a new credit."""
    default_on = dues[fate.defaulted - 1].due_on + DEFAULT_AFTER
    if fate.back_on is not None:
        return max(fate.back_on - SOON, default_on + SOON)
    after = draw.randint(*RECOVERED_AFTER) * DAY
    return default_on + after if draw.random() < RECOVERED else None


def _lengths(fate: _Fate) -> list[int]:
    """Give the class of each delay to place, the worst first; a default is itself one of each."""
    thirty, sixty, ninety = (count - bool(fate.missed) for count in fate.delays)
    return [90] * ninety + [60] * (sixty - ninety) + [30] * (thirty - sixty)


def _placed(
    draw: random.Random, dues: tuple[Due, ...], kept: int, bound: dt.date, lengths: list[int]
) -> dict[int, int]:
    """Place delays among the first ``kept`` instalments, all cured by ``bound``: place from 0 -> days late.

    Loosely if there is room, else one right after the other, the worst first, as many as fit.
    """
    if not lengths:
        return {}
    loose = draw.sample(lengths, len(lengths))
    late = [draw.randint(*DELAY_DAYS[each]) for each in loose]
    room = kept - sum(each // 30 + 1 for each in loose)
    if room >= 0:
        spells = _in_turn(dues, kept, bound, late, gaps=_gaps(draw, room, len(late)))
        if len(spells) == len(lengths):
            return spells
    return _in_turn(dues, kept, bound, lengths, gaps=[0] * len(lengths))


def _gaps(draw: random.Random, room: int, count: int) -> list[int]:
    cuts = sorted(draw.randint(0, room) for _ in range(count))
    return [cut - before for cut, before in zip(cuts, [0, *cuts], strict=False)]


def _in_turn(
    dues: tuple[Due, ...], kept: int, bound: dt.date, late: list[int], *, gaps: list[int]
) -> dict[int, int]:
    spells, place = {}, 0
    for days, gap in zip(late, gaps, strict=True):
        start = place + gap
        if start >= kept or dues[start].due_on + days * DAY > bound:
            continue
        spells[start] = days
        cured = dues[start].due_on + days * DAY
        place = start + sum(1 for due in dues[start:kept] if due.due_on <= cured)
    return spells


def _receipts(dues: tuple[Due, ...], days: list[dt.date]) -> list[tuple[dt.date, int]]:
    """Give one payment for the instalments settled on the same day."""
    paid: dict[dt.date, int] = {}
    for due, day in zip(dues, days, strict=False):
        paid[day] = paid.get(day, 0) + due.total_xaf
    return list(paid.items())


def _statements(
    row: int,
    terms: Terms,
    dues: tuple[Due, ...],
    settled: list[dt.date],
    closed: dt.date | None,
    lost: dt.date | None,
    ends: list[dt.date],
) -> list[Row]:
    lines: list[Row] = []
    left = [terms.principal_xaf]
    for due in dues:
        left.append(left[-1] - due.principal_xaf)
    for day in ends[bisect_right(ends, terms.disbursed_on - DAY) :]:
        if lost is not None and day >= lost:
            break
        if closed is not None and day >= closed:
            lines.append((row, day, 0, 0))
            break
        count = bisect_right(settled, day)
        oldest = dues[count].due_on
        lines.append((row, day, left[count], max(0, (day - oldest).days)))
    return lines
