"""Writing clients' files: one transaction and one audit entry per verb."""

import re
import unicodedata
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.models import Client
from apps.credits.validators import document_index, phone_index
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, ObjectNotFound


@transaction.atomic
def save_client(*, client: Client, by: Actor) -> Client:
    """Create or change a client's file; raise ``InvalidValues`` with the fields refused."""
    if not by.sees_agency(client.agency_id):
        raise ObjectNotFound(_("No such agency."))
    created = client._state.adding
    client.reference = client.reference or f"C-{uuid.uuid4().hex[:8].upper()}"
    prepare_client(client, institution_id=by.institution)
    try:
        client.full_clean()
    except ValidationError as error:
        raise InvalidValues(_("Some values cannot be used."), fields=error.message_dict) from error
    client.save()
    record(by=by, action="client.create" if created else "client.update", target=client)
    return client


def prepare_client(client: Client, *, institution_id: int) -> Client:
    """Fill what is derived from the fields: the name as it is searched, the blind indexes."""
    client.search_name = search_form(f"{client.last_name} {client.first_names}")
    client.phone = re.sub(r"[\s.\-]", "", client.phone)
    client.phone_index = phone_index(client.phone, institution_id=institution_id)
    client.document_index = document_index(client.document_number, institution_id=institution_id)
    return client


@transaction.atomic
def reindex_clients(*, after: int, institution_id: int, size: int = 500) -> tuple[int | None, int]:
    """Compute again what the next ``size`` clients are found by; return ``(last key or None, changed)``."""
    clients = list(Client.objects.select_for_update().filter(pk__gt=after).order_by("pk")[:size])
    names = ("search_name", "phone_index", "document_index")
    before = {client.pk: tuple(getattr(client, name) for name in names) for client in clients}
    for client in clients:
        prepare_client(client, institution_id=institution_id)
    changed = [each for each in clients if before[each.pk] != tuple(getattr(each, name) for name in names)]
    for client in changed:
        client.save(update_fields=names)
    return (clients[-1].pk if len(clients) == size else None), len(changed)


def search_form(name: str) -> str:
    """Return a name without case or accents, as prefix search compares it."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", plain).strip()
