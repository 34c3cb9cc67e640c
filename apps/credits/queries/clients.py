"""Reads of clients, always through what the actor may see."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.credits.errors import ClientMerged
from apps.credits.models import Client, DistinctClients
from apps.credits.queries.securities import external_debts
from apps.credits.validators import document_index, phone_index, search_form
from apps.engine.contracts import Value
from apps.engine.ledger import add_months
from apps.institutions.models import Agency
from apps.institutions.queries import agency_key, setting_on
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

DAYS_PER_MONTH = 30.4375  # 365.25 / 12
LAST_LETTER = "\U0010ffff"
#: So many merged files are followed when a number means several.
MOST_MERGED = 5
STALE_SETTING, STALE_MONTHS = "data_stale_months", 6
#: How many months a consent holds; nothing and 0 mean for ever.
CONSENT_SETTING = "consent_valid_months"


def visible_clients(actor: Actor) -> QuerySet[Client]:
    """Return the clients of the agencies that ``actor`` sees."""
    clients = Client.objects.select_related("agency")
    return clients if actor.agency_ids is None else clients.filter(agency_id__in=actor.agency_ids)


def standing_clients(actor: Actor) -> QuerySet[Client]:
    """Return the clients of the agencies that ``actor`` sees, without the files merged into others."""
    return visible_clients(actor).filter(merged_into=None)


def get_visible_client(actor: Actor, *, uid: UUID | None = None, reference: str | None = None) -> Client:
    """Return one client by public identifier or by reference; raise ``ObjectNotFound``."""
    clients = visible_clients(actor)
    found = clients.filter(uid=uid) if uid is not None else clients.filter(reference=reference)
    client = found.first()
    if client is None:
        raise ObjectNotFound(_("No such client."))
    return client


def get_client_in_use(actor: Actor, *, uid: UUID | None = None, reference: str | None = None) -> Client:
    """Return one client on whom something new may be entered.

    Raises ``ObjectNotFound``, and ``ClientMerged`` for a file that was merged into another one.
    """
    client = get_visible_client(actor, uid=uid, reference=reference)
    require_in_use(client)
    return client


def require_in_use(client: Client) -> None:
    """Raise ``ClientMerged``, naming the file to use, for one that was merged into another."""
    if client.merged_into_id is None:
        return
    kept = Client.objects.get(pk=client.merged_into_id)
    message = _("This file was merged into %(reference)s: use that one.")
    raise ClientMerged(message % {"reference": kept.reference})


def kept_file(actor: Actor, client: Client) -> Client | None:
    """Return the file that stands for the person now, which may be ``client``; None out of sight."""
    found: Client | None = client
    while found is not None and found.merged_into_id is not None:
        found = visible_clients(actor).filter(pk=found.merged_into_id).first()
    return found


def merged_files(client: Client) -> list[Client]:
    """Return the files merged into ``client``, and into these; a statement a level, one where there is none.

    What was entered on them stays theirs and belongs to the history of ``client``.
    """
    found: list[Client] = []
    level = [client.pk]
    while rows := list(Client.objects.select_related("agency").filter(merged_into__in=level)):
        found += rows
        level = [each.pk for each in rows]
    return found


def keys_of_file(uid: UUID) -> list[int]:
    """Return the keys of a file and of those merged into it, by its public identifier; none if unknown."""
    client = Client.objects.filter(uid=uid).first()
    return [] if client is None else [client.pk, *(each.pk for each in merged_files(client))]


def clients_with_phone(actor: Actor, phone: str) -> QuerySet[Client]:
    """Return the visible clients whose phone is ``phone``, however it is spaced, by the blind index."""
    index = phone_index(phone, institution_id=actor.institution)
    return standing_clients(actor).filter(phone_index=index) if index else Client.objects.none()


def clients_with_document(actor: Actor, number: str) -> QuerySet[Client]:
    """Return the visible clients whose identity document has this number, by the blind index."""
    index = document_index(number, institution_id=actor.institution)
    return standing_clients(actor).filter(document_index=index) if index else Client.objects.none()


def clients_named(actor: Actor, prefix: str) -> QuerySet[Client]:
    """Return the visible clients whose name begins with ``prefix``, without case or accents.

    A range and not LIKE: LIKE is not leakproof, so that under row-level security it uses no index.
    """
    return standing_clients(actor).filter(prefix_range(search_form(prefix)))


def prefix_range(prefix: str, *, column: str = "search_name") -> Q:
    """Return the condition of a name as it is searched that begins with ``prefix``, everything if empty."""
    if not prefix:
        return Q()
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + LAST_LETTER})


def find_clients(actor: Actor, text: str) -> QuerySet[Client]:
    """Return the visible clients that ``text`` means.

    That is the beginning of a name; or, with a digit in it, a whole reference, phone or document number. What
    means a merged file finds the one that stands for it.
    """
    found = _meaning(actor, text)
    if not any(letter.isdigit() for letter in text):
        return standing_clients(actor).filter(found)
    merged = visible_clients(actor).filter(found, merged_into__isnull=False)
    if kept := [each.pk for row in merged[:MOST_MERGED] if (each := kept_file(actor, row)) is not None]:
        found |= Q(pk__in=kept)
    return standing_clients(actor).filter(found)


def _meaning(actor: Actor, text: str) -> Q:
    text = text.strip()
    if not any(letter.isdigit() for letter in text):
        return prefix_range(search_form(text))
    found = Q(reference__in={text, text.upper()})
    if phone := phone_index(text, institution_id=actor.institution):
        found |= Q(phone_index=phone)
    if document := document_index(text, institution_id=actor.institution):
        found |= Q(document_index=document)
    return found


def filtered_clients(
    actor: Actor, *, text: str = "", agency: Agency | None = None, confirmed_before: dt.date | None = None
) -> QuerySet[Client]:
    """Return the visible clients that ``text`` means, of one agency, confirmed before a day only."""
    clients = find_clients(actor, text)
    if agency is not None:
        clients = clients.filter(agency=agency)
    return clients if confirmed_before is None else clients.filter(data_updated_on__lt=confirmed_before)


def clients_found(
    actor: Actor,
    *,
    text: str = "",
    reference: str = "",
    phone: str = "",
    agency: UUID | None = None,
    merged: bool = False,
) -> QuerySet[Client]:
    """Return the visible clients that answer to every filter given; ``agency`` is a public identifier.

    With ``merged`` only the files that were merged into another one, without it only the others.
    """
    if merged:
        clients = visible_clients(actor).filter(_meaning(actor, text), merged_into__isnull=False)
    else:
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


def consent_months(*, on: dt.date | None = None) -> int:
    """Return how many months a consent holds (setting ``consent_valid_months``), 0 for ever."""
    return int(setting_on(CONSENT_SETTING, date=on, default=0) or 0)


def consent_expiry(given_on: dt.date | None, *, months: int) -> dt.date | None:
    """Return the first day on which a consent holds no more, None for one that is not given or never ends."""
    return add_months(given_on, months) if given_on is not None and months else None


def oldest_consent(on: dt.date, *, months: int) -> dt.date:
    """Return the first day of which a consent still holds on ``on``; ``months`` is not 0."""
    day = add_months(on, -months)
    while add_months(day, months) <= on:
        day += dt.timedelta(days=1)
    return day


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Files that may be of the same person: those the actor sees, and whether another agency has one."""

    clients: tuple[Client, ...]
    elsewhere: bool

    def __bool__(self) -> bool:
        return bool(self.clients) or self.elsewhere


