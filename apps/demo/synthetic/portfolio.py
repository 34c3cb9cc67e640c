"""A whole synthetic portfolio: clients, applications, and the truth that no product ever sees."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic import lists
from apps.demo.synthetic.clock import MONTH_DAYS, add_months, date_objects, to_day, window_before
from apps.demo.synthetic.demand import annuity_factor
from apps.demo.synthetic.dirt import forget, recorded_values
from apps.demo.synthetic.history import ARREARS, draw_history
from apps.demo.synthetic.identity import describe
from apps.demo.synthetic.outcome import AS_THEY_WERE, LATE_DAYS, Times, default_places
from apps.demo.synthetic.places import CITIES, cities_named

SEX_MISSING, SITUATION_MISSING = 0.004, 0.02


@dataclass(frozen=True)
class Portfolio:
    """Fictional clients and their applications.

    ``clients``: one row per client, ``client_key`` from 1. ``applications``: one row per application, by
    date. Codes, texts and dates (``datetime.date``) are objects with ``None`` where unknown; numbers that
    may be unknown are float64 with NaN, the others int64; amounts are whole XAF. ``truth``: same index as
    ``applications``; the counterfactual outcome, the true log-odds, the delays to come and the day of the
    client's next request, for the ledger, tests and the reject-inference demonstration only, never stored.
    """

    clients: pd.DataFrame
    applications: pd.DataFrame
    truth: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Streams:
    """One random stream per concern: more dirt does not change who the people are."""

    history: np.random.Generator
    identity: np.random.Generator
    dirt: np.random.Generator
    texts: np.random.Generator


def generate(
    *,
    rows: int,
    as_of: dt.date,
    seed: int,
    cities: Sequence[str] | None = None,
    months: int = 36,
    horizon_months: int = 12,
    language: str = "fr",
    times: Times = AS_THEY_WERE,
) -> Portfolio:
    """Draw ``rows`` applications of the ``months`` before ``as_of`` (the last one the day before).

    ``cities`` names the agencies of one institution, all by default; ``language`` is that of the purposes.
    ``times`` switches the shock of months 13 to 18 and the monthly deterioration (``STILL``: neither).
    The outcome is known for every credit disbursed at least ``horizon_months`` before ``as_of``, and for no
    other. Raises ``ValueError`` for an unknown city or sizes below 1.
    """
    if min(rows, months, horizon_months) < 1:
        raise ValueError("rows, months and horizon_months start at 1")
    streams = _Streams(*(np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)))
    window = window_before(as_of, months)
    people, requests = draw_history(streams.history, window, rows, cities_named(cities), times)
    people, requests = _numbered(people, requests)
    clients = _clients(streams, people)
    applications = _applications(streams, requests, clients, to_day(as_of), horizon_months, language)
    return Portfolio(
        _with_last_values(clients, applications, people), applications, _truth(requests, horizon_months)
    )


def _numbered(people: pd.DataFrame, requests: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Clients who have an application, numbered from 1 by date of entry, in both frames."""
    present = people.loc[np.unique(requests["client"].to_numpy())].sort_values("entry_day", kind="stable")
    key = pd.Series(np.arange(1, len(present) + 1), index=present.index)
    numbered = requests.assign(client_key=key.loc[requests["client"]].to_numpy())
    return present.assign(client_key=key).reset_index(drop=True), numbered


def _clients(streams: _Streams, people: pd.DataFrame) -> pd.DataFrame:
    sexes = np.where(people["woman"], lists.objects(["F"]), lists.objects(["M"]))
    situations = lists.objects(lists.SITUATIONS)[people["situation"].to_numpy()]
    own = {
        "sexe": forget(streams.dirt, sexes, SEX_MISSING),
        "birth_date": date_objects(people["birth_day"].to_numpy()),
        "situation_familiale": forget(streams.dirt, situations, SITUATION_MISSING),
        "type_contrat_travail": lists.objects(lists.CONTRACTS)[people["contract"].to_numpy()],
        "consent_date": date_objects(people["entry_day"].to_numpy()),
    }
    identity = describe(streams.identity, people)
    return pd.concat([people[["client_key"]], identity, pd.DataFrame(own, dtype=object)], axis=1)


