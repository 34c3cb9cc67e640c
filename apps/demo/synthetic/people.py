"""Who comes to the agency: fictional clients, with two latent traits that no file ever holds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic import lists, places
from apps.demo.synthetic.clock import MONTH_DAYS, Days, Window, before_sunday, month_of_year

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

BURN_IN_DAYS = int(36 * MONTH_DAYS)  # clients known before the window, so that it opens with old clients too
GROWTH = 1.2  # entries are uniform at 1; above, the portfolio grows
YEAR_DAYS = 365.25
INFLATION = 0.055  # a year
ROUND_AGES = 0.18
SPRING = (4, 5, 6)
NORTH_WOMEN, SOUTH_WOMEN = 0.38, 0.57  # 54 % in all

# utilities by contract (CDI, CDD, Indépendant, Informel): constant, per unit of urban, per month of history
CONTRACT_UTILITY = np.array([[-0.92, 0.42, 0.0], [-1.27, 0.30, 0.0], [-0.50, 0.05, 0.0], [0.0, 0.0, 0.005]])
MEDIAN_INCOME = np.array([165_000, 105_000, 140_000, 78_000])
TENURE_SHAPE = np.array([1.6, 1.1, 1.2, 0.95])
TENURE_SCALE = np.array([64.0, 13.0, 43.0, 38.0])  # months

# shares by contract, in the order of lists.SECTORS
SECTOR_SHARES = np.array(
    [
        [0.04, 0.01, 0.0, 0.01, 0.01, 0.01, 0.05, 0.03, 0.09, 0.22, 0.09, 0.34, 0.08, 0.02],
        [0.08, 0.02, 0.0, 0.02, 0.05, 0.01, 0.08, 0.17, 0.17, 0.15, 0.08, 0.0, 0.11, 0.06],
        [0.38, 0.08, 0.02, 0.15, 0.10, 0.03, 0.10, 0.06, 0.08, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.36, 0.24, 0.15, 0.10, 0.07, 0.05, 0.0, 0.03, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)
MEN_SECTORS = np.isin(lists.SECTORS, ("moto_taxi", "transport", "btp", "securite"))
FARM_SECTORS = np.isin(lists.SECTORS, ("agriculture", "elevage"))


def pick(rng: np.random.Generator, utilities: Floats) -> Ints:
    """One index per row of ``(n, k)`` log-weights (``-inf`` is never drawn), by the Gumbel maximum."""
    choice: Ints = np.argmax(utilities + rng.gumbel(size=utilities.shape), axis=1)
    return choice


def draw_people(
    rng: np.random.Generator, window: Window, n: int, cities: Sequence[places.City]
) -> pd.DataFrame:
    """``n`` clients, one a row: integer codes of ``lists`` and ``places``, days since 1970.

    ``income_effect`` is the person's own part of the log-income; ``discipline`` and ``fragility`` are the
    two latent traits, standard normal. The first client comes on the last day of the window.
    """
    entry = _entry_days(rng, window, n)
    city, entry = _home_city(rng, window, entry, cities)
    woman = rng.random(n) < np.where(places.attribute("north")[city], NORTH_WOMEN, SOUTH_WOMEN)
    birth = _birth_days(rng, entry)
    contract = pick(rng, _contract_utilities(city, window.month_index(entry)))
    return pd.DataFrame(
        {
            "city": city,
            "entry_day": entry,
            "woman": woman,
            "birth_day": birth,
            "situation": _situations(rng, (entry - birth) / YEAR_DAYS),
            "contract": contract,
            "sector": pick(rng, _sector_utilities(contract, woman, places.attribute("urban")[city])),
            "contract_day": _contract_days(rng, entry, birth, contract),
            "income_effect": rng.normal(0.0, 0.43, n),
            "discipline": rng.normal(size=n),  # high is bad: it raises arrears and default
            "fragility": rng.normal(size=n),
        }
    )


def income_medians(people: pd.DataFrame, window: Window, days: Days) -> Floats:
    """Median monthly income in XAF of each client's contract, place and date."""
    city = people["city"].to_numpy()
    place = 0.24 * (places.attribute("urban")[city] - 0.2) - 0.12 * places.attribute("north")[city]
    inflation = (1 + INFLATION) ** ((days - window.start) / YEAR_DAYS)
    medians: Floats = MEDIAN_INCOME[people["contract"].to_numpy()] * np.exp(place) * inflation
    return medians


