"""Telling the outside what happened: written with the fact, delivered afterwards, at least once."""

import datetime as dt
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.outbox.backends import check_address, post
from apps.outbox.enums import MessageKind, MessageStatus, WebhookEvent
from apps.outbox.errors import DeliveryFailed, ForbiddenAddress
from apps.outbox.models import Alert, OutboxMessage, Webhook, WebhookAttempt
from apps.outbox.queries import listening_webhooks
from apps.outbox.rules import new_webhook_secret, signature_of
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import Verb

FIRST_DELAY = dt.timedelta(seconds=30)
LONGEST_DELAY = dt.timedelta(hours=6)
MAX_ATTEMPTS = 8
#: A webhook is tried for a day: ten times at most, and no message older than that again.
WEBHOOK_ATTEMPTS = 10
WEBHOOK_FOR = dt.timedelta(hours=24)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail as it will leave."""

    to: str
    subject: str
    text: str


@transaction.atomic
def enqueue(*, kind: MessageKind, payload: Mapping[str, Any], letter: Letter | None = None) -> OutboxMessage:
    """Write a message in the open scope, inside the transaction of the verb that it tells of.

    ``payload`` holds identifiers only, never a name or a number of a person.
    """
    if (kind == MessageKind.EMAIL) is not (letter is not None):
        raise ValueError("An e-mail has a letter, nothing else has.")
    rendered = json.dumps(asdict(letter)) if letter is not None else ""
    return OutboxMessage.objects.create(kind=kind, payload=dict(payload), letter=rendered)


def enqueue_alert(*, code: str, recipients: Iterable[int], payload: Mapping[str, Any]) -> OutboxMessage:
    """Write an alert for users by key; ``payload`` holds what its words need, identifiers only."""
    wanted = {"code": code, "recipients": sorted(set(recipients)), "about": dict(payload)}
    return enqueue(kind=MessageKind.ALERT, payload=wanted)


def withdraw_alerts(*, code: str, about: Mapping[str, Any]) -> None:
    """Take back alerts that ask for what is done by now: those shown are read, the others never come."""
    waiting = OutboxMessage.objects.filter(kind=MessageKind.ALERT, status=MessageStatus.PENDING)
    waiting.filter(payload__code=code, payload__about=dict(about)).delete()
    Alert.objects.filter(code=code, payload=dict(about), read_at=None).update(read_at=timezone.now())


@transaction.atomic
def deliver_next() -> bool:
    """Deliver the oldest message due in the open scope; ``False`` when none is left.

    The row stays locked meanwhile and others skip it, so two workers never send the same message at once.
    A crash between sending and commit sends it again: the e-mail's identifier stays the same.
    """
    due = OutboxMessage.objects.due(timezone.now()).order_by("next_attempt_at", "pk")
    message = due.select_for_update(skip_locked=True, of=("self",)).first()
    if message is None:
        return False
    message.attempts += 1
    began = time.monotonic()
    failed, status = False, None
    try:
        with transaction.atomic():
            status = DELIVERIES[MessageKind(message.kind)](message)
    except Exception as error:  # noqa: BLE001  one message that cannot be sent must not hold back the others
        failed, status = True, getattr(error, "status", None)
        _put_off(message, error)
    else:
        message.status, message.letter, message.last_error = MessageStatus.SENT, "", ""
        message.finished_at = timezone.now()
    message.save()
    if message.kind == MessageKind.WEBHOOK:
        _note_attempt(message, status, failed=failed, seconds=time.monotonic() - began)
    return True


def _put_off(message: OutboxMessage, error: Exception) -> None:
    # Not the error's text: mail servers repeat addresses in it.
    message.last_error = error.told if isinstance(error, DeliveryFailed) else type(error).__name__
    logger.warning("Message %s, attempt %s: %s", message.uid, message.attempts, message.last_error)
    if _is_hopeless(message):
        message.status, message.letter, message.finished_at = MessageStatus.FAILED, "", timezone.now()
    else:
        message.next_attempt_at = timezone.now() + delay_after(message.attempts)


def _is_hopeless(message: OutboxMessage) -> bool:
    if message.kind != MessageKind.WEBHOOK:
        return message.attempts >= MAX_ATTEMPTS
    return message.attempts >= WEBHOOK_ATTEMPTS or message.created_at < timezone.now() - WEBHOOK_FOR


def delay_after(attempts: int) -> dt.timedelta:
    """Return how long to wait after the n-th failure: 30 s, then four times as long, 6 h at most."""
    return min(FIRST_DELAY * int(4 ** (attempts - 1)), LONGEST_DELAY)


def _send_letter(message: OutboxMessage) -> None:
    letter = Letter(**json.loads(message.letter))
    EmailMessage(
        letter.subject, letter.text, to=[letter.to], headers={"Message-ID": f"<{message.uid}@credisense>"}
    ).send()


def _raise_alert(message: OutboxMessage) -> None:
    wanted = message.payload
    Alert.objects.bulk_create(
        Alert(message=message, recipient_id=user_id, code=wanted["code"], payload=wanted["about"])
        for user_id in wanted["recipients"]
    )
    # References are deferred: an unknown recipient must fail here, not the whole transaction at its end.
    connection.check_constraints()


def _tell_webhook(message: OutboxMessage) -> int:
    told = message.payload
    webhook = Webhook.objects.filter(uid=told["webhook"]).first()
    if webhook is None or not webhook.is_active:
        raise DeliveryFailed("webhook switched off")
    body = json.dumps({name: told[name] for name in ("id", "event", "at", "object")}).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "CrediSense-Webhooks/1",
        "X-CrediSense-Event": told["event"],
        "X-CrediSense-Delivery": str(message.uid),
        "X-CrediSense-Signature": signature_of(body, secret=webhook.secret, at=int(time.time())),
    }
    return post(webhook.url, body, headers)


def _note_attempt(message: OutboxMessage, status: int | None, *, failed: bool, seconds: float) -> None:
    webhook = Webhook.objects.get(uid=message.payload["webhook"])
    WebhookAttempt.objects.create(
        message=message,
        webhook=webhook,
        event=message.payload["event"],
        number=message.attempts,
        status=status,
        error=message.last_error,
        duration_ms=int(seconds * 1000),
    )
    if failed:  # a server that is away must hold up nobody else: its messages wait with this one
        waiting = OutboxMessage.objects.due(timezone.now()).filter(
            kind=MessageKind.WEBHOOK, payload__webhook=str(webhook.uid)
        )
        waiting.update(next_attempt_at=timezone.now() + delay_after(message.attempts))


#: Each returns the status that a server answered, where one did.
DELIVERIES: dict[MessageKind, Callable[[OutboxMessage], int | None]] = {
    MessageKind.EMAIL: _send_letter,
    MessageKind.ALERT: _raise_alert,
    MessageKind.WEBHOOK: _tell_webhook,
}


def announce(*, event: WebhookEvent, target: UUID) -> int:
    """Write an event for every webhook that listens, in the transaction of the verb; return how many do.

    Only identifiers leave: the partner reads the object through the API, with its own rights.
    """
    webhooks = list(listening_webhooks(event))
    about = {"event": str(event), "at": timezone.now().isoformat(), "object": str(target)}
    for webhook in webhooks:
        payload = {"webhook": str(webhook.uid), "id": str(uuid.uuid4()), **about}
        enqueue(kind=MessageKind.WEBHOOK, payload=payload)
    return len(webhooks)


@transaction.atomic
def create_webhook(*, url: str, events: Iterable[str], by: Actor) -> tuple[Webhook, str]:
    """Create a webhook; return it and its secret, told this once.

    Raises ``NotAllowed``, or ``InvalidValues`` for an unknown event or an address of no public server.
    """
    if not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))
    chosen = sorted(set(events))
    if not chosen or set(chosen) - set(WebhookEvent.values):
        message = _("Choose at least one event of the list.")
        raise InvalidValues(message, fields={"events": [message]})
    _refuse_address(url)
    secret = new_webhook_secret()
    webhook = Webhook.objects.create(url=url, events=chosen, secret=secret)
    record(by=by, action="webhook.create", target=webhook, after={"url": url, "events": chosen})
    return webhook, secret


@transaction.atomic
def switch_webhook(*, webhook: Webhook, active: bool, by: Actor) -> Webhook:
    """Switch a webhook on or off; raise ``NotAllowed``."""
    if not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))
    before, webhook.is_active = webhook.is_active, active
    webhook.save(update_fields=["is_active"])
    record(
        by=by,
        action="webhook.change",
        target=webhook,
        before={"is_active": before},
        after={"is_active": active},
    )
    return webhook


@transaction.atomic
def replay_delivery(*, attempt: WebhookAttempt, by: Actor) -> OutboxMessage:
    """Send an event again, with the identifier that it had; raise ``NotAllowed``."""
    if not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))
    message = enqueue(kind=MessageKind.WEBHOOK, payload=attempt.message.payload)
    record(by=by, action="webhook.replay", target=attempt.webhook, after={"event": attempt.event})
    return message


def _refuse_address(url: str) -> None:
    try:
        check_address(url)
    except ForbiddenAddress as refusal:
        message = _("This address cannot be used: https, and a server of the public internet, are required.")
        raise InvalidValues(message, fields={"url": [message]}) from refusal
    except DeliveryFailed:
        return  # the name may come later: it is checked again before each delivery


def mark_alerts_read(*, by: Actor, uid: UUID | None = None) -> int:
    """Mark one's own alerts as read, or the one named ``uid``; return how many were not yet."""
    own = Alert.objects.filter(recipient_id=by.id, read_at=None)
    wanted = own if uid is None else own.filter(uid=uid)
    return wanted.update(read_at=timezone.now())


def mark_read(*, alert: Alert, by: Actor) -> bool:
    """Mark one's own alert as read; ``False`` when it is somebody else's or was read before."""
    own = Alert.objects.filter(pk=alert.pk, recipient_id=by.id, read_at=None)
    return bool(own.update(read_at=timezone.now()))
