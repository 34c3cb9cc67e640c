"""One credit's ledger, against a bookkeeper who goes through it day by day."""

import datetime as dt
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.ledger import (
    DAY,
    Delays,
    Due,
    Ledger,
    Payment,
    Schedule,
    Statement,
    Terms,
    Verdict,
    add_months,
    allot,
    delays,
    delays_from_statements,
    horizon_end,
    position,
    schedule_of,
    settlement_xaf,
    verdict,
    verdict_from_statements,
)
from apps.engine.ratios import monthly_instalment

START = dt.date(2024, 1, 15)
LATER = dt.date(2026, 11, 21)

kinds = st.sampled_from(["constant", "in_fine", "seasonal"])
terms_drawn = st.builds(
    Terms,
    principal_xaf=st.integers(10_000, 500_000_000),
    rate_percent=st.one_of(st.just(0.0), st.floats(0.01, 120)),
    months=st.integers(1, 120),
    disbursed_on=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
    kind=kinds,
)


def ledger_of(terms, payments=(), **facts):
    schedule = Schedule(terms.disbursed_on, schedule_of(terms))
    return Ledger(terms, (schedule,), tuple(Payment(*each) for each in payments), **facts)


def loan(*, principal=120_000, rate=0.0, months=12, kind="constant"):
    return Terms(principal, rate, months, START, kind)


@st.composite
def lived_ledgers(draw):
    """Draw a short credit and repayments of any size on any day."""
    terms = Terms(
        draw(st.sampled_from([20_000, 60_000, 300_000])),
        draw(st.sampled_from([0.0, 24.0])),
        draw(st.integers(1, 6)),
        START,
        draw(kinds),
    )
    payments = draw(
        st.lists(
            st.tuples(
                st.integers(0, 400).map(lambda days: START + days * DAY),
                st.sampled_from([500, 4_000, 10_000, 25_000, 60_000]),
            ),
            max_size=9,
        )
    )
    return ledger_of(terms, sorted(payments))


# -- schedule


@given(terms_drawn)
def test_every_schedule_repays_what_was_lent(terms):
    dues = schedule_of(terms)
    assert sum(due.principal_xaf for due in dues) == terms.principal_xaf
    assert all(due.principal_xaf >= 0 and due.interest_xaf >= 0 for due in dues)
    assert [due.number for due in dues] == list(range(1, len(dues) + 1))
    assert dues[-1].due_on == add_months(terms.disbursed_on, terms.months)
    assert all(before.due_on < after.due_on for before, after in pairwise(dues))


@given(terms_drawn.filter(lambda terms: terms.kind == "constant"))
def test_constant_instalments_are_constant_but_for_the_last(terms):
    dues = schedule_of(terms)
    exact = monthly_instalment(terms.principal_xaf, terms.rate_percent, terms.months)
    assert {due.total_xaf for due in dues[:-1]} <= {round(exact)}
    assert abs(dues[-1].total_xaf - exact) <= terms.months / 2 + 3
    left = terms.principal_xaf
    for due in dues:
        assert abs(due.interest_xaf - left * terms.rate_percent / 1200) <= 2 + terms.months * 0.06
        left -= due.principal_xaf


def test_a_schedule_of_the_books():
    dues = schedule_of(Terms(1_500_000, 24.0, 12, dt.date(2026, 1, 31)))
    assert dues[0] == Due(1, dt.date(2026, 2, 28), 111_839, 30_000)
    assert dues[1].due_on == dt.date(2026, 3, 31)
    assert {due.total_xaf for due in dues[:-1]} == {141_839}
    assert dues[-1].total_xaf == 141_839


def test_in_fine_pays_interest_monthly_and_the_principal_last():
    dues = schedule_of(loan(principal=100_000, rate=10.0, months=3, kind="in_fine"))
    assert [(due.principal_xaf, due.interest_xaf) for due in dues] == [(0, 833), (0, 833), (100_000, 834)]


def test_a_seasonal_credit_is_due_once():
    assert schedule_of(loan(principal=100_000, rate=18.0, months=8, kind="seasonal")) == (
        Due(1, dt.date(2024, 9, 15), 100_000, 12_000),
    )


