"""Writing clients and applications: checked against the dictionary, one transaction, one audit entry."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.enums import ApplicationStatus
from apps.credits.models import VARIABLE_COLUMNS, Client, CreditApplication
from apps.credits.queries import client_values, get_visible_client
from apps.credits.validators import document_index, phone_index, search_form
from apps.engine.contracts import Value
from apps.engine.dictionary import STANDARD
from apps.engine.ratios import with_ratios
from apps.institutions.models import Agency
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, ObjectNotFound
from apps.tenancy.language import current_lang


def checked_values(raw: Mapping[str, object]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return ``(canonical values with ratios, warnings)``; raise ``InvalidValues`` naming every field."""
    cleaned = STANDARD.clean(raw)
    if cleaned.problems:
        fields: dict[str, list[str]] = {}
        for problem in cleaned.problems:
            fields.setdefault(problem.field, []).append(problem.text(current_lang()))
        raise InvalidValues(_("Some values cannot be used."), fields=fields)
    values, warnings = with_ratios(cleaned.values)
    return values, tuple(dict.fromkeys((*cleaned.warnings, *warnings)))


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
    client.search_first_names = search_form(f"{client.first_names} {client.last_name}")
    client.phone = re.sub(r"[\s.\-]", "", client.phone)
    client.phone_index = phone_index(client.phone, institution_id=institution_id)
    client.document_index = document_index(client.document_number, institution_id=institution_id)
    return client


@transaction.atomic
def reindex_clients(*, after: int, institution_id: int, size: int = 500) -> tuple[int | None, int]:
    """Compute again what the next ``size`` clients are found by; return ``(last key or None, changed)``."""
    clients = list(Client.objects.select_for_update().filter(pk__gt=after).order_by("pk")[:size])
    names = ("search_name", "search_first_names", "phone_index", "document_index")
    before = {client.pk: tuple(getattr(client, name) for name in names) for client in clients}
    for client in clients:
        prepare_client(client, institution_id=institution_id)
    changed = [each for each in clients if before[each.pk] != tuple(getattr(each, name) for name in names)]
    for client in changed:
        client.save(update_fields=names)
    return (clients[-1].pk if len(clients) == size else None), len(changed)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a form or a partner sends to enter an application.

    ``values`` holds dictionary fields as received. Either ``client_reference`` names a client of the
    institution, or ``identity`` holds the fields of a new one (names as in ``Client``).
    """

    values: Mapping[str, object]
    agency: Agency | None = None
    client_reference: str = ""
    identity: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""


@transaction.atomic
def enter_application(*, uid: uuid.UUID, entry: Entry, by: Actor) -> CreditApplication:
    """Create the draft ``uid`` and, where needed, its client; sent again, change the same draft.

    Raises ``InvalidValues`` naming every field at fault, ``ObjectNotFound`` for a client or an agency out
    of sight; then nothing is stored.
    """
    draft = _draft(uid, by)
    client = _client_of(entry, draft, by)
    application = draft or CreditApplication(
        uid=uid,
        reference=f"D-{uuid.uuid4().hex[:8].upper()}",
        author_id=by.id,
        applied_on=timezone.localdate(),
    )
    created = application._state.adding
    values, _warnings = checked_values(
        {**client_values(client, on=application.applied_on), **_without_blanks(entry.values)}
    )
    application.client, application.agency_id = client, client.agency_id
    application.purpose = entry.purpose
    fill_values(application, values)
    application.save()
    record(by=by, action="application.create" if created else "application.update", target=application)
    return application


def _client_of(entry: Entry, draft: CreditApplication | None, by: Actor) -> Client:
    if entry.client_reference:
        return get_visible_client(by, reference=entry.client_reference)
    if entry.agency is None:
        raise ObjectNotFound(_("No such agency."))
    client = draft.client if draft is not None else Client()
    for name, value in entry.identity.items():
        setattr(client, name, value)
    client.agency = entry.agency
    return save_client(client=client, by=by)


def _without_blanks(raw: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in raw.items() if value not in (None, "")}


def fill_values(application: CreditApplication, values: Mapping[str, Value]) -> None:
    """Spread dictionary values over the columns, and what has no column over ``extra``."""
    for name in VARIABLE_COLUMNS:
        setattr(application, name, _column_value(name, values.get(name)))
    application.extra = {
        name: value for name, value in values.items() if name not in VARIABLE_COLUMNS and value is not None
    }


def _column_value(name: str, value: Value) -> Any:
    nullable = CreditApplication._meta.get_field(name).null
    return "" if value is None and not nullable else value


def _draft(uid: uuid.UUID, by: Actor) -> CreditApplication | None:
    with connection.cursor() as cursor:
        # Two clicks at once: the second waits here, then finds the draft of the first.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(uid)])
    application = (
        CreditApplication.objects.select_related("client")
        .select_for_update(of=("self",))
        .filter(uid=uid)
        .first()
    )
    if application is None:
        return None
    if application.author_id != by.id or application.status != ApplicationStatus.DRAFT:
        raise ObjectNotFound(_("No such application."))
    return application
