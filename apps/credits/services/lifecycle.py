"""The way of an application: submitted, returned for pieces, taken back, cancelled, and what was decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits import rules
from apps.credits.enums import ApplicationStatus, Piece
from apps.credits.errors import ApplicationMoved
from apps.credits.models import CreditApplication, PieceRequest
from apps.credits.queries.applications import visible_applications
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from apps.tenancy.roles import Verb

Rule = Callable[[Actor, CreditApplication], bool]


def locked_application(uid: UUID, by: Actor, rule: Rule) -> CreditApplication:
    """Return a visible application, locked until the transaction ends, to which ``rule`` applies.

    Raises ``ObjectNotFound``, ``NotAllowed``, or ``ApplicationMoved`` when it is in another state.
    """
    application = visible_applications(by).select_for_update(of=("self",)).filter(uid=uid).first()
    if application is None:
        raise ObjectNotFound(_("No such application."))
    if not rule(by, application):
        raise _refusal(application, by, rule)
    return application


def _refusal(application: CreditApplication, by: Actor, rule: Rule) -> NotAllowed | ApplicationMoved:
    if not (by.may(Verb.EDIT_FILES) or by.may(Verb.DECIDE)):
        return NotAllowed(_("Your role does not allow this."))
    if rule is rules.can_return and application.author_id == by.person_id:
        return NotAllowed(_("Another person must return this file: you entered it."))
    message = _("This file has moved on: it is now « %(status)s ».")
    return ApplicationMoved(message % {"status": application.get_status_display()})


@transaction.atomic
def submit_application(*, uid: UUID, by: Actor, answer: str = "") -> CreditApplication:
    """Send a draft, or a file that was returned, for decision; ``answer`` says what was added.

    Raises ``ObjectNotFound``, or ``ApplicationMoved`` when the file is no longer open to change. Sent
    twice, the second is ``ApplicationMoved``.
    """
    application = locked_application(uid, by, rules.can_submit)
    before = application.status
    now = timezone.now()
    if before == ApplicationStatus.INCOMPLETE:
        PieceRequest.objects.filter(application=application, answered_at=None).update(
            answer=answer, answered_by_id=by.person_id, answered_at=now
        )
    if application.submitted_by_id is None:
        application.submitted_by_id = by.person_id
    application.submitted_at = now
    return _move(application, ApplicationStatus.SUBMITTED, action="application.submit", by=by)


@transaction.atomic
def withdraw_application(*, uid: UUID, by: Actor) -> CreditApplication:
    """Take a submitted file back as a draft, before anybody decided; raises as ``submit_application``."""
    application = locked_application(uid, by, rules.can_withdraw)
    application.submitted_at = application.submitted_by = None
    return _move(application, ApplicationStatus.DRAFT, action="application.withdraw", by=by)


@transaction.atomic
def request_pieces(*, uid: UUID, pieces: Sequence[str], note: str, by: Actor) -> PieceRequest:
    """Return a submitted file as « to be completed », saying what is missing.

    ``pieces`` are codes of ``Piece``. Raises ``InvalidValues`` when nothing is asked, or « other » without
    a note; ``NotAllowed`` to the file's author; ``ApplicationMoved`` when it is not awaiting a decision.
    """
    application = locked_application(uid, by, rules.can_return)
    if by.person_id is None:
        raise NotAllowed(_("A person must ask for a piece."))
    unknown = set(pieces) - set(Piece.values)
    if unknown or not pieces:
        message = _("Say which piece is missing.")
        raise InvalidValues(message, fields={"pieces": [message]})
    if Piece.OTHER in pieces and not note.strip():
        message = _("Describe the other piece.")
        raise InvalidValues(message, fields={"note": [message]})
    request = PieceRequest.objects.create(
        application=application,
        pieces=list(dict.fromkeys(pieces)),
        note=note.strip(),
        asked_by_id=by.person_id,
    )
    _move(
        application,
        ApplicationStatus.INCOMPLETE,
        action="application.return",
        by=by,
        pieces=request.pieces,
    )
    return request


@transaction.atomic
def cancel_application(*, uid: UUID, reason: str, by: Actor) -> CreditApplication:
    """Cancel an undecided application for a reason of the list; nothing is deleted."""
    application = locked_application(uid, by, rules.can_cancel)
    _close_request(application, by)
    application.cancel_reason = reason
    return _move(application, ApplicationStatus.CANCELLED, action="application.cancel", by=by, reason=reason)


@transaction.atomic
def reopen_application(*, uid: UUID, by: Actor) -> CreditApplication:
    """Undo a cancellation: the application is a draft again."""
    application = locked_application(uid, by, rules.can_reopen)
    application.cancel_reason, application.submitted_at, application.submitted_by = "", None, None
    return _move(application, ApplicationStatus.DRAFT, action="application.reopen", by=by)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a decision makes of an application; ``told`` goes to the trail, codes and identifiers only."""

    status: ApplicationStatus
    granted_xaf: int | None = None
    granted_months: int | None = None
    told: Mapping[str, object] = field(default_factory=dict)


@transaction.atomic
def settle_application(
    *, application: CreditApplication, settlement: Settlement, by: Actor
) -> CreditApplication:
    """Write on an application what was decided; the caller has checked the rules and locked the row."""
    application.granted_xaf, application.granted_months = settlement.granted_xaf, settlement.granted_months
    return _move(application, settlement.status, action="application.decide", by=by, **settlement.told)


def _close_request(application: CreditApplication, by: Actor) -> None:
    PieceRequest.objects.filter(application=application, answered_at=None).update(
        answered_by_id=by.person_id, answered_at=timezone.now()
    )


def _move(
    application: CreditApplication, status: ApplicationStatus, *, action: str, by: Actor, **details: object
) -> CreditApplication:
    before, application.status = application.status, status
    application.save()
    record(
        by=by,
        action=action,
        target=application,
        before={"status": str(before)},
        after={"status": str(status), **details},
    )
    return application
