"""Alerts in words, from their codes."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.monitoring.enums import AlertCode
from apps.monitoring.renderers import alert_title
from apps.outbox.models import Alert


@dataclass(frozen=True, slots=True)
class AlertLine:
    uid: UUID
    text: str
    url: str
    created_at: dt.datetime
    unread: bool


def alert_words() -> dict[str, tuple[str, str]]:
    """Return code -> (sentence, address of the page about it or ``""``); another code is shown as it is."""
    watched = {
        f"monitoring.{code}": (alert_title(code), reverse("web:monitoring")) for code in AlertCode.values
    }
    return {
        **watched,
        "application.decided": (_("A file of yours was decided."), reverse("web:applications")),
        "override.requested": (
            _("A decision against the advice waits for a second person."),
            reverse("web:inbox"),
        ),
        "override.refused": (_("Your decision against the advice was refused."), reverse("web:inbox")),
        "reconsideration.asked": (_("A client asks for another look at a decision."), reverse("web:inbox")),
        "feedback.received": (_("A colleague gave an opinion."), reverse("web:feedback_received")),
        "model.proposed": (_("A model waits for your approval."), reverse("web:models")),
        "model.rolled_back": (_("A model was taken out of production."), reverse("web:models")),
        "model.recalibrated": (_("The level of a model was set on your outcomes."), reverse("web:models")),
        "model.start_failed": (_("An approved model could not start."), reverse("web:models")),
        "training.done": (_("A training run has ended."), reverse("web:trainings")),
        "policy.proposed": (_("A scoring policy waits for your approval."), reverse("web:policy")),
        "policy.decided": (_("The scoring policy that you proposed was decided."), reverse("web:policy")),
    }


def alert_lines(alerts: Iterable[Alert]) -> list[AlertLine]:
    """Return a line per alert."""
    words = alert_words()
    return [_line(alert, *words.get(alert.code, (alert.code, ""))) for alert in alerts]


def _line(alert: Alert, text: str, url: str) -> AlertLine:
    return AlertLine(
        uid=alert.uid, text=text, url=url, created_at=alert.created_at, unread=alert.read_at is None
    )


def address_of(alert: Alert | None) -> str:
    """Return the page that an alert is about, or the list of alerts."""
    _text, url = alert_words().get(alert.code if alert else "", ("", ""))
    return url or reverse("web:alerts")
