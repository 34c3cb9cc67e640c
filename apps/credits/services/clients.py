"""Writing clients' files: one transaction and one audit entry per verb."""

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.queries import history_of
from apps.audit.services import record
from apps.credits.enums import ConsentMethod, ConsentPurpose
from apps.credits.errors import ConsentMissing, PossibleDuplicate
from apps.credits.models import Client
from apps.credits.queries.clients import duplicates_of, require_in_use
from apps.credits.rules import can_edit_file
from apps.credits.validators import (
    compact_phone,
    document_index,
    name_key,
    phone_index,
    refused_texts,
    search_form,
)
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ChangedMeanwhile, InvalidValues, NotAllowed, ObjectNotFound

#: Purpose -> the columns that say since when, how, and since when no more.
CONSENTS = {
    ConsentPurpose.DATA: ("consent_at", "consent_method", "consent_withdrawn_on"),
    ConsentPurpose.BUREAU: ("bureau_consent_at", "bureau_consent_method", "bureau_consent_withdrawn_on"),
}
#: Texts of one line.
LINES = (
    *("reference", "last_name", "first_names", "city", "residence_region"),
    *("document_number", "occupation", "prohibition_source"),
)
#: Columns that are computed: no news for the trail.
DERIVED = frozenset(
    {
        *("search_name", "search_first_names", "name_key", "phone_index", "document_index"),
        *("created_at", "updated_at"),
    }
)


@transaction.atomic
def create_client(*, client: Client, by: Actor, despite_duplicates: bool = False) -> Client:
    """Open a client's file.

    Raises ``PossibleDuplicate`` when there seems to be one already, unless ``despite_duplicates``;
    ``InvalidValues`` with the fields refused, ``NotAllowed``, ``ObjectNotFound`` for a foreign agency.
    """
    require_editable(client, by)
    prepare_client(client, institution_id=by.institution)
    found = duplicates_of(by, client)
    if found and not despite_duplicates:
        raise PossibleDuplicate(_("This client may have a file already."), found=found)
    return save_client(client=client, by=by)


@transaction.atomic
def update_client(*, client: Client, version: str, by: Actor) -> Client:
    """Store a changed file, which confirms its data as of today.

    ``version`` is what ``version_of`` gave when the file was shown; raises ``ChangedMeanwhile``, which names
    who was faster, when the file has changed since.
    """
    require_editable(client, by)
    stored = Client.objects.select_for_update().get(pk=client.pk)
    if version_of(stored) != version:
        raise ChangedMeanwhile(_changed_meanwhile(stored))
    client.data_updated_on = timezone.localdate()
    prepare_client(client, institution_id=by.institution)
    return save_client(client=client, by=by, changed=_changed_fields(stored, client))


def version_of(client: Client) -> str:
    """Return what tells one state of a stored file from the next."""
    return client.updated_at.isoformat()


def _changed_meanwhile(stored: Client) -> str:
    entry = history_of(stored.uid).first()
    when = timezone.localtime(stored.updated_at)
    return _("%(who)s changed this file on %(date)s at %(time)s, after you opened it.") % {
        "who": entry.actor_name if entry is not None and entry.actor_name else _("Somebody else"),
        "date": f"{when:%d/%m/%Y}",
        "time": f"{when:%H:%M}",
    }


def _changed_fields(stored: Client, client: Client) -> list[str]:
    names = [field.attname for field in Client._meta.local_fields if field.name not in DERIVED]
    return [name for name in names if getattr(stored, name) != getattr(client, name)]


def require_editable(client: Client, by: Actor) -> None:
    """Raise ``ObjectNotFound`` out of sight, ``NotAllowed`` without the verb, ``ClientMerged``."""
    if not by.sees_agency(client.agency_id):
        raise ObjectNotFound(_("No such client."))
    if not can_edit_file(by, client):
        raise NotAllowed(_("Your role does not change clients' files."))
    require_in_use(client)


@transaction.atomic
def save_client(*, client: Client, by: Actor, changed: list[str] | None = None) -> Client:
    """Create or change a client's file; raise ``InvalidValues`` with the fields refused.

    ``changed`` names what the trail says was changed.
    """
    if not by.sees_agency(client.agency_id):
        raise ObjectNotFound(_("No such agency."))
    require_in_use(client)
    created = client._state.adding
    client.reference = client.reference or f"C-{uuid.uuid4().hex[:8].upper()}"
    prepare_client(client, institution_id=by.institution)
    _check(client)
    client.save()
    record(
        by=by,
        action="client.create" if created else "client.update",
        target=client,
        after=None if changed is None else {"fields": changed},
    )
    return client


