"""What becomes of a credit: the true log-odds of default, its date, and the delays on the way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic import lists, places
from apps.demo.synthetic import people as folk
from apps.demo.synthetic.clock import MONTH_DAYS
from apps.engine.ledger import small_xaf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Chosen so that about 9.4 % of the granted, matured loans of all cities default within 12 months.
INTERCEPT = -2.46
SPREAD = 1.4
BY_CONTRACT = np.array([-0.60, -0.05, 0.0, 0.35])
BY_TYPE = np.array([0.10, 0.0, -0.15, 0.10, -0.05, -0.25])
SHOCK_MONTHS = (13, 18)
LONG_FOR_A_CDD = 12  # months
FIRST_POSSIBLE_DEFAULT = 95  # days: one missed instalment and 90 days more
YEAR = 360
LATEST_MISSED = 8  # the 91st day after the ninth instalment may be beyond twelve months
LATE_DAYS = 91


@dataclass(frozen=True, slots=True)
class Times:
    """What the times add to the risk, in log-odds before the spread: a fuel-price shock, a monthly drift."""

    shock: float = 0.20
    monthly_drift: float = 0.006


AS_THEY_WERE = Times()
STILL = Times(shock=0.0, monthly_drift=0.0)


@dataclass(frozen=True, slots=True)
class Fate:
    """What would follow if every request were granted; ``days`` counts from disbursement to default."""

    observable_logit: Floats
    logit: Floats
    default: Bools
    days: Ints
    delays: Ints  # (n, 3): delays of at least 30, 60 and 90 days


def draw_fates(rng: np.random.Generator, requests: pd.DataFrame, times: Times = AS_THEY_WERE) -> Fate:
    """Draw the fate of each request from its log-odds of default within twelve months."""
    observable = observable_logit(requests, times)
    logit = observable + 0.45 * requests["discipline"].to_numpy() + 0.35 * requests["fragility"].to_numpy()
    default = rng.random(len(requests)) < 1 / (1 + np.exp(-logit))
    return Fate(
        observable, logit, default, _default_days(rng, requests), _delays(rng, requests, observable, default)
    )


def observable_logit(requests: pd.DataFrame, times: Times = AS_THEY_WERE) -> Floats:
    """Log-odds of default from what a perfect file would hold, the latent traits left out."""
    contract = requests["contract"].to_numpy()
    score = 1.15 * np.log(requests["rdr"].to_numpy() / 0.30)
    score += _history(requests)
    score += BY_CONTRACT[contract] + BY_TYPE[requests["type"].to_numpy()]
    score -= 0.33 * np.log1p(requests["tenure"].to_numpy() / 12)
    score += 0.02 * (35 - requests["age"].to_numpy()) + 0.035 * (requests["term"].to_numpy() - 10)
    score += 0.04 * (requests["rate"].to_numpy() - 22)
    score += environment(requests, times) + _interactions(requests)
    return INTERCEPT + SPREAD * score


def _history(requests: pd.DataFrame) -> Floats:
    """Delays on prior credits, and the surcharge of those who have none to show."""
    weights = {"n30": 0.38, "n60": 0.55, "n90": 0.80}
    total: Floats = 0.16 * requests["first"].to_numpy()
    for column, weight in weights.items():
        total = total + weight * np.log1p(requests[column].to_numpy())
    return total


def environment(requests: pd.DataFrame, times: Times = AS_THEY_WERE) -> Floats:
    """Place, fuel-price shock and slow drift: log-odds before the spread."""
    month = requests["month"].to_numpy()
    shock = times.shock * ((month >= SHOCK_MONTHS[0]) & (month <= SHOCK_MONTHS[1]))
    local: Floats = places.attribute("risk")[requests["city"].to_numpy()]
    return local + shock + times.monthly_drift * month


def _interactions(requests: pd.DataFrame) -> Floats:
    city, kind = requests["city"].to_numpy(), requests["type"].to_numpy()
    lean = folk.is_spring(requests["day"].to_numpy()) & places.attribute("north")[city]
    moto = (requests["sector"].to_numpy() == lists.MOTO_TAXI) * places.attribute("urban")[city]
    outlived = (requests["contract"].to_numpy() == lists.CDD) & (requests["term"].to_numpy() > LONG_FOR_A_CDD)
    total: Floats = 0.55 * (lean & (kind == lists.FARM)) + 0.30 * moto + 0.28 * outlived
    return total


def _default_days(rng: np.random.Generator, requests: pd.DataFrame) -> Ints:
    """Days from disbursement to default: within the year, and soon after the end of a short credit."""
    latest = np.minimum(YEAR, (requests["term"].to_numpy() + 4) * MONTH_DAYS)
    share = rng.beta(1.2, 1.5, len(requests))
    return (FIRST_POSSIBLE_DEFAULT + share * (latest - FIRST_POSSIBLE_DEFAULT)).astype(np.int64)


def default_places(requests: pd.DataFrame) -> tuple[Ints, Ints]:
    """Give the first missed instalment and the one whose 91st day makes the default, both from 1.

    They are the same unless one instalment alone is small (MODELS.md, « Outcome »: 5,000 XAF, 2 %).
    """
    amount, term = requests["amount"].to_numpy(), requests["term"].to_numpy()
    monthly = requests["rate"].to_numpy() / 1200
    instalment = amount * monthly / (1 - (1 + monthly) ** -term)
    small = np.array([small_xaf(each) for each in amount.tolist()])
    needed = np.floor((small + term) / (instalment - 1)).astype(np.int64) + 1
    place = np.rint((requests["default_after"].to_numpy() - LATE_DAYS) / MONTH_DAYS).astype(np.int64)
    place = np.clip(np.clip(place, needed, LATEST_MISSED), 1, term)
    return place - needed + 1, place


def _delays(rng: np.random.Generator, requests: pd.DataFrame, observable: Floats, default: Bools) -> Ints:
    """Delays of 30, 60 and 90 days while this credit runs: binomial thinnings; a default adds one to each."""
    strain = np.clip(observable - INTERCEPT, -3, 3)
    latent = 0.75 * requests["discipline"].to_numpy() + 0.15 * requests["fragility"].to_numpy()
    mean = np.exp(-1.25 + latent + 0.6 * strain)
    thirty = rng.poisson(mean)
    sixty = rng.binomial(thirty, 0.45)
    ninety = rng.binomial(sixty, 0.35)
    return np.column_stack([thirty, sixty, ninety]).astype(np.int64) + default[:, None]
