"""What a client asks for, and at what price: type, amount, term, debts, rate."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic import lists, places
from apps.demo.synthetic import people as folk
from apps.demo.synthetic.clock import Days, Window, month_of_year, whole_months, whole_years

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TYPE_WEIGHTS = np.log([0.41, 0.23, 0.138, 0.098, 0.083, 0.053])
INCOME_MULTIPLE = np.array([3.0, 2.2, 1.1, 2.0, 4.2, 7.0])
MEDIAN_TERM = np.array([10.0, 11.5, 8.5, 8.0, 14.0, 22.0])  # months
RATE_BY_TYPE = np.array([0.3, 0.2, -1.6, 0.0, -0.4, -1.2])
RATE_BY_CONTRACT = np.array([-1.6, 0.1, 0.2, 0.9])

MIN_AMOUNT, MAX_AMOUNT = 50_000, 6_000_000
AGENT_LIMIT = 1.5  # no instalment above 1.5 times the income is even written down
REPRICED_IN_MONTH = 14
RATE_RISE = 1.2
WITH_DEBTS = 0.34
ROUND_TERMS = 0.5
SCHOOL_MONTHS, SOWING_MONTHS = (7, 8, 9), (2, 3, 4)
FINE_INCOME, FINE_AMOUNT = 200_000, 1_000_000  # rounded more coarsely from there


def annuity_factor(rate: Floats, months: Ints) -> Floats:
    """Constant monthly instalment per franc borrowed; ``rate`` is a yearly nominal %, above 0."""
    monthly = rate / 1200
    factor: Floats = monthly / (1 - (1 + monthly) ** -months)
    return factor


def draw_requests(rng: np.random.Generator, people: pd.DataFrame, window: Window, days: Days) -> pd.DataFrame:
    """One request per row of ``people``, submitted on ``days``: true values, nothing missing yet.

    Amounts are whole XAF, ``rdr`` is debt service over income (0.30 is 30 %), ``n30``-``n90`` come from
    the columns of the same name in ``people``.
    """
    n = len(people)
    request = people.assign(
        day=days,
        month=window.month_index(days),
        age=whole_years(people["birth_day"].to_numpy(), days),
        tenure=whole_months(people["contract_day"].to_numpy(), days),
    )
    income = _incomes(rng, people, window, days)
    kind = folk.pick(rng, _type_utilities(people, days))
    raw = income * INCOME_MULTIPLE[kind] * np.exp(rng.normal(0, 0.55, n))
    term = _terms(rng, kind, raw / income)
    rate = _rates(rng, request, kind)
    factor = annuity_factor(rate, term)
    amount = _round_amount(np.minimum(raw, AGENT_LIMIT * income / factor))
    payments, outstanding = _other_debts(rng, income, people["discipline"].to_numpy())
    return request.assign(
        income=income,
        type=kind,
        amount=amount,
        term=term,
        rate=rate,
        payments=payments,
        outstanding=outstanding,
        rdr=(payments + amount * factor) / income,
        **_household(rng, people, income),
        guarantees=_guarantees(rng, kind, amount),
    )


def _incomes(rng: np.random.Generator, people: pd.DataFrame, window: Window, days: Days) -> Ints:
    """Monthly income, rounded as people say it; sigma 0.48, most of it the person's own."""
    spread = people["income_effect"].to_numpy() + rng.normal(0, 0.21, len(people))
    income = np.maximum(folk.income_medians(people, window, days) * np.exp(spread), 25_000)
    step = np.where(income < FINE_INCOME, 5_000, 10_000)
    return (np.rint(income / step) * step).astype(np.int64)


