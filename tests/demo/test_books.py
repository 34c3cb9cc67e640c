"""The books of the synthetic portfolio agree with its outcomes, its delays and the engine."""

import datetime as dt

import pytest

from apps.demo.synthetic.books import write_books
from apps.demo.synthetic.portfolio import generate
from apps.engine.ledger import (
    DAY,
    Delays,
    Due,
    Ledger,
    Payment,
    Schedule,
    Statement,
    Terms,
    delays,
    position,
    schedule_of,
    verdict,
    verdict_from_statements,
)

AS_OF = dt.date(2026, 11, 21)


@pytest.fixture(scope="module")
def portfolio():
    return generate(rows=6_000, as_of=AS_OF, seed=7)


@pytest.fixture(scope="module")
def books(portfolio):
    return write_books(portfolio, as_of=AS_OF, seed=7)


@pytest.fixture(scope="module")
def ledgers(portfolio, books):
    """Application row -> the engine's ledger of what stands in the books."""
    rows = {row: each.to_dict("records") for row, each in books.repayments.groupby("row")}
    dues = {row: each.to_dict("records") for row, each in books.installments.groupby("row")}
    found = {}
    for credit in books.credits.to_dict("records"):
        row = credit["row"]
        terms = terms_of(portfolio, row)
        schedule = tuple(Due(d["number"], d["due_on"], d["principal"], d["interest"]) for d in dues[row])
        found[row] = Ledger(
            terms,
            (Schedule(terms.disbursed_on, schedule),),
            tuple(Payment(each["paid_on"], each["amount"]) for each in rows.get(row, ())),
            closed_on=credit["closed_on"],
            written_off_on=credit["written_off_on"],
        )
    return found


def terms_of(portfolio, row):
    file = portfolio.applications.loc[row]
    return Terms(
        int(file["montant_credit"]),
        float(file["taux_interet"]),
        int(file["duree_mois"]),
        file["disbursed_on"],
    )


def test_every_disbursed_credit_is_in_the_books(portfolio, books, ledgers):
    lent = portfolio.applications["disbursed_on"].notna()
    assert list(books.credits["row"]) == list(portfolio.applications.index[lent])
    assert all(each.schedules[0].dues == schedule_of(each.terms) for each in ledgers.values())


def test_the_outcomes_of_the_ledger_are_those_of_the_generator(portfolio, ledgers):
    known = {row: verdict(ledger, observed_on=AS_OF) for row, ledger in ledgers.items()}
    files = portfolio.applications.loc[list(known)]
    assert {row: each.outcome if each else None for row, each in known.items()} == files["outcome"].to_dict()
    defaults = files[files["outcome"].eq("default")]
    assert len(defaults) > 200
    assert {row: known[row].on for row in defaults.index} == defaults["outcome_date"].to_dict()


def test_the_balances_tell_the_same_outcomes(portfolio, books):
    last = books.statements["date"].max()
    lines = {
        row: [
            Statement(each["date"], each["outstanding"], each["days_late"])
            for each in rows.to_dict("records")
        ]
        for row, rows in books.statements.groupby("row")
    }
    told = {
        row: verdict_from_statements(terms_of(portfolio, row), lines.get(row, []), last_balance_on=last)
        for row in books.credits["row"]
    }
    expected = portfolio.applications.loc[list(told), "outcome"]
    ripe = {row for row, each in told.items() if each is not None}
    assert {row: told[row].outcome for row in ripe} == expected[list(ripe)].to_dict()
    missing = [row for row in expected[expected.notna()].index if row not in ripe]
    closes = portfolio.applications.loc[missing, "disbursed_on"]
    assert all(day > dt.date(2025, 10, 31) for day in closes)  # their horizon ends after it


def test_balances_are_the_positions_of_their_days(books, ledgers):
    for line in books.statements.sample(600, random_state=1).to_dict("records"):
        found = position(ledgers[line["row"]], on=line["date"])
        assert (found.outstanding_xaf, found.days_past_due) == (line["outstanding"], line["days_late"])
        assert (line["date"] + DAY).day == 1


def test_nothing_happens_on_or_after_the_day_of_observation(books):
    assert books.repayments["paid_on"].max() < AS_OF
    assert books.statements["date"].max() == dt.date(2026, 10, 31)
    assert books.credits["closed_on"].dropna().max() < AS_OF


def test_no_receipt_is_empty_and_closed_credits_are_paid_in_full(books, ledgers):
    assert (books.repayments["amount"] > 0).all()
    for credit in books.credits.to_dict("records"):
        paid = sum(each.amount_xaf for each in ledgers[credit["row"]].payments)
        asked = sum(due.total_xaf for due in ledgers[credit["row"]].schedules[0].dues)
        assert (paid == asked) == (credit["status"] == "closed")
        assert (credit["status"] == "written_off") == (credit["written_off_on"] is not None)
    assert set(books.credits["status"]) == {"active", "closed", "written_off"}


def test_the_next_file_declares_the_delays_of_the_books(portfolio, ledgers):
    files = portfolio.applications
    same = more = fewer = 0
    for _client, rows in files.groupby("client_key"):
        if len(rows) < 2 or not rows["premier_credit"].iloc[0]:
            continue  # who came before the window has delays that nobody wrote down here
        for row, file in list(rows.iterrows())[1:]:
            if file["premier_credit"]:
                continue
            day = file["submitted_on"]
            earlier = [ledgers[each] for each in rows.index if each in ledgers and each < row]
            found = sum((delays(each, on=day) for each in earlier), Delays())
            counted = (found.thirty, found.sixty, found.ninety)
            declared = tuple(int(file[f"nb_retards_{days}j"]) for days in (30, 60, 90))
            same += counted == declared
            fewer += any(here < there for here, there in zip(counted, declared, strict=True))
            more += any(here > there for here, there in zip(counted, declared, strict=True))
    assert more == 0
    assert same / (same + fewer) > 0.95
    assert same > 500


def test_the_same_seed_gives_the_same_books(portfolio, books):
    again = write_books(portfolio, as_of=AS_OF, seed=7)
    assert again.repayments.equals(books.repayments)
    assert again.statements.equals(books.statements)