def duplicates_of(actor: Actor, client: Client) -> Duplicates:
    """Return the files that share the phone, the document, or the name and birth date of ``client``.

    Those that somebody told apart from it are left out. Of a file out of the actor's sight nothing is told
    but that its document is the same.
    """
    same = Q()
    for column in ("name_key", "phone_index", "document_index"):
        if value := getattr(client, column):
            same |= Q(**{column: value})
    if not same:
        return Duplicates((), elsewhere=False)
    seen = standing_clients(actor).exclude(uid=client.uid).filter(same).order_by("search_name")
    if client.pk:
        seen = seen.exclude(pk__in=kept_apart_from(client))
    return Duplicates(tuple(seen[:5]), elsewhere=_document_elsewhere(actor, client))


def kept_apart_from(client: Client) -> set[int]:
    """Return the keys of the files that somebody told apart from ``client``."""
    rows = DistinctClients.objects.filter(Q(first=client) | Q(second=client))
    return {key for pair in rows.values_list("first_id", "second_id") for key in pair} - {client.pk}


def _document_elsewhere(actor: Actor, client: Client) -> bool:
    if actor.agency_ids is None or not client.document_index:
        return False
    hidden = Client.objects.standing().exclude(agency_id__in=actor.agency_ids)
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
    return standing_clients(actor).filter(prefix_range(beginning, column=column)).order_by(column, "pk")


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
    if (debts := external_debts(client, *merged_files(client))).count:
        values["mensualites_en_cours"] = debts.monthly_payment_xaf
        values["encours_autres_dettes"] = debts.outstanding_xaf
    return {name: value for name, value in values.items() if value not in (None, "")}


def _months_between(start: dt.date | None, end: dt.date) -> int | None:
    return None if start is None else max(0, int((end - start).days / DAYS_PER_MONTH))
