"""Production: proposed by one person, approved by another, started at its hour, taken back in one step."""

import datetime as dt
import logging
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.outbox.enums import WebhookEvent
from apps.outbox.services import announce, enqueue_alert, withdraw_alerts
from apps.registry.enums import BLOCKING, ModelStatus, PromotionStatus, StartOrigin, Verdict
from apps.registry.errors import GateFailed, ModelNotAllowed, PromotionClosed
from apps.registry.loader import load_scorer
from apps.registry.models import Championship, ModelVersion, Promotion
from apps.registry.queries import approvers, version_before
from apps.registry.renderers import gate_label
from apps.registry.services.gates import Gate, checklist, measure, trained_here
from apps.registry.services.versions import locked_segment, refuse_synthetic_outside_demo
from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError, InvalidValues
from apps.tenancy.four_eyes import require_another_person, require_member
from apps.tenancy.roles import Verb

#: A start is scheduled so far ahead at most: figures grow old.
FARTHEST = dt.timedelta(days=90)

logger = logging.getLogger(__name__)


@transaction.atomic
def propose_promotion(
    *,
    version: ModelVersion,
    by: Actor,
    reason: str,
    explanation: str = "",
    starts_at: dt.datetime | None = None,
) -> Promotion:
    """Ask for a version to go into production; the checklist of this moment is kept with the demand.

    Raises ``NotAllowed``; ``InvalidValues`` for the hour or a missing reason; ``GateFailed`` when a gate is
    not passed or an explanation is missing; ``PromotionClosed`` when another one is open for the segment.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    _check_words(reason=reason, starts_at=starts_at)
    version, _others = locked_segment(version)
    if version.status == ModelStatus.CHAMPION:
        raise PromotionClosed(_("This version is in production already."))
    if Promotion.objects.open().filter(segment=version.segment).exists():
        raise PromotionClosed(_("Another promotion is open: it must be decided first."))
    gates = measured_checklist(version=version, by=by)
    refuse_blocking(gates, explanation=explanation)
    promotion = Promotion.objects.create(
        model_version=version,
        segment=version.segment,
        reason=reason,
        explanation=explanation,
        gates=[gate.as_dict() for gate in gates],
        starts_at=starts_at,
        proposed_by_id=by.person_id,
    )
    record(by=by, action="model.propose", target=version, after={"sha256": version.sha256})
    told = [person.pk for person in approvers(institution_id=by.institution, beside=by.id)]
    enqueue_alert(code="model.proposed", recipients=told, payload={"model": str(version.uid)})
    return promotion


def measured_checklist(*, version: ModelVersion, by: Actor) -> list[Gate]:
    """Return the checklist after the version was compared with today's outcomes, which it keeps.

    One that was trained here learnt from those outcomes: what its run measured on unseen rows stands.
    """
    if trained_here(version):
        return checklist(version=version, by=by)
    try:
        own = measure(version)
    except DomainError:  # it does not load: the checklist says so
        return checklist(version=version, by=by)
    version.metrics = {**version.metrics, "own": own}
    version.save(update_fields=["metrics"])
    return checklist(version=version, by=by)


def refuse_blocking(gates: Sequence[Gate], *, explanation: str) -> None:
    """Raise ``GateFailed`` when a gate blocks, or must be explained and is not."""
    blocking = [gate_label(gate.code) for gate in gates if gate.verdict in BLOCKING]
    if blocking:
        raise GateFailed(_("Gates not passed: %(gates)s.") % {"gates": ", ".join(blocking)})
    unexplained = [gate_label(gate.code) for gate in gates if gate.verdict == Verdict.EXPLAIN]
    if unexplained and not explanation.strip():
        message = _("Explain in writing: %(gates)s.") % {"gates": ", ".join(unexplained)}
        raise GateFailed(message, fields={"explanation": [message]})


@transaction.atomic
def approve_promotion(*, promotion: Promotion, by: Actor) -> Promotion:
    """Approve what another person proposed; it starts at once, or at its hour.

    Raises ``NotAllowed``, ``SamePerson``, ``PromotionClosed`` when it was decided meanwhile, ``GateFailed``
    when a gate blocks by now.
    """
    require_member(by=by, verb=Verb.APPROVE_MODEL)
    promotion = _waiting(promotion)
    require_another_person(maker_id=promotion.proposed_by_id, by=by)
    version, _others = locked_segment(promotion.model_version)
    refuse_blocking(checklist(version=version, by=by), explanation=promotion.explanation or promotion.reason)
    promotion.decided_by_id, promotion.decided_at = by.person_id, timezone.now()
    promotion.status = PromotionStatus.APPROVED
    promotion.save(update_fields=["decided_by", "decided_at", "status"])
    withdraw_alerts(code="model.proposed", about={"model": str(version.uid)})
    record(by=by, action="model.approve", target=version, after={"sha256": version.sha256})
    if promotion.starts_at is None or promotion.starts_at <= timezone.now():
        _start(promotion, by=by)
    return promotion


@transaction.atomic
def decline_promotion(*, promotion: Promotion, by: Actor, reason: str) -> Promotion:
    """Refuse what another person proposed, with a reason.

    Raises ``NotAllowed``, ``SamePerson``, ``PromotionClosed`` or ``InvalidValues``.
    """
    require_member(by=by, verb=Verb.APPROVE_MODEL)
    _check_words(reason=reason)
    promotion = _waiting(promotion)
    require_another_person(maker_id=promotion.proposed_by_id, by=by)
    return _ended(promotion, PromotionStatus.DECLINED, by=by, reason=reason, action="model.decline")


@transaction.atomic
def withdraw_promotion(*, promotion: Promotion, by: Actor) -> Promotion:
    """Take back a promotion that has not started; raise ``NotAllowed`` or ``PromotionClosed``."""
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    promotion = _waiting(promotion, PromotionStatus.PROPOSED, PromotionStatus.APPROVED)
    return _ended(promotion, PromotionStatus.WITHDRAWN, by=by, reason="", action="model.withdraw")


@transaction.atomic
def roll_back(*, version: ModelVersion, by: Actor, reason: str) -> ModelVersion:
    """Put back what was in production before the champion ``version``; two people approved it then.

    Raises ``NotAllowed``; ``InvalidValues`` without a reason; ``PromotionClosed`` when ``version`` is not in
    production any more; ``ModelNotAllowed`` when nothing was before; ``NoApprovedModel`` when that one does
    not load.
    """
    require_member(by=by, verb=Verb.APPROVE_MODEL)
    _check_words(reason=reason)
    version, _others = locked_segment(version)
    if version.status != ModelStatus.CHAMPION:
        raise PromotionClosed(_("This version is not in production any more."))
    earlier = version_before(version)
    if earlier is None:
        raise ModelNotAllowed(_("Nothing was in production before this version."))
    refuse_synthetic_outside_demo(earlier)
    load_scorer(earlier)
    _switch(
        earlier,
        Championship(origin=StartOrigin.ROLLBACK, started_by_id=by.person_id, reason=reason),
    )
    record(by=by, action="model.rollback", target=earlier, after={"sha256": earlier.sha256})
    told = [person.pk for person in approvers(institution_id=by.institution, beside=by.id)]
    enqueue_alert(code="model.rolled_back", recipients=told, payload={"model": str(earlier.uid)})
    return earlier


@transaction.atomic
def start_due_promotion(*, by: Actor) -> bool:
    """Start the oldest approved promotion whose hour has come; ``False`` when there is none."""
    due = Promotion.objects.filter(status=PromotionStatus.APPROVED, starts_at__lte=timezone.now())
    promotion = due.select_for_update(skip_locked=True).order_by("starts_at", "pk").first()
    if promotion is None:
        return False
    try:
        with transaction.atomic():
            load_scorer(promotion.model_version)
            refuse_synthetic_outside_demo(promotion.model_version)
            _start(promotion, by=by)
    except DomainError as refusal:
        logger.error("Promotion %s could not start: %s", promotion.uid, refusal.code)  # noqa: TRY400  the code says it
        promotion.status, promotion.decision_reason = PromotionStatus.FAILED, refusal.message
        promotion.save(update_fields=["status", "decision_reason"])
        record(
            by=by, action="model.start_failed", target=promotion.model_version, after={"code": refusal.code}
        )
        told = [person.pk for person in approvers(institution_id=by.institution)]
        enqueue_alert(
            code="model.start_failed", recipients=told, payload={"model": str(promotion.model_version.uid)}
        )
    return True


def _start(promotion: Promotion, *, by: Actor) -> None:
    version = promotion.model_version
    _switch(
        version,
        Championship(
            origin=StartOrigin.PROMOTION,
            promotion=promotion,
            proposed_by_id=promotion.proposed_by_id,
            started_by_id=promotion.decided_by_id,
            reason=promotion.reason,
            gates=promotion.gates,
        ),
    )
    promotion.status = PromotionStatus.STARTED
    promotion.save(update_fields=["status"])
    record(by=by, action="model.promote", target=version, after={"sha256": version.sha256})


def _switch(version: ModelVersion, time: Championship) -> None:
    """Change the champion of a segment in the open transaction: whoever scores sees one or the other."""
    version, _others = locked_segment(version)
    last = Championship.objects.filter(segment=version.segment).order_by("-started_at", "-pk").first()
    time.model_version, time.segment, time.started_at = version, version.segment, timezone.now()
    if last is not None:  # a clock that was set back writes no history
        time.follows, time.previous_started_at = last, last.started_at
        time.started_at = max(time.started_at, last.started_at + dt.timedelta(microseconds=1))
    champions = ModelVersion.objects.filter(segment=version.segment, status=ModelStatus.CHAMPION)
    champions.update(status=ModelStatus.RETIRED)
    version.status = ModelStatus.CHAMPION
    version.save(update_fields=["status"])
    time.save(force_insert=True)
    announce(event=WebhookEvent.MODEL_PROMOTED, target=version.uid)


def _check_words(*, reason: str, starts_at: dt.datetime | None = None) -> None:
    if not reason.strip():
        message = _("Give a reason.")
        raise InvalidValues(message, fields={"reason": [message]})
    if starts_at is not None and not timezone.now() < starts_at <= timezone.now() + FARTHEST:
        message = _("Give an hour to come, within 90 days.")
        raise InvalidValues(message, fields={"starts_at": [message]})


def _waiting(promotion: Promotion, *statuses: str) -> Promotion:
    found = Promotion.objects.select_for_update().get(pk=promotion.pk)
    if found.status not in (statuses or (PromotionStatus.PROPOSED,)):
        raise PromotionClosed(_("This promotion was decided meanwhile."))
    return found


def _ended(promotion: Promotion, status: str, *, by: Actor, reason: str, action: str) -> Promotion:
    promotion.status, promotion.decision_reason = status, reason
    promotion.decided_by_id, promotion.decided_at = by.person_id, timezone.now()
    promotion.save(update_fields=["status", "decision_reason", "decided_by", "decided_at"])
    withdraw_alerts(code="model.proposed", about={"model": str(promotion.model_version.uid)})
    record(by=by, action=action, target=promotion.model_version)
    return promotion