@pytest.mark.parametrize("bad", [{"months": 0}, {"rate": -1.0}, {"principal": 5, "months": 6}])
def test_an_impossible_schedule_is_refused(bad):
    with pytest.raises(ValueError, match="a schedule needs"):
        schedule_of(loan(**bad))


# -- allotment and position


@given(lived_ledgers())
def test_repayments_go_to_the_oldest_and_none_is_lost(ledger):
    dues = ledger.schedules[0].dues
    lines = allot(dues, ledger.payments)
    paid, asked = sum(each.amount_xaf for each in ledger.payments), sum(due.total_xaf for due in dues)
    assert sum(line.paid_xaf for line in lines) == min(paid, asked)
    for older, younger in pairwise(lines):
        assert younger.paid_xaf == 0 or older.unpaid_xaf == 0
    for line in lines:
        assert (line.settled_on is None) == (line.unpaid_xaf > 0)


@given(lived_ledgers(), st.integers(0, 700))
def test_the_position_of_any_day_is_that_of_a_bookkeeper(ledger, age):
    day = START + age * DAY
    dues = ledger.schedules[0].dues
    paid = sum(each.amount_xaf for each in ledger.payments if each.paid_on <= day)
    unpaid = [
        due for due, upto in zip(dues, accumulate(due.total_xaf for due in dues), strict=True) if upto > paid
    ]
    late = [due for due in unpaid if due.due_on < day]
    found = position(ledger, on=day)
    assert found.days_past_due == ((day - late[0].due_on).days if late else 0)
    assert found.overdue_xaf == max(0, sum(due.total_xaf for due in dues if due.due_on < day) - paid)
    assert found.payable_xaf == max(0, sum(due.total_xaf for due in dues) - paid)
    assert found.next_due == (unpaid[0] if unpaid else None)
    assert (found.outstanding_xaf == 0) == (not any(due.principal_xaf for due in unpaid))
    assert found.outstanding_xaf <= ledger.terms.principal_xaf


def test_interest_is_paid_before_principal():
    ledger = ledger_of(loan(principal=100_000, rate=12.0, months=1, kind="seasonal"), [(START, 1_500)])
    assert position(ledger, on=START).outstanding_xaf == 100_000 - 500


def test_a_closed_credit_owes_nothing():
    ledger = ledger_of(loan(), closed_on=START + 200 * DAY)
    assert (
        position(ledger, on=START + 199 * DAY).days_past_due
        == (START + 199 * DAY - add_months(START, 1)).days
    )
    assert position(ledger, on=START + 200 * DAY).payable_xaf == 0


def test_a_restructuring_starts_a_clean_schedule():
    terms = loan()
    new = Schedule(START + 150 * DAY, schedule_of(Terms(110_000, 0.0, 11, START + 150 * DAY)))
    ledger = Ledger(
        terms,
        (Schedule(START, schedule_of(terms)), new),
        (Payment(add_months(START, 1), 10_000), Payment(START + 181 * DAY, 10_000)),
        restructured_on=START + 150 * DAY,
    )
    assert (
        position(ledger, on=START + 149 * DAY).days_past_due
        == (START + 149 * DAY - add_months(START, 2)).days
    )
    assert position(ledger, on=START + 150 * DAY).days_past_due == 0
    assert position(ledger, on=START + 150 * DAY).outstanding_xaf == 110_000
    assert position(ledger, on=START + 181 * DAY).outstanding_xaf == 100_000
    assert delays(ledger, on=START + 150 * DAY) == Delays(1, 1, 1)


def test_settling_early_spares_the_interest_not_yet_due():
    ledger = ledger_of(
        loan(principal=100_000, rate=12.0, months=3, kind="in_fine"), [(START + 40 * DAY, 1_000)]
    )
    assert settlement_xaf(ledger, on=START + 40 * DAY) == 100_000
    assert settlement_xaf(ledger, on=START + 70 * DAY) == 101_000


# -- delays


