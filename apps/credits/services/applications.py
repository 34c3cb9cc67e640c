"""Writing applications: checked against the dictionary, one transaction, one audit entry."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.enums import ApplicationStatus
from apps.credits.models import VARIABLE_COLUMNS, Client, CreditApplication
from apps.credits.queries.clients import client_values, get_client_in_use
from apps.credits.queries.dictionary import dictionary_for
from apps.credits.rules import can_edit
from apps.credits.services.clients import save_client
from apps.credits.services.lifecycle import locked_application
from apps.credits.validators import refused_texts
from apps.engine.contracts import Value
from apps.engine.dictionary import STANDARD, Dictionary
from apps.engine.ratios import with_ratios
from apps.institutions.models import Agency
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ChangedMeanwhile, InvalidValues, NotAllowed, ObjectNotFound
from apps.tenancy.language import current_lang
from apps.tenancy.locks import wait_for_lock
from apps.tenancy.roles import Verb


def checked_values(
    raw: Mapping[str, object], dictionary: Dictionary = STANDARD
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return ``(canonical values with ratios, warnings)``; raise ``InvalidValues`` naming every field.

    ``dictionary`` is what ``dictionary_for`` gives for the names sent: an institution may have its own.
    """
    cleaned = dictionary.clean(raw)
    if cleaned.problems:
        fields: dict[str, list[str]] = {}
        for problem in cleaned.problems:
            fields.setdefault(problem.field, []).append(problem.text(current_lang()))
        raise InvalidValues(_("Some values cannot be used."), fields=fields)
    values, warnings = with_ratios(cleaned.values)
    return values, tuple(dict.fromkeys((*cleaned.warnings, *warnings)))


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

    Raises ``NotAllowed``, ``InvalidValues`` naming every field at fault, ``ObjectNotFound`` for a client or
    an agency out of sight, ``ClientMerged``; then nothing is stored.
    """
    if not by.may(Verb.EDIT_FILES):
        raise NotAllowed(_("Your role does not allow this."))
    draft = _draft(uid, by)
    client = _client_of(entry, draft, by)
    application = draft or CreditApplication(
        uid=uid,
        reference=f"D-{uuid.uuid4().hex[:8].upper()}",
        author_id=by.person_id,
        applied_on=timezone.localdate(),
    )
    created = application._state.adding
    raw = {**client_values(client, on=application.applied_on), **_without_blanks(entry.values)}
    values, _warnings = checked_values(raw, dictionary_for(raw))
    application.client, application.agency_id = client, client.agency_id
    application.purpose = entry.purpose
    fill_values(application, values)
    _check_purpose(application)
    application.save()
    record(by=by, action="application.create" if created else "application.update", target=application)
    return application


@dataclass(frozen=True, slots=True)
class Change:
    """New values of an application, as received; ``version`` is what ``version_of`` gave when it was read."""

    values: Mapping[str, object]
    purpose: str
    version: str


@transaction.atomic
def change_application(*, uid: uuid.UUID, change: Change, by: Actor) -> CreditApplication:
    """Change the values of an application that is still open to change.

    A variable left out of ``change.values`` keeps its value; a blank one becomes unknown. Raises
    ``ObjectNotFound``, ``ApplicationMoved``, ``ChangedMeanwhile`` when somebody saved it after it was
    read, ``InvalidValues`` naming every field at fault; then nothing is stored.
    """
    application = locked_application(uid, by, can_edit)
    if version_of(application) != change.version:
        raise ChangedMeanwhile(
            _("Somebody saved this application while you were typing: open it again, then change it.")
        )
    stored = {name: value for name, value in stored_values(application).items() if name not in RATIOS}
    dictionary = dictionary_for({*stored, *change.values})
    retired = {name: value for name, value in stored.items() if name not in dictionary}
    raw = {name: value for name, value in stored.items() if name not in retired} | dict(change.values)
    values, _warnings = checked_values(_without_blanks(raw), dictionary)
    changed = sorted(name for name in values if values[name] != stored.get(name) and name not in RATIOS)
    fill_values(application, {**values, **retired})
    application.purpose = change.purpose
    _check_purpose(application)
    application.save()
    record(by=by, action="application.update", target=application, after={"fields": changed})
    return application


RATIOS = frozenset({"taux_endettement", "ratio_dette_revenu"})
"""Computed from the other values each time these change."""


def version_of(application: CreditApplication) -> str:
    """Return what changes each time the row is saved, to be sent back with a change."""
    return application.updated_at.isoformat()


def stored_values(application: CreditApplication) -> dict[str, Value]:
    """Return the variables of an application as they are stored, by name; unknown ones left out.

    The standard ones come first, in the order of the dictionary, then those of the institution.
    """
    own = sorted(name for name in application.extra if name not in STANDARD)
    values = {
        name: getattr(application, name) if name in VARIABLE_COLUMNS else application.extra.get(name)
        for name in (*STANDARD.names, *own)
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


@transaction.atomic
def take_up_again(
    *,
    application: CreditApplication,
    by: Actor,
    amount_xaf: int | None = None,
    duration_months: int | None = None,
) -> CreditApplication:
    """Make a decided application a draft again, with the amount and term of an offer where one is given.

    The row must be locked by the caller, which made the rules. Its ratios are computed again.
    """
    stored = stored_values(application)
    if amount_xaf is not None and duration_months is not None:
        offered = {"montant_credit": amount_xaf, "duree_mois": duration_months}
        kept = {name: value for name, value in stored.items() if name not in RATIOS}
        values, _warnings = with_ratios({**kept, **offered})
        fill_values(application, values)
    before, application.status = application.status, ApplicationStatus.DRAFT
    application.submitted_at = application.submitted_by = None
    application.granted_xaf = application.granted_months = None
    application.save()
    record(
        by=by,
        action="application.resume",
        target=application,
        before={"status": str(before)},
        after={"status": str(ApplicationStatus.DRAFT)},
    )
    return application


def _check_purpose(application: CreditApplication) -> None:
    if fields := refused_texts(application, lines=["purpose"]):
        raise InvalidValues(_("Some values cannot be used."), fields=fields)


def _client_of(entry: Entry, draft: CreditApplication | None, by: Actor) -> Client:
    if entry.client_reference:
        return get_client_in_use(by, reference=entry.client_reference)
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
    # Two clicks at once: the second waits here, then finds the draft of the first.
    wait_for_lock(f"credits.application {uid}")
    application = (
        CreditApplication.objects.select_related("client")
        .select_for_update(of=("self",))
        .filter(uid=uid)
        .first()
    )
    if application is None:
        return None
    own = application.author_id == by.person_id and by.sees_agency(application.agency_id)
    if not own or application.status != ApplicationStatus.DRAFT:
        raise ObjectNotFound(_("No such application."))
    return application
