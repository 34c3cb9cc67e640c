"""Clients who may be offered another credit: low risk, and nothing that forbids to write to them."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from apps.credits.models import Client, CreditApplication
from apps.credits.queries.clients import consent_months, oldest_consent, standing_clients
from apps.scoring.enums import Band
from apps.scoring.models import Prediction
from apps.tenancy.actor import Actor

#: A score older than this says too little of today.
SCORED_DAYS = 365


@dataclass(frozen=True, slots=True)
class ProspectWish:
    """What the list is limited to; an empty field limits nothing."""

    agency_id: int | None = None
    credit_type: str = ""


def prospects_for(actor: Actor, wish: ProspectWish, *, today: dt.date) -> QuerySet[Client]:
    """Return the clients to contact in the agencies that ``actor`` sees, each with its latest score.

    In use, consent given, neither withdrawn nor expired, no objection to offers, no prohibition from credit,
    no application under way; the latest score is of the last twelve months and its risk low. ``scored_at``,
    ``score_pd``, ``score_points`` and ``asked_type`` (of the last application) are added to each.
    """
    latest = Prediction.objects.filter(client=OuterRef("pk")).order_by("-created_at", "-pk")
    asked = CreditApplication.objects.filter(client=OuterRef("pk"))
    clients = standing_clients(actor).filter(
        is_active=True,
        consent_at__isnull=False,
        consent_withdrawn_on=None,
        offers_refused_on=None,
        prohibition_date=None,
    )
    if months := consent_months(on=today):
        clients = clients.filter(consent_at__gte=oldest_consent(today, months=months))
    if wish.agency_id is not None:
        clients = clients.filter(agency_id=wish.agency_id)
    found = clients.annotate(
        band=Subquery(latest.values("band")[:1]),
        scored_at=Subquery(latest.values("created_at")[:1]),
        score_pd=Subquery(latest.values("pd")[:1]),
        score_points=Subquery(latest.values("points")[:1]),
        asked_type=Subquery(asked.order_by("-applied_on", "-pk").values("type_credit")[:1]),
    ).filter(
        ~Exists(asked.undecided()),
        band=Band.LOW,
        scored_at__date__gt=today - dt.timedelta(days=SCORED_DAYS),
    )
    return found.filter(asked_type=wish.credit_type) if wish.credit_type else found
