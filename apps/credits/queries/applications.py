"""Reads of applications, always through what the actor may see."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.models import Client, CreditApplication, PieceRequest
from apps.credits.queries.clients import keys_of_file
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

GRANTED = (
    ApplicationStatus.APPROVED,
    ApplicationStatus.APPROVED_CONDITIONALLY,
    ApplicationStatus.DISBURSED,
)


def visible_applications(actor: Actor) -> QuerySet[CreditApplication]:
    """Return the applications of the agencies that ``actor`` sees."""
    applications = CreditApplication.objects.select_related("client", "agency")
    return applications if actor.agency_ids is None else applications.filter(agency_id__in=actor.agency_ids)


def get_visible_application(actor: Actor, uid: UUID) -> CreditApplication:
    """Return one application; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    application = visible_applications(actor).filter(uid=uid).first()
    if application is None:
        raise ObjectNotFound(_("No such application."))
    return application


def applications_of(actor: Actor, *files: Client) -> QuerySet[CreditApplication]:
    """Return the applications made on some files that ``actor`` sees, the latest first."""
    rows = visible_applications(actor).select_related("author").filter(client__in=files)
    return rows.order_by("-applied_on", "-created_at")


@dataclass(frozen=True, slots=True)
class ClientStatistics:
    """How a client's applications ended, counted."""

    applications: int
    granted: int
    declined: int
    repaid: int
    defaulted: int


def client_statistics(*files: Client) -> ClientStatistics:
    """Count the applications made on some files by what became of them."""
    counts: dict[str, Any] = CreditApplication.objects.filter(client__in=files).aggregate(
        applications=Count("id"),
        granted=Count("id", filter=Q(status__in=GRANTED)),
        declined=Count("id", filter=Q(status=ApplicationStatus.DECLINED)),
        repaid=Count("id", filter=Q(outcome=Outcome.GOOD)),
        defaulted=Count("id", filter=Q(outcome=Outcome.DEFAULT)),
    )
    return ClientStatistics(**counts)


def search_applications(actor: Actor, text: str, *, limit: int) -> list[CreditApplication]:
    """Return the visible applications whose reference is ``text``, in capitals or not; one statement."""
    if not any(letter.isdigit() for letter in text):
        return []
    references = (text.strip(), text.strip().upper())
    return list(visible_applications(actor).filter(reference__in=references).order_by("-pk")[:limit])


@dataclass(frozen=True, slots=True)
class ApplicationFilter:
    """What a list of applications is limited to; an empty field limits nothing."""

    status: str = ""
    agency_id: int | None = None
    author_id: int | None = None
    client_uid: UUID | None = None
    reference: str = ""
    start: dt.date | None = None
    end: dt.date | None = None


def filtered_applications(actor: Actor, wish: ApplicationFilter) -> QuerySet[CreditApplication]:
    """Return the visible applications within ``wish``; both days are included.

    Those of a client are also those of the files merged into the client's.
    """
    applications = visible_applications(actor)
    if wish.client_uid is not None:
        applications = applications.filter(client__in=keys_of_file(wish.client_uid))
    limits: dict[str, object] = {
        "status": wish.status,
        "agency_id": wish.agency_id,
        "author_id": wish.author_id,
        "reference": wish.reference,
        "applied_on__gte": wish.start,
        "applied_on__lte": wish.end,
    }
    return applications.filter(**{name: value for name, value in limits.items() if value})


def piece_requests_of(application: CreditApplication) -> list[PieceRequest]:
    """Return what was asked for this file, the latest first, with who asked and who answered."""
    requests = PieceRequest.objects.filter(application=application)
    return list(requests.select_related("asked_by", "answered_by").order_by("-asked_at"))