def _entry_days(rng: np.random.Generator, window: Window, n: int) -> Ints:
    span = window.length + BURN_IN_DAYS
    entry = window.start - BURN_IN_DAYS + np.floor(span * rng.random(n) ** (1 / GROWTH)).astype(np.int64)
    entry = before_sunday(entry)
    entry[0] = window.end - 1
    return entry


def _home_city(
    rng: np.random.Generator, window: Window, entry: Ints, cities: Sequence[places.City]
) -> tuple[Ints, Ints]:
    """City index and entry day; who comes before an agency opens goes to another one, or waits."""
    index = np.array([places.CITIES.index(city) for city in cities])
    weights = np.array([city.weight for city in cities])
    open_weights = np.array([0.0 if city.opens else city.weight for city in cities])
    first_month = np.array([city.opens or -(10**6) for city in places.CITIES])
    city = rng.choice(index, len(entry), p=weights / weights.sum())
    other = rng.choice(index, len(entry), p=open_weights / open_weights.sum()) if open_weights.any() else city
    city = np.where(window.month_index(entry) < first_month[city], other, city)
    opening = window.start + np.ceil((first_month[city] - 1) * MONTH_DAYS).astype(np.int64)
    return city, np.minimum(np.maximum(entry, opening), window.end - 1)


def _birth_days(rng: np.random.Generator, entry: Ints) -> Ints:
    """Ages 20-65; 18 % know a round age only (« né vers 1985 »), and were given the first of January."""
    age = 20 + 45 * rng.beta(2.1, 3.3, len(entry))
    exact = entry - np.floor(age * YEAR_DAYS).astype(np.int64)
    round_age = np.maximum(5 * np.rint(age / 5), 20).astype(np.int64)
    first_january = (_years_since_1970(entry) - round_age).astype("datetime64[Y]").astype("datetime64[D]")
    return np.where(rng.random(len(entry)) < ROUND_AGES, first_january.astype(np.int64), exact)


def _years_since_1970(days: Days) -> Ints:
    years: Ints = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    return years


def _contract_utilities(city: Ints, month: Ints) -> Floats:
    urban = places.attribute("urban")[city]
    drivers = np.column_stack([np.ones(len(city)), urban, month])
    utilities: Floats = drivers @ CONTRACT_UTILITY.T
    return utilities


def _sector_utilities(contract: Ints, woman: Bools, urban: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        utilities: Floats = np.log(SECTOR_SHARES)[contract]
    utilities = utilities + np.outer(np.where(woman, -2.6, 0.70), MEN_SECTORS)
    return utilities + np.outer(1.1 - 1.9 * urban, FARM_SECTORS)


def _situations(rng: np.random.Generator, age: Floats) -> Ints:
    """Family situation: single when young, widowed or divorced later."""
    young = 35 - age
    flat = np.zeros(len(age))
    return pick(
        rng, np.column_stack([0.11 * young, flat + 0.6, flat - 0.2, -1.9 - 0.03 * young, -2.6 - 0.08 * young])
    )


def _contract_days(rng: np.random.Generator, entry: Ints, birth: Ints, contract: Ints) -> Ints:
    """Start of the present work: Gamma tenure by contract, never before the 18th birthday.

    So the tenure in months stays below 12 (age - 17), age in whole years.
    """
    tenure = rng.gamma(TENURE_SHAPE[contract], TENURE_SCALE[contract]) * MONTH_DAYS
    eighteen = birth + np.ceil(18 * YEAR_DAYS).astype(np.int64)
    return np.maximum(entry - tenure.astype(np.int64), eighteen)


def is_spring(days: Days) -> Bools:
    """April to June, the lean months before the northern harvest."""
    return np.isin(month_of_year(days), SPRING)
