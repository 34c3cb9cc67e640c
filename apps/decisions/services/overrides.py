"""Answering a decision against the advice: by another person than who asked for it."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.decisions.enums import DecisionKind, OverrideStatus
from apps.decisions.errors import OverrideAnswered
from apps.decisions.models import Decision, OverrideRequest
from apps.decisions.queries.decisions import Standing, standing_of
from apps.decisions.rules import refusal_of_score, refusal_to_open
from apps.decisions.services.deciding import Terms, locked_file, store_decision, text_fault
from apps.outbox.services import enqueue_alert, withdraw_alerts
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import require_another_person


@transaction.atomic
def confirm_override(*, request: OverrideRequest, by: Actor, remark: str = "") -> Decision:
    """Confirm a decision against the advice: it is taken, by ``by``, as it was asked for.

    Raises ``OverrideAnswered`` when it was answered before, or when the file or its score changed since;
    ``SamePerson`` for who asked; and what ``decide`` raises for who made the file or is above the limit.
    """
    if fault := text_fault(remark, least=0):
        raise InvalidValues(fault, fields={"remark": [fault]})
    locked, standing = _locked(request, by)
    refusal = refusal_to_open(by, locked.application, standing, amount_xaf=locked.amount_xaf)
    if refusal := refusal or refusal_of_score(standing):
        raise refusal
    if standing.prediction is None or standing.prediction.pk != locked.prediction_id:
        raise OverrideAnswered(_("The file was scored again since: the decision is to be taken anew."))
    terms = Terms(
        DecisionKind(locked.kind), locked.motive, locked.comment, locked.amount_xaf, locked.duration_months
    )
    decision = store_decision(locked.application, standing, terms, by, override=locked)
    _answer(locked, OverrideStatus.CONFIRMED, by, remark.strip(), decision)
    return decision


@transaction.atomic
def refuse_override(*, request: OverrideRequest, by: Actor, reason: str) -> OverrideRequest:
    """Refuse a decision against the advice, with a reason: the file awaits a decision again.

    The same refusals as ``confirm_override``, but for the score.
    """
    if fault := text_fault(reason):
        raise InvalidValues(fault, fields={"remark": [fault]})
    locked, standing = _locked(request, by)
    if refusal := refusal_to_open(by, locked.application, standing, amount_xaf=locked.amount_xaf):
        raise refusal
    _answer(locked, OverrideStatus.REFUSED, by, reason.strip())
    about = {"application": str(locked.application.uid)}
    enqueue_alert(code="override.refused", recipients=[locked.requested_by_id], payload=about)
    return locked


@transaction.atomic
def withdraw_override(*, request: OverrideRequest, by: Actor) -> OverrideRequest:
    """Take back one's own wish to go against the advice; ``NotAllowed`` for anybody else."""
    locked = _pending(request, by)
    if by.person_id is None or locked.requested_by_id != by.person_id:
        raise NotAllowed(_("Only the person who asked for it may withdraw it."))
    _answer(locked, OverrideStatus.WITHDRAWN, by, "")
    return locked


def _locked(request: OverrideRequest, by: Actor) -> tuple[OverrideRequest, Standing]:
    locked = _pending(request, by)
    require_another_person(maker_id=locked.requested_by_id, by=by)
    return locked, standing_of(by, locked.application)


def _pending(request: OverrideRequest, by: Actor) -> OverrideRequest:
    """Hold the file, then the request: in the order in which a decision holds them."""
    application = locked_file(request.application, by)
    locked = OverrideRequest.objects.select_for_update().get(pk=request.pk)
    locked.application = application
    if locked.status != OverrideStatus.PENDING:
        message = _("This request was answered before: « %(status)s ».")
        raise OverrideAnswered(message % {"status": locked.get_status_display()})
    return locked


def _answer(
    request: OverrideRequest,
    status: OverrideStatus,
    by: Actor,
    remark: str,
    decision: Decision | None = None,
) -> None:
    request.status, request.answer, request.decision = status, remark, decision
    request.answered_by_id, request.answered_at = by.id, timezone.now()
    request.save(update_fields=["status", "answer", "decision", "answered_by", "answered_at"])
    action = {
        OverrideStatus.CONFIRMED: "override.confirm",
        OverrideStatus.REFUSED: "override.refuse",
        OverrideStatus.WITHDRAWN: "override.withdraw",
    }[status]
    record(by=by, action=action, target=request.application, after={"request": str(request.uid)})
    withdraw_alerts(code="override.requested", about={"application": str(request.application.uid)})
