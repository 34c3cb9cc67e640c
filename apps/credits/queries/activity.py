"""Applications of a period, in figures."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from apps.credits.queries.applications import visible_applications
from apps.tenancy.actor import Actor

Period = tuple[dt.date, dt.date]


@dataclass(frozen=True, slots=True)
class Activity:
    """Applications of a period: how many, and for how much (FCFA)."""

    count: int
    amount_xaf: int


def activity_in(actor: Actor, *periods: Period) -> list[Activity]:
    """Return the applications made in each period, in the agencies seen, by one statement.

    A period is ``(first day, last day)``, both included.
    """
    columns: dict[str, Any] = {}
    for number, period in enumerate(periods):
        within = Q(applied_on__range=period)
        columns[f"count{number}"] = Count("id", filter=within)
        columns[f"amount{number}"] = Sum("montant_credit", filter=within, default=0)
    whole = (min(first for first, _last in periods), max(last for _first, last in periods))
    sums = visible_applications(actor).order_by().filter(applied_on__range=whole).aggregate(**columns)
    return [Activity(sums[f"count{number}"], sums[f"amount{number}"]) for number in range(len(periods))]


def activity_by_agency(actor: Actor, period: Period) -> list[tuple[str, Activity]]:
    """Return the applications made in a period by agency, the largest amount first."""
    rows = (
        visible_applications(actor)
        .order_by()
        .filter(applied_on__range=period)
        .values("agency__name")
        .annotate(count=Count("id"), amount=Sum("montant_credit"))
        .order_by("-amount")
    )
    return [(row["agency__name"], Activity(row["count"], row["amount"])) for row in rows]
