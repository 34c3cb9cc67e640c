"""A client asks that a person look at a decision again: registered, handled by another hand, answered."""

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.errors import ApplicationMoved
from apps.credits.models import CreditApplication
from apps.credits.services.applications import take_up_again
from apps.decisions.enums import Channel, DecisionKind
from apps.decisions.errors import OwnDecision, OwnFile, ReviewAnswered, ReviewOpen
from apps.decisions.models import Decision, Reconsideration
from apps.decisions.queries.decisions import last_decision, makers_of, open_review
from apps.decisions.rules import can_register_review, can_resume
from apps.decisions.services.deciding import locked_file, text_fault
from apps.outbox.services import enqueue_alert, withdraw_alerts
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import require_another_person
from apps.tenancy.roles import Verb, allows
from apps.users.queries import people_with


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What a client asks, and how."""

    asked_on: dt.date
    channel: str
    text: str


@transaction.atomic
def register_review(*, application: CreditApplication, asked: ClientRequest, by: Actor) -> Reconsideration:
    """Register that the client asks a person to look at the decision again.

    Raises ``NotAllowed``, ``ApplicationMoved`` for a file that is not decided or plainly granted,
    ``ReviewOpen``, ``InvalidValues`` naming the fields at fault.
    """
    locked = locked_file(application, by)
    decision = last_decision(locked)
    _check_registrable(locked, decision, by)
    assert decision is not None
    assert by.id is not None  # people only come here
    _check_request(asked, decision)
    if open_review(locked) is not None:
        raise ReviewOpen(_("The client's request is being handled already."))
    try:
        with transaction.atomic():
            review = Reconsideration.objects.create(
                application=locked,
                decision=decision,
                agency_id=locked.agency_id,
                asked_on=asked.asked_on,
                channel=asked.channel,
                text=asked.text.strip(),
                registered_by_id=by.id,
                first_decider_id=decision.decided_by_id,
            )
    except IntegrityError:
        raise ReviewOpen(_("The client's request is being handled already.")) from None
    record(by=by, action="reconsideration.register", target=locked, after={"request": str(review.uid)})
    others = set(people_with(by.institution, Verb.DECIDE)) - {decision.decided_by_id, by.id}
    if others:
        about = {"application": str(locked.uid)}
        enqueue_alert(code="reconsideration.asked", recipients=others, payload=about)
    return review


def _check_registrable(application: CreditApplication, decision: Decision | None, by: Actor) -> None:
    if by.kind != "user" or not (allows(by.role, Verb.EDIT_FILES) or allows(by.role, Verb.DECIDE)):
        raise NotAllowed(_("Your role does not allow this."))
    if decision is None or not can_register_review(by, application):
        message = _("This file has moved on: it is now « %(status)s ».")
        raise ApplicationMoved(message % {"status": application.get_status_display()})


def _check_request(asked: ClientRequest, decision: Decision) -> None:
    wrong: dict[str, list[str]] = {}
    if asked.channel not in Channel.values:
        wrong["channel"] = [_("Choose how the client asked.")]
    if asked.asked_on > timezone.localdate():
        wrong["asked_on"] = [_("This day has not come yet.")]
    elif asked.asked_on < timezone.localtime(decision.decided_at).date():
        wrong["asked_on"] = [_("The client asks after the decision, not before.")]
    if fault := text_fault(asked.text):
        wrong["text"] = [fault]
    if wrong:
        raise InvalidValues(_("Some values cannot be used."), fields=wrong)


@transaction.atomic
def keep_decision(*, review: Reconsideration, answer: str, by: Actor) -> Reconsideration:
    """Answer the client that the decision is kept, and why; to change it, the file is decided again.

    Raises ``NotAllowed``, ``SamePerson`` or ``OwnDecision`` for who had decided, ``OwnFile`` for who made the
    file, ``ReviewAnswered``, ``InvalidValues`` without an answer.
    """
    if fault := text_fault(answer):
        raise InvalidValues(fault, fields={"answer": [fault]})
    application = locked_file(review.application, by)
    locked = Reconsideration.objects.select_for_update().get(pk=review.pk)
    if locked.handled_at is not None:
        raise ReviewAnswered(_("The client's request was answered before."))
    _check_handler(application, locked, by)
    locked.handled_by_id, locked.handled_at, locked.answer = by.id, timezone.now(), answer.strip()
    locked.save(update_fields=["handled_by", "handled_at", "answer"])
    after = {"request": str(locked.uid), "outcome": ""}
    record(by=by, action="reconsideration.answer", target=application, after=after)
    withdraw_alerts(code="reconsideration.asked", about={"application": str(application.uid)})
    return locked


def _check_handler(application: CreditApplication, review: Reconsideration, by: Actor) -> None:
    if not allows(by.role, Verb.DECIDE):
        raise NotAllowed(_("Your role does not allow this."))
    require_another_person(maker_id=review.first_decider_id, by=by)
    if by.id == review.decision.requested_by_id:
        raise OwnDecision(_("Another person must look at this file again: you decided it."))
    if by.id in makers_of(application):
        raise OwnFile(_("Another person must decide this file: you entered, sent or completed it."))


@transaction.atomic
def resume_application(*, application: CreditApplication, by: Actor) -> CreditApplication:
    """Work on a deferred file again, or on a counter-offer that the client accepts: it is a draft.

    An accepted offer puts its amount and term in the file, which is scored and decided with them. A refused
    file is taken up again only while the client asks for another look.
    """
    locked = locked_file(application, by)
    if by.kind != "user" or not by.may(Verb.EDIT_FILES):
        raise NotAllowed(_("Your role does not allow this."))
    if not can_resume(by, locked, reviewed=open_review(locked) is not None):
        message = _("This file has moved on: it is now « %(status)s ».")
        raise ApplicationMoved(message % {"status": locked.get_status_display()})
    decision = last_decision(locked)
    if decision is not None and decision.kind == DecisionKind.COUNTER_OFFER:
        return take_up_again(
            application=locked,
            by=by,
            amount_xaf=decision.amount_xaf,
            duration_months=decision.duration_months,
        )
    return take_up_again(application=locked, by=by)
