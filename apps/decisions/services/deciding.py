"""Deciding an application: what a person takes upon themselves, with the advice in sight."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.models import CreditApplication
from apps.credits.queries.applications import visible_applications
from apps.credits.services.lifecycle import Settlement, settle_application
from apps.credits.validators import UNSEEN
from apps.decisions.enums import (
    GRANTING,
    STATUS_AFTER,
    DecisionKind,
    Direction,
    OverrideReason,
    OverrideStatus,
)
from apps.decisions.models import LONGEST_TEXT, Decision, DecisionMotive, OverrideRequest
from apps.decisions.queries.decisions import Standing, pending_override, standing_of
from apps.decisions.queries.limits import motives_of
from apps.decisions.rules import direction_of, refusal_to_decide
from apps.outbox.enums import WebhookEvent
from apps.outbox.services import announce, enqueue_alert, withdraw_alerts
from apps.scoring.models import Prediction
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.users.queries import people_with

#: An explanation says something: fewer letters than this do not.
LEAST_TEXT = 10
LONGEST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Choice:
    """What is decided, as received: a kind, one of its motives by code, and what else the kind asks for.

    ``amount_xaf`` and ``duration_months`` are as asked where they are left out, and always for a refusal or
    a deferral. ``override_*`` are for a decision against the advice, and for no other.
    """

    kind: str
    motive: str = ""
    comment: str = ""
    amount_xaf: int | None = None
    duration_months: int | None = None
    override_reason: str = ""
    override_text: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """The same, checked."""

    kind: DecisionKind
    motive: DecisionMotive
    comment: str
    amount_xaf: int
    duration_months: int


@transaction.atomic
def decide(*, application: CreditApplication, choice: Choice, by: Actor) -> Decision | OverrideRequest:
    """Decide an application; against the advice, ask a second person to confirm instead.

    Raises ``ObjectNotFound``; ``NotAllowed`` (``OwnFile``, ``OwnDecision``, ``AboveLimit``);
    ``ApplicationMoved`` when somebody decided before; ``OverridePending``; ``ScoreMissing`` or
    ``ScoreOutdated``; ``InvalidValues`` naming the fields at fault. Then nothing is stored.
    """
    locked = locked_file(application, by)
    lapse_outdated(locked, by)
    standing = standing_of(by, locked)
    _refuse(locked, standing, by)
    terms = checked_terms(choice, locked)
    _refuse(locked, standing, by, amount_xaf=terms.amount_xaf)
    prediction = standing.prediction
    assert prediction is not None
    direction = direction_of(prediction.recommendation, terms.kind)
    _check_override(choice, direction)
    if direction is not None:
        return _ask_second_person(locked, prediction, terms, choice, direction, by)
    return store_decision(locked, standing, terms, by)


def locked_file(application: CreditApplication, by: Actor) -> CreditApplication:
    """Return the application as it is now, locked until the transaction ends: of two people one is late."""
    rows = visible_applications(by).select_for_update(of=("self",), no_key=True)
    locked = rows.filter(pk=application.pk).first()
    if locked is None:
        raise ObjectNotFound(_("No such application."))
    return locked


def lapse_outdated(application: CreditApplication, by: Actor) -> None:
    """Close the pending override of a file that has changed, or was scored again, since it was asked for."""
    pending = pending_override(application)
    if pending is None:
        return
    standing = standing_of(by, application)
    latest = standing.prediction
    if standing.score_is_current and latest is not None and latest.pk == pending.prediction_id:
        return
    pending.status, pending.answered_at = OverrideStatus.LAPSED, timezone.now()
    pending.save(update_fields=["status", "answered_at"])
    record(by=by, action="override.lapse", target=pending)
    withdraw_alerts(code="override.requested", about={"application": str(application.uid)})


def _refuse(application: CreditApplication, standing: Standing, by: Actor, *, amount_xaf: int = 0) -> None:
    if refusal := refusal_to_decide(by, application, standing, amount_xaf=amount_xaf):
        raise refusal


def checked_terms(choice: Choice, application: CreditApplication) -> Terms:
    """Return what is decided, checked against what the file asks for; ``InvalidValues`` names every field."""
    if choice.kind not in DecisionKind.values:
        message = _("Choose a decision.")
        raise InvalidValues(message, fields={"kind": [message]})
    kind, wrong = DecisionKind(choice.kind), dict[str, list[str]]()
    motive = next((each for each in motives_of(kind) if each.code == choice.motive), None)
    if motive is None:
        wrong["motive"] = [_("Choose a motive of the list.")]
    if fault := text_fault(choice.comment, least=0):
        wrong["comment"] = [fault]
    elif kind == DecisionKind.GRANT_CONDITIONALLY and not choice.comment.strip():
        wrong["comment"] = [_("Write what must be met before the money leaves.")]
    amount, months, faults = _decided_terms(choice, kind, application)
    wrong |= faults
    if wrong or motive is None:
        raise InvalidValues(_("Some values cannot be used."), fields=wrong)
    return Terms(kind, motive, choice.comment.strip(), amount, months)


def _decided_terms(
    choice: Choice, kind: DecisionKind, application: CreditApplication
) -> tuple[int, int, dict[str, list[str]]]:
    asked = (application.montant_credit, application.duree_mois)
    if kind in {DecisionKind.REFUSE, DecisionKind.DEFER}:
        return *asked, {}
    amount = asked[0] if choice.amount_xaf is None else choice.amount_xaf
    months = asked[1] if choice.duration_months is None else choice.duration_months
    wrong: dict[str, list[str]] = {}
    if not 0 < amount <= asked[0]:
        wrong["amount_xaf"] = [_("More than what is asked for was not scored: write that amount at most.")]
    if kind in GRANTING and months != asked[1]:
        wrong["duration_months"] = [_("Another term is a counter-offer: the score is for the term asked.")]
    if not 0 < months <= LONGEST_MONTHS:
        wrong["duration_months"] = [_("From 1 to %(months)s months.") % {"months": LONGEST_MONTHS}]
    if kind == DecisionKind.COUNTER_OFFER and (amount, months) == asked:
        wrong["amount_xaf"] = [_("A counter-offer has another amount or another term.")]
    return amount, months, wrong


def text_fault(text: str, *, least: int = LEAST_TEXT) -> str:
    """Return what is wrong with an explanation; several lines are right."""
    kept = text.strip()
    if len(kept) < least:
        return _("Write at least %(letters)s characters: it stays in the history.") % {"letters": least}
    if len(kept) > LONGEST_TEXT:
        return _("At most %(length)s characters.") % {"length": LONGEST_TEXT}
    if UNSEEN.search(kept.translate(LINE_ENDS)):
        return _("Remove characters that cannot be seen.")
    return ""


LINE_ENDS = {ord(mark): " " for mark in "\r\n\t"}


def _check_override(choice: Choice, direction: Direction | None) -> None:
    """Ask for a reason and a text against the advice, and for neither otherwise."""
    wrong: dict[str, list[str]] = {}
    if direction is None:
        if choice.override_reason:
            wrong["override_reason"] = [_("This decision does not go against the advice: leave it empty.")]
    else:
        if choice.override_reason not in OverrideReason.values:
            wrong["override_reason"] = [_("This goes against the advice: choose the reason.")]
        if fault := text_fault(choice.override_text):
            wrong["override_text"] = [fault]
    if wrong:
        raise InvalidValues(_("Some values cannot be used."), fields=wrong)


def _ask_second_person(
    application: CreditApplication,
    prediction: Prediction,
    terms: Terms,
    choice: Choice,
    direction: Direction,
    by: Actor,
) -> OverrideRequest:
    assert by.id is not None  # people only come here
    request = OverrideRequest.objects.create(
        application=application,
        prediction=prediction,
        agency_id=application.agency_id,
        kind=terms.kind,
        amount_xaf=terms.amount_xaf,
        duration_months=terms.duration_months,
        motive=terms.motive,
        comment=terms.comment,
        direction=direction,
        reason=choice.override_reason,
        text=choice.override_text.strip(),
        requested_by_id=by.id,
    )
    after = {"kind": terms.kind, "direction": direction, "reason": request.reason}
    record(by=by, action="override.request", target=application, after=after)
    others = set(people_with(by.institution, Verb.DECIDE)) - {by.id}
    if others:
        about = {"application": str(application.uid)}
        enqueue_alert(code="override.requested", recipients=others, payload=about)
    return request


def store_decision(
    application: CreditApplication,
    standing: Standing,
    terms: Terms,
    by: Actor,
    override: OverrideRequest | None = None,
) -> Decision:
    """Insert a decision whose rules were checked, settle its application and tell of it; return it."""
    prediction = standing.prediction
    assert prediction is not None
    decision = Decision.objects.create(
        application=application,
        number=Decision.objects.filter(application=application).count() + 1,
        prediction=prediction,
        agency_id=application.agency_id,
        kind=terms.kind,
        recommendation=prediction.recommendation,
        pd=prediction.pd,
        threshold=prediction.threshold,
        asked_xaf=application.montant_credit,
        asked_months=application.duree_mois,
        amount_xaf=terms.amount_xaf,
        duration_months=terms.duration_months,
        motive=terms.motive,
        comment=terms.comment,
        decided_by_id=by.id,
        role=by.role,
        limit_xaf=standing.limit_xaf,
        author_id=application.author_id,
        sender_id=application.submitted_by_id,
        **_override_columns(override),
    )
    _settle(application, decision, by)
    if standing.review is not None:
        _close_review(standing.review, decision, by)
    announce(event=WebhookEvent.APPLICATION_DECIDED, target=application.uid)
    _tell_makers(application, standing, by)
    return decision


def _override_columns(override: OverrideRequest | None) -> dict[str, Any]:
    if override is None:
        return {}
    return {
        "is_override": True,
        "override_direction": override.direction,
        "override_reason": override.reason,
        "override_text": override.text,
        "requested_by_id": override.requested_by_id,
    }


def _settle(application: CreditApplication, decision: Decision, by: Actor) -> None:
    kind = DecisionKind(decision.kind)
    granted = kind in GRANTING
    told = {"decision": str(decision.uid), "kind": kind, "override": decision.is_override}
    settlement = Settlement(
        STATUS_AFTER[kind],
        granted_xaf=decision.amount_xaf if granted else None,
        granted_months=decision.duration_months if granted else None,
        told={**told, "motive": decision.motive.code if decision.motive else ""},
    )
    settle_application(application=application, settlement=settlement, by=by)


def _close_review(review: Any, decision: Decision, by: Actor) -> None:
    review.handled_by_id, review.handled_at = by.id, decision.decided_at
    review.answer, review.outcome = decision.comment, decision
    review.save(update_fields=["handled_by", "handled_at", "answer", "outcome"])
    record(by=by, action="reconsideration.answer", target=review, after={"outcome": decision.kind})
    withdraw_alerts(code="reconsideration.asked", about={"application": str(decision.application.uid)})


def _tell_makers(application: CreditApplication, standing: Standing, by: Actor) -> None:
    others = standing.makers - {by.id}
    if others:
        about = {"application": str(application.uid)}
        enqueue_alert(code="application.decided", recipients=others, payload=about)