def _with_last_values(
    clients: pd.DataFrame, applications: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    """Add what the last application declared; no start date where no tenure was given."""
    last = applications.drop_duplicates("client_key", keep="last").set_index("client_key")
    last = last.loc[clients["client_key"]]
    known = last["anciennete_travail_mois"].notna().to_numpy()
    return clients.assign(
        revenu_mensuel=last["revenu_mensuel"].to_numpy(),
        contract_start=pd.Series(date_objects(people["contract_day"].to_numpy(), known), dtype=object),
    )


def _applications(
    streams: _Streams,
    requests: pd.DataFrame,
    clients: pd.DataFrame,
    today: int,
    horizon: int,
    language: str,
) -> pd.DataFrame:
    row = requests["client_key"].to_numpy() - 1
    kind = lists.objects(lists.TYPES)[requests["type"].to_numpy()]
    columns = {
        "client_key": requests["client_key"].to_numpy(),
        "agency_city": lists.objects([city.name for city in CITIES])[requests["city"].to_numpy()],
        "submitted_on": date_objects(requests["day"].to_numpy()),
        "age": requests["age"].to_numpy(),
        "sexe": clients["sexe"].to_numpy()[row],
        "situation_familiale": clients["situation_familiale"].to_numpy()[row],
        "type_contrat_travail": clients["type_contrat_travail"].to_numpy()[row],
        "montant_credit": requests["amount"].to_numpy(),
        "duree_mois": requests["term"].to_numpy(),
        "taux_interet": requests["rate"].to_numpy(),
        "type_credit": kind,
        **recorded_values(streams.dirt, requests),
        "charges_mensuelles": requests["charges"].to_numpy(),
        "personnes_a_charge": requests["dependants"].to_numpy(),
        "premier_credit": requests["first"].to_numpy(),
        "secteur": clients["secteur"].to_numpy()[row],
        "purpose": _purposes(streams.texts, kind, language),
        "guarantees_value": requests["guarantees"].to_numpy(),
        **_life(requests, today, horizon),
    }
    return _with_ratios(pd.DataFrame({name: _series(values) for name, values in columns.items()}))


def _series(values: NDArray[np.generic] | pd.Series) -> pd.Series:
    """Keep the objects of a column: pandas would turn texts with ``None`` into a string type with NaN."""
    return pd.Series(values, dtype=values.dtype)


def _with_ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the two computed variables, from the recorded values; unknown where the income or the debts are."""
    income = frame["revenu_mensuel"].where(frame["revenu_mensuel"] > 0)
    factor = annuity_factor(frame["taux_interet"].to_numpy(), frame["duree_mois"].to_numpy())
    service = frame["mensualites_en_cours"] + frame["montant_credit"] * factor
    debt = frame["encours_autres_dettes"] + frame["montant_credit"]
    return frame.assign(taux_endettement=100 * service / income, ratio_dette_revenu=debt / (12 * income))


def _purposes(rng: np.random.Generator, kinds: NDArray[np.object_], language: str) -> NDArray[np.object_]:
    draw, words = rng.integers(0, 2**31, len(kinds)), lists.PURPOSES[language]
    texts = [words[k][d % len(words[k])] for k, d in zip(kinds.tolist(), draw.tolist(), strict=True)]
    return lists.objects(texts)


def _life(requests: pd.DataFrame, today: int, horizon: int) -> dict[str, NDArray[np.object_]]:
    """Tell decision, disbursement and outcome as they stand today; files of the last weeks are pending."""
    refused, decided = requests["refused"].to_numpy(), requests["decided_day"].to_numpy()
    disbursed = requests["disbursed_day"].to_numpy()
    is_decided = decided < today
    is_disbursed = ~refused & (disbursed < today)
    closes = add_months(disbursed, np.full(len(requests), horizon))
    matured = is_disbursed & (closes <= today)
    default = _defaults_within(requests, horizon)
    repaid = add_months(disbursed, requests["term"].to_numpy())
    late_on = add_months(disbursed, default_places(requests)[1]) + LATE_DAYS
    known_on = np.where(default, late_on, np.minimum(repaid, closes))
    verdict = np.where(refused, lists.objects(["refuse"]), lists.objects(["accorde"]))
    outcome = np.where(default, lists.objects(["default"]), lists.objects(["good"]))
    return {
        "decision": np.where(is_decided, verdict, lists.UNKNOWN),
        "decided_on": date_objects(decided, is_decided),
        "disbursed_on": date_objects(disbursed, is_disbursed),
        "outcome": np.where(matured, outcome, lists.UNKNOWN),
        "outcome_date": date_objects(known_on, matured),
    }


def _defaults_within(requests: pd.DataFrame, horizon: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = requests["default_after"].to_numpy() <= horizon * MONTH_DAYS
    return requests["default"].to_numpy() & inside


def _truth(requests: pd.DataFrame, horizon: int) -> pd.DataFrame:
    missed, place = default_places(requests)
    back = requests.groupby("client_key")["day"].shift(-1)
    return pd.DataFrame(
        {
            "first_missed": missed,
            "default_place": place,
            **{name: requests[f"new_{name}"].to_numpy() for name in ARREARS},
            "back_on": _series(date_objects(back.fillna(0).to_numpy(np.int64), back.notna().to_numpy())),
            "default_if_granted": _defaults_within(requests, horizon),
            "refused": requests["refused"].to_numpy(),
            "true_logit": requests["logit"].to_numpy(),
            "observable_logit": requests["observable_logit"].to_numpy(),
            "discipline": requests["discipline"].to_numpy(),
            "fragility": requests["fragility"].to_numpy(),
        }
    )