def _type_utilities(people: pd.DataFrame, days: Days) -> Floats:
    """School loans triple before term starts, farm loans peak with sowing; each trade has its own needs."""
    month, sector, contract = month_of_year(days), people["sector"].to_numpy(), people["contract"].to_numpy()
    utilities = np.tile(TYPE_WEIGHTS, (len(people), 1))
    farmer = (sector == lists.AGRICULTURE) | (sector == lists.LIVESTOCK)
    salaried = contract <= lists.CDD
    utilities[:, lists.SCHOOL] += np.where(np.isin(month, SCHOOL_MONTHS), np.log(2.0), np.log(2 / 3))
    utilities[:, lists.FARM] += np.where(np.isin(month, SOWING_MONTHS), 0.75, -0.40)
    utilities[:, lists.FARM] += np.where(farmer, 1.75, -1.1)
    utilities[:, lists.WORKING_CAPITAL] += np.where(salaried, -0.75, 0.45)
    utilities[:, lists.CONSUMER] += np.where(salaried, 0.55, -0.45)
    return utilities


def _terms(rng: np.random.Generator, kind: Ints, multiple: Floats) -> Ints:
    """3-36 months, longer for what weighs more on the income; half of them fall on the usual terms."""
    weight = (multiple / INCOME_MULTIPLE[kind]) ** 0.35
    term = np.rint(MEDIAN_TERM[kind] * weight * np.exp(rng.normal(0, 0.30, len(kind))))
    usual = np.array([3, 6, 10, 12, 18, 24, 36])
    nearest = usual[np.argmin(np.abs(term[:, None] - usual), axis=1)]
    chosen = np.where(rng.random(len(kind)) < ROUND_TERMS, nearest, term)
    return np.clip(chosen, 3, 36).astype(np.int64)


def _rates(rng: np.random.Generator, request: pd.DataFrame, kind: Ints) -> Floats:
    """Yearly nominal %, 12-34, by quarter points; known good payers pay less, everyone more from month 14."""
    arrears = np.log1p(request["n30"].to_numpy())
    rate = 21.6 + RATE_BY_TYPE[kind] + RATE_BY_CONTRACT[request["contract"].to_numpy()]
    rate += np.where(request["first"], 0.5, -0.7 + 1.2 * arrears)
    rate += RATE_RISE * (request["month"].to_numpy() >= REPRICED_IN_MONTH) + rng.normal(0, 2.6, len(kind))
    return np.clip(np.rint(rate * 4) / 4, 12, 34)


def _round_amount(amount: Floats) -> Ints:
    step = np.where(amount < FINE_AMOUNT, 10_000, 50_000)
    return np.clip(np.rint(amount / step) * step, MIN_AMOUNT, MAX_AMOUNT).astype(np.int64)


def _other_debts(rng: np.random.Generator, income: Ints, discipline: Floats) -> tuple[Ints, Ints]:
    """Monthly payments on other debts and their outstanding principal, both 0 for two files in three."""
    n = len(income)
    share = rng.beta(1.6, 5.5, n) * np.exp(0.18 * discipline)
    payments = np.where(rng.random(n) < WITH_DEBTS, np.minimum(share, 1.0) * income, 0)
    payments = (np.ceil(payments / 500) * 500).astype(np.int64)
    remaining = rng.integers(2, 25, n)
    principal = payments / annuity_factor(rng.uniform(16, 34, n), remaining)
    return payments, (np.rint(principal / 1_000) * 1_000).astype(np.int64)


def _household(rng: np.random.Generator, people: pd.DataFrame, income: Ints) -> dict[str, Ints]:
    size = np.array([1.2, 3.4, 2.6, 2.3, 2.9])[people["situation"].to_numpy()]
    dependants = rng.poisson(size * np.where(places.attribute("north")[people["city"].to_numpy()], 1.35, 1.0))
    share = rng.beta(5, 10, len(people)) + 0.025 * dependants
    charges = np.rint(np.minimum(share, 0.85) * income / 1_000) * 1_000
    return {"dependants": dependants.astype(np.int64), "charges": charges.astype(np.int64)}


def _guarantees(rng: np.random.Generator, kind: Ints, amount: Ints) -> Ints:
    """Give the declared value of the pledges; equipment and housing are nearly always secured."""
    secured = rng.random(len(kind)) < np.array([0.40, 0.15, 0.08, 0.35, 0.85, 0.92])[kind]
    value = np.where(secured, amount * rng.uniform(0.4, 1.9, len(kind)), 0)
    return (np.rint(value / 5_000) * 5_000).astype(np.int64)