@given(lived_ledgers(), st.integers(0, 700))
def test_delays_are_the_spells_that_a_bookkeeper_sees(ledger, age):
    end = START + age * DAY
    worst, running = [], False
    for day in (START + n * DAY for n in range(1, age + 1)):
        before = position(ledger, on=day - DAY)
        owed = before.next_due is not None and before.next_due.due_on < day
        if owed:
            late = (day - before.next_due.due_on).days
            worst = [*worst[:-1], max(worst[-1], late)] if running else [*worst, late]
        running = position(ledger, on=day).days_past_due > 0
    counted = [sum(days >= least for days in worst) for least in (30, 60, 90)]
    assert delays(ledger, on=end) == Delays(*counted)


def test_two_delays_of_a_month_are_two():
    paid = [(add_months(START, 1) + 30 * DAY, 10_000), (add_months(START, 3), 20_000)]
    ledger = ledger_of(loan(), [*paid, (add_months(START, 4) + 95 * DAY, 90_000)])
    assert delays(ledger, on=LATER) == Delays(2, 1, 1)


# -- outcome


@given(lived_ledgers())
def test_the_outcome_is_that_of_a_bookkeeper(ledger):
    closes = horizon_end(ledger.terms)
    dues = ledger.schedules[0].dues
    first = None
    for day in (START + n * DAY for n in range((closes - START).days + 1)):
        asked = sum(due.total_xaf for due in dues if (day - due.due_on).days > 90)
        paid = sum(each.amount_xaf for each in ledger.payments if each.paid_on <= day)
        if asked - paid > max(5_000, 0.02 * ledger.terms.principal_xaf):
            first = day
            break
    found = verdict(ledger, observed_on=closes)
    assert (found.outcome, found.on if first else None) == ("default" if first else "good", first)
    assert verdict(ledger, observed_on=closes - DAY) is None


@given(lived_ledgers(), st.integers(1, 28))
def test_monthly_statements_say_the_same_but_for_what_a_month_hides(ledger, monthday):
    closes = horizon_end(ledger.terms)
    days = [add_months(START.replace(day=monthday), month) for month in range(20)]
    points = [position(ledger, on=day) for day in days if day >= START]
    lines = [Statement(each.on, each.outstanding_xaf, each.days_past_due) for each in points]
    told = verdict_from_statements(ledger.terms, lines, last_balance_on=days[-1])
    known = verdict(ledger, observed_on=LATER)
    if told is not None and told.outcome == "default":
        day = told.on
        assert position(ledger, on=day).days_past_due > 90
        assert day <= closes
    elif known.outcome == "default":  # cured before the next balance, or hidden by what was small
        unseen = [each for each in points if each.days_past_due > 90 and each.outstanding_xaf > 6_000]
        assert told is None or all(each.on - (each.days_past_due - 91) * DAY > closes for each in unseen)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"written_off_on": START + 300 * DAY}, ("default", "written_off")),
        ({"written_off_on": START + 400 * DAY}, ("good", "repaid")),
        ({"restructured_on": START + 100 * DAY}, ("default", "restructured")),
        ({"closed_on": START + 100 * DAY}, ("good", "repaid")),
    ],
)
def test_other_ends_than_lateness(facts, expected):
    paid = [(add_months(START, month), 10_000) for month in range(1, 13)]
    found = verdict(ledger_of(loan(), paid, **facts), observed_on=LATER)
    assert (found.outcome, found.cause) == expected


@pytest.mark.parametrize(("late", "outcome"), [(29, "good"), (30, "default")])
def test_a_new_credit_that_repays_a_late_one_is_a_default(late, outcome):
    day = add_months(START, 1) + late * DAY
    ledger = ledger_of(loan(), [(day, 120_000)], refinanced_on=day, closed_on=day)
    assert verdict(ledger, observed_on=LATER).outcome == outcome


@pytest.mark.parametrize(
    ("paid_after", "outcome"),
    [(90, "good"), (91, "good"), (92, "default")],
)
def test_ninety_one_days_at_the_end_of_a_day_are_a_default(paid_after, outcome):
    terms = loan(months=1)
    ledger = ledger_of(terms, [(add_months(START, 1) + paid_after * DAY, 120_000)])
    assert verdict(ledger, observed_on=LATER).outcome == outcome


