"""What the file loses and spoils: missing values, a zero too many, impossible tenures."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic import lists

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

INCOME_MISSING, INFORMAL_INCOME_MISSING = 0.032, 0.13  # 7 % in all
TENURE_MISSING = 0.085
DEBTS_MISSING = 0.05
ZERO_TOO_MANY = 0.003
IMPOSSIBLE_TENURE = 0.002
MAX_INCOME, MAX_TENURE = 100_000_000, 720  # the dictionary's limits: dirt stays acceptable to the product


def recorded_values(rng: np.random.Generator, requests: pd.DataFrame) -> pd.DataFrame:
    """Income, tenure, debts and arrears as written in the file, NaN where unknown, by dictionary name."""
    n = len(requests)
    debts_known = rng.random(n) >= DEBTS_MISSING
    arrears_known = ~requests["first"].to_numpy()
    return pd.DataFrame(
        {
            "revenu_mensuel": _incomes(rng, requests),
            "anciennete_travail_mois": _tenures(rng, requests),
            "mensualites_en_cours": np.where(debts_known, requests["payments"], np.nan),
            "encours_autres_dettes": np.where(debts_known, requests["outstanding"], np.nan),
            "nb_retards_30j": np.where(arrears_known, requests["n30"], np.nan),
            "nb_retards_60j": np.where(arrears_known, requests["n60"], np.nan),
            "nb_retards_90j": np.where(arrears_known, requests["n90"], np.nan),
        }
    )


def _incomes(rng: np.random.Generator, requests: pd.DataFrame) -> Floats:
    n = len(requests)
    income = requests["income"].to_numpy().astype(np.float64)
    income = np.where(rng.random(n) < ZERO_TOO_MANY, np.minimum(income * 10, MAX_INCOME), income)
    informal = requests["contract"].to_numpy() == lists.INFORMAL
    missing = rng.random(n) < np.where(informal, INFORMAL_INCOME_MISSING, INCOME_MISSING)
    return np.where(missing, np.nan, income)


def _tenures(rng: np.random.Generator, requests: pd.DataFrame) -> Floats:
    """Months in the present work; an impossible one starts before the age of 17."""
    n = len(requests)
    impossible = (requests["age"].to_numpy() - 17) * 12 + rng.integers(6, 60, n)
    spoiled = rng.random(n) < IMPOSSIBLE_TENURE
    tenure = np.where(spoiled, np.minimum(impossible, MAX_TENURE), requests["tenure"].to_numpy())
    return np.where(rng.random(n) < TENURE_MISSING, np.nan, tenure)


def forget(rng: np.random.Generator, codes: NDArray[np.object_], share: float) -> NDArray[np.object_]:
    """``codes`` with a share of them unknown (``None``)."""
    kept: NDArray[np.object_] = np.where(rng.random(len(codes)) < share, lists.UNKNOWN, codes)
    return kept
