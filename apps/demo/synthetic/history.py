"""Clients come back: each request carries the delays of the client's own earlier credits."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic.clock import MONTH_DAYS, Window, before_sunday
from apps.demo.synthetic.decision import draw_refusals
from apps.demo.synthetic.demand import draw_requests
from apps.demo.synthetic.outcome import AS_THEY_WERE, Fate, Times, draw_fates
from apps.demo.synthetic.people import draw_people
from apps.demo.synthetic.places import City

Days = NDArray[np.int64]
Bools = NDArray[np.bool_]

ARREARS = ["n30", "n60", "n90"]
RETURN_AFTER_GOOD, RETURN_AFTER_DEFAULT, RETURN_AFTER_REFUSAL = 0.91, 0.20, 0.28
CLIENTS_PER_ROW = 0.95


def draw_history(
    rng: np.random.Generator,
    window: Window,
    rows: int,
    cities: Sequence[City],
    times: Times = AS_THEY_WERE,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Clients, and their ``rows`` requests submitted within the window, by date, with decision and fate."""
    count = int(rows * CLIENTS_PER_ROW) + 20
    people = draw_people(rng, window, count, cities)
    requests = _requests_of(rng, people, window, times)
    while len(requests) < rows:
        more = draw_people(rng, window, count, cities)
        more.index += len(people)
        requests = pd.concat([requests, _requests_of(rng, more, window, times)])
        people = pd.concat([people, more])
    kept = requests.sort_values(["client", "day"], kind="stable").head(rows)
    return people, kept.sort_values(["day", "client"], kind="stable", ignore_index=True)


def _requests_of(
    rng: np.random.Generator, people: pd.DataFrame, window: Window, times: Times
) -> pd.DataFrame:
    """Every request the clients make, in rounds: first requests, second ones and so on."""
    state = people.assign(client=people.index, first=True, n30=0, n60=0, n90=0)
    days = people["entry_day"].to_numpy()
    rounds = []
    while len(state):
        requests = _one_round(rng, state, window, days, times)
        rounds.append(requests[requests["day"] >= window.start])
        days, back = _next_visits(rng, requests, window)
        state, days = _remember(state, requests)[back], days[back]
    return pd.concat(rounds, ignore_index=True)


def _one_round(
    rng: np.random.Generator, state: pd.DataFrame, window: Window, days: Days, times: Times
) -> pd.DataFrame:
    requests = draw_requests(rng, state, window, days)
    fate = draw_fates(rng, requests, times)
    refused = draw_refusals(rng, requests, fate.observable_logit, times)
    decided = days + 1 + np.minimum(rng.gamma(3.0, 2.6, len(days)), 20).astype(np.int64)
    return requests.assign(
        refused=refused,
        decided_day=decided,
        disbursed_day=decided + rng.integers(1, 8, len(days)),
        **_fate_columns(fate),
    )


def _fate_columns(fate: Fate) -> dict[str, NDArray[np.generic]]:
    delays = {f"new_{name}": fate.delays[:, i] for i, name in enumerate(ARREARS)}
    return {
        "observable_logit": fate.observable_logit,
        "logit": fate.logit,
        "default": fate.default,
        "default_after": fate.days,
        **delays,
    }


def _next_visits(rng: np.random.Generator, requests: pd.DataFrame, window: Window) -> tuple[Days, Bools]:
    """Day of each client's next request, and whether it happens within the window."""
    n = len(requests)
    refused, default = requests["refused"].to_numpy(), requests["default"].to_numpy()
    repaid = requests["disbursed_day"].to_numpy() + requests["term"].to_numpy() * MONTH_DAYS
    settled = requests["disbursed_day"].to_numpy() + requests["default_after"].to_numpy() + 150
    ready = np.where(
        refused, requests["decided_day"] + 60, np.where(default, np.maximum(repaid, settled), repaid)
    )
    days = before_sunday((ready + 2 + rng.exponential(50, n)).astype(np.int64))
    chance = np.where(
        refused, RETURN_AFTER_REFUSAL, np.where(default, RETURN_AFTER_DEFAULT, RETURN_AFTER_GOOD)
    )
    return days, (rng.random(n) < chance) & (days < window.end)


def _remember(state: pd.DataFrame, requests: pd.DataFrame) -> pd.DataFrame:
    """Carry the clients' record on once this credit is over; a refusal leaves it as it was."""
    granted = ~requests["refused"].to_numpy()
    arrears = {
        name: state[name].to_numpy() + granted * requests[f"new_{name}"].to_numpy() for name in ARREARS
    }
    return state.assign(first=state["first"].to_numpy() & ~granted, **arrears)