@pytest.mark.parametrize(
    ("principal", "unpaid", "outcome"),
    [
        (120_000, 5_000, "good"),
        (120_000, 5_001, "default"),
        (1_200_000, 24_000, "good"),
        (1_200_000, 24_001, "default"),
    ],
)
def test_small_arrears_are_no_default(principal, unpaid, outcome):
    ledger = ledger_of(loan(principal=principal), [(START, principal - unpaid)])
    observed = dt.date(2026, 1, 1)
    late = Ledger(
        ledger.terms, (Schedule(START, schedule_of(loan(principal=principal, months=1))),), ledger.payments
    )
    assert verdict(late, observed_on=observed).outcome == outcome


def test_the_horizon_of_principal_at_the_end_is_its_term_and_four_months():
    assert horizon_end(loan(months=10, kind="in_fine")) == add_months(START, 14)
    assert horizon_end(loan(months=10)) == add_months(START, 12)
    assert horizon_end(loan(months=10), horizon_months=9) == add_months(START, 9)


def balances(*lines):
    return [Statement(add_months(START, month), left, late) for month, left, late in lines]


FULL = balances(*((month, 100_000, 0) for month in range(1, 14)))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (FULL, Verdict("good", add_months(START, 12), "horizon")),
        (balances((2, 90_000, 0), (4, 80_000, 0), (6, 0, 0)),
         Verdict("good", add_months(START, 6), "repaid")),
        (balances((2, 90_000, 0), (4, 80_000, 29)), Verdict("good", add_months(START, 4), "repaid")),
        (balances((2, 90_000, 0), (4, 80_000, 30)), None),
        (balances((2, 90_000, 0), (6, 80_000, 0), (8, 0, 0)), None),
        (balances((20, 80_000, 0)), None),
        (balances((5, 80_000, 100)), None),  # nobody knows of the others of its cohort
        (balances((2, 90_000, 0), (5, 80_000, 100)),
         Verdict("default", add_months(START, 5) - 9 * DAY, "late")),
        (balances((2, 5_000, 31), (5, 5_000, 100), (7, 5_000, 161), (9, 5_000, 222), (12, 5_000, 314)),
         Verdict("good", add_months(START, 12), "horizon")),
        ([], None),
    ],
)  # fmt: skip
def test_what_balances_tell(lines, expected):
    assert verdict_from_statements(loan(), lines, last_balance_on=LATER) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "good"),
        ({"written_off_on": START + 300 * DAY}, "default"),
        ({"restructured_on": START + 300 * DAY}, "default"),
        ({"written_off_on": START + 400 * DAY}, "good"),
    ],
)
def test_what_was_told_counts_beside_the_balances(facts, expected):
    ledger = ledger_of(loan(), **facts)
    found = verdict_from_statements(loan(), FULL, last_balance_on=LATER, ledger=ledger)
    assert found.outcome == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (((1, 100_000, 0), (2, 90_000, 0)), (0, 0, 0)),
        (((1, 100_000, 15), (2, 90_000, 46), (3, 80_000, 10), (4, 70_000, 0), (5, 60_000, 35)), (2, 0, 0)),
        (((2, 100_000, 29), (3, 90_000, 59), (4, 80_000, 90), (5, 70_000, 120)), (1, 1, 1)),
        (((2, 100_000, 60), (20, 90_000, 60)), (2, 2, 0)),
    ],
)
def test_delays_that_balances_show(lines, expected):
    found = delays_from_statements(balances(*lines), on=LATER)
    assert (found.thirty, found.sixty, found.ninety) == expected


def test_delays_after_the_day_asked_are_not_counted():
    lines = balances((2, 100_000, 31), (6, 90_000, 40))
    assert delays_from_statements(lines, on=add_months(START, 5)) == Delays(1, 0, 0)


def test_a_young_credit_has_no_outcome_even_when_it_is_late():
    lines = balances((5, 80_000, 100))
    assert verdict_from_statements(loan(), lines, last_balance_on=add_months(START, 11)) is None