def _check(client: Client) -> None:
    fields = dict(refused_texts(client, lines=LINES, phone="phone"))
    try:
        client.full_clean(exclude=set(fields))  # PostgreSQL is not even asked about some characters
    except ValidationError as error:
        fields = {**error.message_dict, **fields}
    if fields:
        raise InvalidValues(_("Some values cannot be used."), fields=fields)


def prepare_client(client: Client, *, institution_id: int) -> Client:
    """Fill what is derived from the fields: the name as it is searched, the blind indexes."""
    client.search_name = search_form(f"{client.last_name} {client.first_names}")
    client.search_first_names = search_form(f"{client.first_names} {client.last_name}")
    client.name_key = name_key(client.search_name, client.birth_date)
    client.phone = compact_phone(client.phone)
    client.phone_index = phone_index(client.phone, institution_id=institution_id)
    client.document_index = document_index(client.document_number, institution_id=institution_id)
    return client


@transaction.atomic
def confirm_client_data(*, client: Client, by: Actor) -> Client:
    """Note that the data of the file are still right today."""
    require_editable(client, by)
    client.data_updated_on = timezone.localdate()
    client.save(update_fields=["data_updated_on", "updated_at"])
    record(by=by, action="client.confirm", target=client)
    return client


@transaction.atomic
def give_consent(
    *, client: Client, purpose: ConsentPurpose, method: ConsentMethod, by: Actor, on: dt.date | None = None
) -> Client:
    """Note that the client consented to ``purpose`` on a day (default: today), and how it was obtained."""
    require_editable(client, by)
    day = on or timezone.localdate()
    if day > timezone.localdate():
        raise InvalidValues(_("A consent is not dated in the future."), fields={})
    _set_consent(client, purpose, (day, method.value, None))
    after = {"purpose": purpose.value, "method": method.value}
    record(by=by, action="client.consent", target=client, after=after)
    return client


@transaction.atomic
def withdraw_consent(*, client: Client, purpose: ConsentPurpose, by: Actor) -> Client:
    """Note that the client withdrew a consent today; raise ``ConsentMissing`` when there was none."""
    require_editable(client, by)
    if getattr(client, CONSENTS[purpose][0]) is None:
        raise ConsentMissing(_("The client has not given this consent."))
    _set_consent(client, purpose, (None, "", timezone.localdate()))
    record(by=by, action="client.consent_withdraw", target=client, after={"purpose": purpose.value})
    return client


@transaction.atomic
def refuse_offers(*, client: Client, by: Actor) -> Client:
    """Note that the client objects to being contacted with offers; nothing changes when that was noted."""
    return _set_refusal(client, by, client.offers_refused_on or timezone.localdate())


@transaction.atomic
def allow_offers(*, client: Client, by: Actor) -> Client:
    """Note that the client may be contacted with offers again."""
    return _set_refusal(client, by, None)


def _set_refusal(client: Client, by: Actor, day: dt.date | None) -> Client:
    require_editable(client, by)
    if client.offers_refused_on != day:
        client.offers_refused_on = day
        client.save(update_fields=["offers_refused_on", "updated_at"])
        record(by=by, action="client.offers", target=client, after={"refused": day is not None})
    return client


def _set_consent(
    client: Client, purpose: ConsentPurpose, values: tuple[dt.date | None, str, dt.date | None]
) -> None:
    names = CONSENTS[purpose]
    for name, value in zip(names, values, strict=True):
        setattr(client, name, value)
    client.save(update_fields=[*names, "updated_at"])


@transaction.atomic
def reindex_clients(*, after: int, institution_id: int, size: int = 500) -> tuple[int | None, int]:
    """Compute again what the next ``size`` clients are found by; return ``(last key or None, changed)``."""
    clients = list(Client.objects.select_for_update().filter(pk__gt=after).order_by("pk")[:size])
    names = ("search_name", "search_first_names", "name_key", "phone_index", "document_index")
    before = {client.pk: tuple(getattr(client, name) for name in names) for client in clients}
    for client in clients:
        prepare_client(client, institution_id=institution_id)
    changed = [each for each in clients if before[each.pk] != tuple(getattr(each, name) for name in names)]
    for client in changed:
        client.save(update_fields=names)
    return (clients[-1].pk if len(clients) == size else None), len(changed)
