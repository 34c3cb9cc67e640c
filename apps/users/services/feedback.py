"""What people say of the site, to the administrators of their institution."""

import datetime as dt
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.outbox.enums import MessageKind
from apps.outbox.services import Letter, enqueue, enqueue_alert
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound
from apps.users.errors import TooManyOpinions
from apps.users.models import Feedback, User
from apps.users.queries import administrators

A_DAY = dt.timedelta(days=1)
PER_DAY = 10
ALERT = "feedback.received"


@transaction.atomic
def send_feedback(*, kind: str, page: str, text: str, by: Actor) -> Feedback:
    """Keep an opinion and tell the administrators, on their pages and by e-mail.

    Raises ``TooManyOpinions`` after ten in 24 hours. Neither the alert nor the e-mail holds its text.
    """
    mine = Feedback.objects.filter(author_id=by.id, created_at__gt=timezone.now() - A_DAY)
    if mine.count() >= PER_DAY:
        raise TooManyOpinions(_("You have written ten times today. Thank you: please come back tomorrow."))
    feedback = Feedback.objects.create(author_id=cast("int", by.id), kind=kind, page=page, text=text)
    people = administrators(by.institution)
    if people:
        enqueue_alert(
            code=ALERT, recipients=[each.pk for each in people], payload={"feedback": str(feedback.uid)}
        )
    for person in people:
        _write_to(person, feedback)
    record(by=by, action="feedback.create", target=feedback, after={"kind": kind})
    return feedback


def _write_to(person: User, feedback: Feedback) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        letter = Letter(
            to=person.email,
            subject=_("CrediSense: a colleague gave an opinion"),
            text=_(
                "A person of your institution wrote about CrediSense.\n"
                "Log in, then open « Opinions received » from your alerts to read it."
            ),
        )
    enqueue(kind=MessageKind.EMAIL, payload={"feedback": str(feedback.uid)}, letter=letter)


@transaction.atomic
def mark_feedback(*, uid: UUID, handled: bool, by: Actor) -> Feedback:
    """Mark an opinion as handled, or take that back; raise ``ObjectNotFound``."""
    feedback = Feedback.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if feedback is None:
        raise ObjectNotFound(_("No such opinion."))
    if handled is not (feedback.handled_at is not None):
        feedback.handled_at = timezone.now() if handled else None
        feedback.save(update_fields=["handled_at"])
        record(by=by, action="feedback.handle" if handled else "feedback.reopen", target=feedback)
    return feedback
