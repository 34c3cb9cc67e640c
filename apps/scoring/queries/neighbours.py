"""Past files like one that is scored, and how they ended: what an officer would remember, counted."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from apps.credits.enums import Outcome
from apps.credits.models import VARIABLE_COLUMNS
from apps.credits.queries.applications import visible_applications
from apps.engine.dictionary import STANDARD
from apps.engine.intervals import wilson
from apps.scoring.models import Prediction
from apps.tenancy.actor import Actor

if TYPE_CHECKING:
    import numpy.typing as npt

#: How many past files are looked at, the latest first: a bounded read, whatever the years.
LOOKED_AT = 5_000
NEAREST = 50
LISTED = 5
#: Outcomes are known a year after at the earliest: younger files are not read at all.
YOUNGEST = dt.timedelta(days=365)
#: Amounts are told to within so much, so that nobody is recognised by one.
ROUNDED_XAF = 50_000
_LOGARITHMIC = frozenset({"XAF", "XAF_per_month", "fraction"})


@dataclass(frozen=True, slots=True)
class PastFile:
    """A past file without name, reference or exact date; the amount is rounded to 50,000 XAF."""

    year: int
    amount_xaf: int
    duration_months: int
    contract: str
    debt_ratio_percent: int | None
    defaulted: bool


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest past files with a known outcome among ``looked_at``; ``low`` to ``high`` is at 95 %.

    Fewer than fifty say nothing: the rate and its interval are then None, and nobody is listed.
    """

    looked_at: int
    count: int
    defaults: int
    rate: float | None
    low: float | None
    high: float | None
    listed: tuple[PastFile, ...]


def neighbours_of(actor: Actor, prediction: Prediction) -> Neighbours:
    """Find the fifty files nearest to a score among those that ``actor`` sees, of the same credit type.

    Nearness is over the variables of the model that files have as columns, none of them sensitive: each is a
    difference between 0 and 1 of what these files show, missing and known being 1 apart (Gower 1971). Files
    of the same client are left out. Reads the latest 5,000 files of an age at which outcomes are known.
    """
    names = _compared(prediction)
    rows = _past_rows(actor, prediction, names)
    if len(rows) < NEAREST:
        return Neighbours(len(rows), 0, 0, None, None, None, ())
    import numpy as np

    distances = np.zeros(len(rows))
    for place, name in enumerate(names):
        distances += _apart(name, [row[place] for row in rows], prediction.inputs.get(name))
    nearest = np.argsort(distances, kind="stable")[:NEAREST].tolist()
    found = [rows[place] for place in nearest]
    defaults = sum(row[-1] == Outcome.DEFAULT for row in found)
    low, high = wilson(defaults, NEAREST)
    listed = tuple(_past_file(dict(zip((*names, *_TOLD), row, strict=True))) for row in found[:LISTED])
    return Neighbours(len(rows), NEAREST, defaults, defaults / NEAREST, low, high, listed)


_TOLD = ("told_on", "told_amount", "told_months", "told_contract", "told_ratio", "outcome")
_TOLD_COLUMNS = (
    "applied_on",
    "montant_credit",
    "duree_mois",
    "type_contrat_travail",
    "taux_endettement",
    "outcome",
)


def _compared(prediction: Prediction) -> list[str]:
    used = [each["variable"] for each in prediction.contributions]
    return [
        name
        for name in used
        if name in VARIABLE_COLUMNS and name != "type_credit" and not STANDARD[name].sensitivity
    ]


def _past_rows(actor: Actor, prediction: Prediction, names: Sequence[str]) -> list[tuple[Any, ...]]:
    latest = timezone.localdate() - YOUNGEST
    past = visible_applications(actor).select_related(None).filter(applied_on__lte=latest).exclude(outcome="")
    past = past.filter(type_credit=prediction.inputs.get("type_credit"))
    if prediction.client_id is not None:
        past = past.exclude(client_id=prediction.client_id)
    rows = past.order_by("-applied_on", "-uid").values_list(*names, *_TOLD_COLUMNS)
    return list(rows[:LOOKED_AT])


def _apart(name: str, column: Sequence[Any], own: Any) -> "npt.NDArray[Any]":
    """Return float64 (files): how far each file is from this one in one variable, from 0 to 1."""
    import numpy as np

    if STANDARD[name].type == "category":
        return np.array([float((value or None) != (own or None)) for value in column])
    scaled = np.array([_scaled(name, value) for value in column])
    mine = _scaled(name, own)
    known = ~np.isnan(scaled)
    if math.isnan(mine):
        return known.astype(np.float64)
    low, high = np.percentile(scaled[known], (5, 95)) if known.any() else (0.0, 1.0)
    apart = np.minimum(np.abs(scaled - mine) / max(high - low, 1e-9), 1.0)
    return np.where(known, apart, 1.0)


def _scaled(name: str, value: Any) -> float:
    if value is None or isinstance(value, str):
        return math.nan
    return math.log1p(max(float(value), 0.0)) if STANDARD[name].unit in _LOGARITHMIC else float(value)


def _past_file(row: dict[str, Any]) -> PastFile:
    ratio = row["told_ratio"]
    return PastFile(
        year=row["told_on"].year,
        amount_xaf=max(round(row["told_amount"] / ROUNDED_XAF), 1) * ROUNDED_XAF,
        duration_months=row["told_months"],
        contract=row["told_contract"],
        debt_ratio_percent=None if ratio is None else round(ratio / 5) * 5,
        defaulted=row["outcome"] == Outcome.DEFAULT,
    )
