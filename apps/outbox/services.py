"""Telling the outside what happened: written with the fact, delivered afterwards, at least once."""

import datetime as dt
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone

from apps.outbox.enums import MessageKind, MessageStatus
from apps.outbox.models import Alert, OutboxMessage
from apps.tenancy.actor import Actor

FIRST_DELAY = dt.timedelta(seconds=30)
LONGEST_DELAY = dt.timedelta(hours=6)
MAX_ATTEMPTS = 8

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
    try:
        with transaction.atomic():
            DELIVERIES[MessageKind(message.kind)](message)
    except Exception as error:  # noqa: BLE001  one message that cannot be sent must not hold back the others
        _put_off(message, error)
    else:
        message.status, message.letter, message.last_error = MessageStatus.SENT, "", ""
        message.finished_at = timezone.now()
    message.save()
    return True


def _put_off(message: OutboxMessage, error: Exception) -> None:
    # Not the error's text: mail servers repeat addresses in it.
    message.last_error = type(error).__name__
    logger.warning("Message %s, attempt %s: %s", message.uid, message.attempts, message.last_error)
    if message.attempts >= MAX_ATTEMPTS:
        message.status, message.letter, message.finished_at = MessageStatus.FAILED, "", timezone.now()
    else:
        message.next_attempt_at = timezone.now() + delay_after(message.attempts)


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


DELIVERIES = {MessageKind.EMAIL: _send_letter, MessageKind.ALERT: _raise_alert}


def mark_alerts_read(*, by: Actor, uid: UUID | None = None) -> int:
    """Mark one's own alerts as read, or the one named ``uid``; return how many were not yet."""
    own = Alert.objects.filter(recipient_id=by.id, read_at=None)
    wanted = own if uid is None else own.filter(uid=uid)
    return wanted.update(read_at=timezone.now())


def mark_read(*, alert: Alert, by: Actor) -> bool:
    """Mark one's own alert as read; ``False`` when it is somebody else's or was read before."""
    own = Alert.objects.filter(pk=alert.pk, recipient_id=by.id, read_at=None)
    return bool(own.update(read_at=timezone.now()))
