"""Reads of clients and applications, always through what the actor may see."""

import datetime as dt
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.credits.models import Client, CreditApplication
from apps.credits.validators import document_index, phone_index, search_form
from apps.engine.contracts import Value
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

DAYS_PER_MONTH = 30.4375  # 365.25 / 12
LAST_CHARACTER = chr(0x10FFFF)


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


def search_clients(actor: Actor, text: str, *, limit: int) -> list[Client]:
    """Return the visible clients that ``text`` may mean, at most ``limit``: one or two statements.

    Without a digit it is the beginning of a name, last name first or first names first, whatever its case
    and accents; with one it is a reference, a phone or a document number, whole.
    """
    if any(letter.isdigit() for letter in text):
        return list(_clients_numbered(actor, text.strip()).order_by("search_name", "pk")[:limit])
    beginning = search_form(text)
    if not beginning:
        return []
    found = {
        client.pk: client
        for column in ("search_name", "search_first_names")
        for client in _names_from(actor, column, beginning)[:limit]
    }
    return list(found.values())[:limit]


def _names_from(actor: Actor, column: str, beginning: str) -> QuerySet[Client]:
    span = {f"{column}__gte": beginning, f"{column}__lt": beginning + LAST_CHARACTER}
    return visible_clients(actor).filter(**span).order_by(column, "pk")


def _clients_numbered(actor: Actor, text: str) -> QuerySet[Client]:
    wanted = Q(reference__in=(text, text.upper()))
    if phone := phone_index(text, institution_id=actor.institution):
        wanted |= Q(phone_index=phone)
    if document := document_index(text, institution_id=actor.institution):
        wanted |= Q(document_index=document)
    return visible_clients(actor).filter(wanted)


def search_applications(actor: Actor, text: str, *, limit: int) -> list[CreditApplication]:
    """Return the visible applications whose reference is ``text``, in capitals or not; one statement."""
    if not any(letter.isdigit() for letter in text):
        return []
    references = (text.strip(), text.strip().upper())
    return list(visible_applications(actor).filter(reference__in=references).order_by("-pk")[:limit])


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
