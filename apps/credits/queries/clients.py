"""Reads of clients, always through what the actor may see."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.credits.models import Client
from apps.credits.queries.securities import external_debts
from apps.credits.validators import document_index, phone_index, search_form
from apps.engine.contracts import Value
from apps.institutions.models import Agency
from apps.institutions.queries import agency_key, setting_on
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

DAYS_PER_MONTH = 30.4375  # 365.25 / 12
LAST_LETTER = "\U0010ffff"
STALE_SETTING, STALE_MONTHS = "data_stale_months", 6


def visible_clients(actor: Actor) -> QuerySet[Client]:
    """Return the clients of the agencies that ``actor`` sees."""
    clients = Client.objects.select_related("agency")
    return clients if actor.agency_ids is None else clients.filter(agency_id__in=actor.agency_ids)


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


def clients_named(actor: Actor, prefix: str) -> QuerySet[Client]:
    """Return the visible clients whose name begins with ``prefix``, without case or accents.

    A range and not LIKE: LIKE is not leakproof, so that under row-level security it uses no index.
    """
    return visible_clients(actor).filter(prefix_range(search_form(prefix)))


def prefix_range(prefix: str, *, column: str = "search_name") -> Q:
    """Return the condition of a name as it is searched that begins with ``prefix``, everything if empty."""
    if not prefix:
        return Q()
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + LAST_LETTER})


def find_clients(actor: Actor, text: str) -> QuerySet[Client]:
    """Return the visible clients that ``text`` means.

    That is the beginning of a name; or, with a digit in it, a whole reference, phone or document number.
    """
    text = text.strip()
    if not any(letter.isdigit() for letter in text):
        return clients_named(actor, text)
    found = Q(reference__in={text, text.upper()})
    if phone := phone_index(text, institution_id=actor.institution):
        found |= Q(phone_index=phone)
    if document := document_index(text, institution_id=actor.institution):
        found |= Q(document_index=document)
    return visible_clients(actor).filter(found)


def filtered_clients(
    actor: Actor, *, text: str = "", agency: Agency | None = None, confirmed_before: dt.date | None = None
) -> QuerySet[Client]:
    """Return the visible clients that ``text`` means, of one agency, confirmed before a day only."""
    clients = find_clients(actor, text)
    if agency is not None:
        clients = clients.filter(agency=agency)
    return clients if confirmed_before is None else clients.filter(data_updated_on__lt=confirmed_before)


def clients_found(
    actor: Actor, *, text: str = "", reference: str = "", phone: str = "", agency: UUID | None = None
) -> QuerySet[Client]:
    """Return the visible clients that answer to every filter given; ``agency`` is a public identifier."""
    clients = find_clients(actor, text)
    if reference:
        clients = clients.filter(reference=reference)
    if phone:
        index = phone_index(phone, institution_id=actor.institution)
        clients = clients.filter(phone_index=index) if index else clients.none()
    return clients if agency is None else clients.filter(agency_id=agency_key(actor, agency))


def stale_before(*, on: dt.date | None = None) -> dt.date:
    """Return the day before which a file's data are old (setting ``data_stale_months``, 6 by default)."""
    months = setting_on(STALE_SETTING, date=on, default=STALE_MONTHS)
    return (on or timezone.localdate()) - dt.timedelta(days=int(months * DAYS_PER_MONTH))


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Files that may be of the same person: those the actor sees, and whether another agency has one."""

    clients: tuple[Client, ...]
    elsewhere: bool

    def __bool__(self) -> bool:
        return bool(self.clients) or self.elsewhere


def duplicates_of(actor: Actor, client: Client) -> Duplicates:
    """Return the files that share the phone, the document, or the name and birth date of ``client``.

    Of a file out of the actor's sight nothing is told but that its document is the same.
    """
    same = Q(search_name=client.search_name, birth_date=client.birth_date)
    if client.phone_index:
        same |= Q(phone_index=client.phone_index)
    if client.document_index:
        same |= Q(document_index=client.document_index)
    seen = visible_clients(actor).exclude(uid=client.uid).filter(same).order_by("search_name")[:5]
    return Duplicates(tuple(seen), elsewhere=_document_elsewhere(actor, client))


def _document_elsewhere(actor: Actor, client: Client) -> bool:
    if actor.agency_ids is None or not client.document_index:
        return False
    hidden = Client.objects.exclude(agency_id__in=actor.agency_ids)
    return hidden.filter(document_index=client.document_index).exclude(uid=client.uid).exists()


def search_clients(actor: Actor, text: str, *, limit: int) -> list[Client]:
    """Return the visible clients that ``text`` may mean, at most ``limit``: one or two statements.

    Without a digit it is the beginning of a name, last name first or first names first, whatever its case
    and accents; with one it is a reference, a phone or a document number, whole.
    """
    if any(letter.isdigit() for letter in text):
        return list(find_clients(actor, text).order_by("search_name", "pk")[:limit])
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
    return visible_clients(actor).filter(prefix_range(beginning, column=column)).order_by(column, "pk")


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
    if (debts := external_debts(client)).count:
        values["mensualites_en_cours"] = debts.monthly_payment_xaf
        values["encours_autres_dettes"] = debts.outstanding_xaf
    return {name: value for name, value in values.items() if value not in (None, "")}


def _months_between(start: dt.date | None, end: dt.date) -> int | None:
    return None if start is None else max(0, int((end - start).days / DAYS_PER_MONTH))
