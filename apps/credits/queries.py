"""Reads of clients and applications, always through what the actor may see."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from apps.credits.enums import ApplicationStatus
from apps.credits.models import Client, CreditApplication, PieceRequest
from apps.credits.validators import document_index, phone_index
from apps.engine.contracts import Value
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Verb

DAYS_PER_MONTH = 30.4375  # 365.25 / 12
Period = tuple[dt.date, dt.date]


def visible_clients(actor: Actor) -> QuerySet[Client]:
    """Return the clients of the agencies that ``actor`` sees."""
    clients = Client.objects.select_related("agency")
    return clients if actor.agency_ids is None else clients.filter(agency_id__in=actor.agency_ids)


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


def get_visible_client(actor: Actor, *, uid: UUID | None = None, reference: str | None = None) -> Client:
    """Return one client by public identifier or by reference; raise ``ObjectNotFound``."""
    clients = visible_clients(actor)
    found = clients.filter(uid=uid) if uid is not None else clients.filter(reference=reference)
    client = found.first()
    if client is None:
        raise ObjectNotFound(_("No such client."))
    return client


def clients_with_phone(actor: Actor, phone: str) -> QuerySet[Client]:
    """Return the visible clients whose phone is ``phone``, however it is spaced, by the blind index."""
    index = phone_index(phone, institution_id=actor.institution)
    return visible_clients(actor).filter(phone_index=index) if index else Client.objects.none()


def clients_with_document(actor: Actor, number: str) -> QuerySet[Client]:
    """Return the visible clients whose identity document has this number, by the blind index."""
    index = document_index(number, institution_id=actor.institution)
    return visible_clients(actor).filter(document_index=index) if index else Client.objects.none()


def client_values(client: Client, *, on: dt.date) -> dict[str, Value]:
    """Return what a client's file says on a date, by dictionary name; the loan's own fields are not in it."""
    values: dict[str, Value] = {
        "age": client.age_on(on),
        "sexe": client.sex,
        "situation_familiale": client.family_situation,
        "revenu_mensuel": client.monthly_income_xaf,
        "type_contrat_travail": client.contract_type,
        "anciennete_travail_mois": _months_between(client.contract_start, on),
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _months_between(start: dt.date | None, end: dt.date) -> int | None:
    return None if start is None else max(0, int((end - start).days / DAYS_PER_MONTH))


@dataclass(frozen=True, slots=True)
class ApplicationFilter:
    """What a list of applications is limited to; an empty field limits nothing."""

    status: str = ""
    agency_id: int | None = None
    author_id: int | None = None
    start: dt.date | None = None
    end: dt.date | None = None


def filtered_applications(actor: Actor, wish: ApplicationFilter) -> QuerySet[CreditApplication]:
    """Return the visible applications within ``wish``; both days are included."""
    applications = visible_applications(actor)
    limits: dict[str, object] = {
        "status": wish.status,
        "agency_id": wish.agency_id,
        "author_id": wish.author_id,
        "applied_on__gte": wish.start,
        "applied_on__lte": wish.end,
    }
    return applications.filter(**{name: value for name, value in limits.items() if value})


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for a person, the oldest first; each part holds at most ``INBOX_PART`` rows."""

    returned: tuple[CreditApplication, ...]
    drafts: tuple[CreditApplication, ...]
    awaiting: tuple[CreditApplication, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.returned or self.drafts or self.awaiting)


INBOX_PART = 10


def inbox_of(actor: Actor) -> Inbox:
    """Return the files returned to ``actor``, the own drafts, and what awaits a decision by another hand."""
    files = visible_applications(actor)
    edits, decides = actor.may(Verb.EDIT_FILES), actor.may(Verb.DECIDE)
    returned = files.filter(status=ApplicationStatus.INCOMPLETE, author_id=actor.id)
    drafts = files.filter(status=ApplicationStatus.DRAFT, author_id=actor.id)
    awaiting = files.filter(status=ApplicationStatus.SUBMITTED).exclude(author_id=actor.id)
    return Inbox(
        returned=_oldest(returned) if edits else (),
        drafts=_oldest(drafts) if edits else (),
        awaiting=_oldest(awaiting) if decides else (),
    )


def _oldest(applications: QuerySet[CreditApplication]) -> tuple[CreditApplication, ...]:
    return tuple(applications.order_by("applied_on", "uid")[:INBOX_PART])


def piece_requests_of(application: CreditApplication) -> list[PieceRequest]:
    """Return what was asked for this file, the latest first, with who asked and who answered."""
    requests = PieceRequest.objects.filter(application=application)
    return list(requests.select_related("asked_by", "answered_by").order_by("-asked_at"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many files wait: returned, own drafts, and awaiting a decision by another hand."""

    returned: int
    drafts: int
    awaiting: int


def waiting_for(actor: Actor) -> Waiting:
    """Count what ``inbox_of`` shows the beginning of."""
    own, status = Q(author_id=actor.id), ApplicationStatus
    counts = (
        visible_applications(actor)
        .order_by()
        .filter(status__in=(status.INCOMPLETE, status.DRAFT, status.SUBMITTED))
        .aggregate(
            returned=Count("id", filter=own & Q(status=status.INCOMPLETE)),
            drafts=Count("id", filter=own & Q(status=status.DRAFT)),
            awaiting=Count("id", filter=~own & Q(status=status.SUBMITTED)),
        )
    )
    return Waiting(**counts)


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
