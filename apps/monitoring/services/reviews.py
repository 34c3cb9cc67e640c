"""Reviews of alerts: who looks at a limit that is passed, at what, and what it came to."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.validators import check_line
from apps.monitoring.errors import ReviewRefused
from apps.monitoring.models import Alert
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import Verb

LEAST, MOST = 5, 300


@transaction.atomic
def open_review(*, alert: Alert, note: str, by: Actor) -> Alert:
    """Take an open alert on and say what is looked at.

    Raises ``NotAllowed``, ``InvalidValues`` for the note, ``ReviewRefused`` when the alert is over or taken.
    """
    found, text = _locked(alert, by), _text(note)
    if found.closed_at is not None or found.reviewed_at is not None:
        raise ReviewRefused(_("This alert is over, or somebody has opened its review already."))
    found.reviewed_by_id, found.reviewed_at, found.review_note = by.person_id, timezone.now(), text
    found.save(update_fields=["reviewed_by", "reviewed_at", "review_note"])
    record(by=by, action="monitoring.review", target=found, after={"note": text})
    return found


@transaction.atomic
def conclude_review(*, alert: Alert, note: str, by: Actor) -> Alert:
    """Say what a review came to, while the alert lasts or after it.

    Raises ``NotAllowed``, ``InvalidValues`` for the note, ``ReviewRefused`` without an open review.
    """
    found, text = _locked(alert, by), _text(note)
    if found.reviewed_at is None or found.concluded_at is not None:
        raise ReviewRefused(_("This alert has no open review."))
    found.concluded_by_id, found.concluded_at, found.conclusion = by.person_id, timezone.now(), text
    found.save(update_fields=["concluded_by", "concluded_at", "conclusion"])
    record(by=by, action="monitoring.conclude", target=found, after={"note": text})
    return found


def _locked(alert: Alert, by: Actor) -> Alert:
    if by.person_id is None or not by.may(Verb.PROPOSE_MODEL):
        raise NotAllowed(_("Your role does not allow this."))
    return Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)


def _text(note: str) -> str:
    kept = note.strip()
    wrong = ""
    if not LEAST <= len(kept) <= MOST:
        wrong = _("Write %(least)s to %(most)s characters.") % {"least": LEAST, "most": MOST}
    else:
        try:
            check_line(kept)
        except ValidationError as refusal:
            wrong = str(refusal.messages[0])
    if wrong:
        raise InvalidValues(wrong, fields={"note": [wrong]})
    return kept
