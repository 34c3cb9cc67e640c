"""Alerts in words: what is passed, by which figures, what to do and why."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.monitoring.enums import AlertCode, Severity, Suggestion
from apps.monitoring.models import Alert
from apps.monitoring.queries import agency_labels, officer_labels
from apps.monitoring.renderers import alert_title, suggestion_reason
from apps.web.monitoring.groups import group_name
from apps.web.monitoring.tables import decimal, month_words
from apps.web.templatetags.formats import percent, whole


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert: what is passed, by which figures, since when, what to do and why."""

    tone: str
    severity: str
    title: str
    text: str
    since: dt.datetime
    until: dt.datetime | None
    suggestion: str
    reason: str
    url: str
    page: str
    review: str


def alert_lines(alerts: Iterable[Alert]) -> list[AlertLine]:
    """Return alerts in words."""
    shown = list(alerts)
    names = _subject_names(shown)
    return [_alert_line(alert, names.get(alert.about, alert.about)) for alert in shown]


def _subject_names(alerts: Iterable[Alert]) -> dict[str, str]:
    """Return the names of the analysts and agencies that alerts are about, by ``about``."""
    subjects = [alert.about for alert in alerts if alert.code == AlertCode.OVERRIDES]
    uids = {about: about.partition(":")[2] for about in subjects}
    people = officer_labels(uid for about, uid in uids.items() if about.startswith("analyst:"))
    agencies = agency_labels() if any(about.startswith("agency:") for about in subjects) else {}
    return {about: people.get(uid) or agencies.get(uid, "") for about, uid in uids.items()}


def _alert_line(alert: Alert, about: str) -> AlertLine:
    return AlertLine(
        tone="negative" if alert.severity == Severity.ALERT else "caution",
        severity=alert.get_severity_display(),
        title=alert_title(alert.code, about),
        text=_text_of(alert),
        since=alert.opened_at,
        until=alert.closed_at,
        suggestion=str(Suggestion(alert.suggestion).label),
        reason=suggestion_reason(alert.code, alert.suggestion),
        url=_where(alert.suggestion),
        page=reverse("web:monitoring_alert", args=[alert.uid]),
        review=_review_of(alert),
    )


def _review_of(alert: Alert) -> str:
    if alert.concluded_at is not None:
        return _("Review concluded")
    return _("Under review") if alert.reviewed_at is not None else ""


def _where(suggestion: str) -> str:
    if suggestion in {Suggestion.RETRAIN, Suggestion.RECALIBRATE}:
        return reverse("web:models")
    return reverse("web:quality") if suggestion == Suggestion.CHECK_SOURCE else ""


def _calibration_text(told: Mapping[str, Any]) -> str:
    return _(
        "Applications of %(first)s to %(last)s: %(defaults)s defaults among %(rows)s credits, %(expected)s "
        "were predicted (%(ratio)s times as many, from %(low)s to %(high)s at 95%%)."
    ) % {
        "first": month_words(told["from"]),
        "last": month_words(told["to"]),
        "defaults": whole(told["defaults"]),
        "rows": whole(told["rows"]),
        "expected": decimal(told["expected"], 0),
        "ratio": decimal(told["ratio"]),
        "low": decimal(told["ratio_low"]),
        "high": decimal(told["ratio_high"]),
    }


def _order_text(told: Mapping[str, Any]) -> str:
    return _(
        "Applications of %(first)s to %(last)s: AUC %(auc)s, from %(low)s to %(high)s; "
        "%(reference)s in training."
    ) % {
        "first": month_words(told["from"]),
        "last": month_words(told["to"]),
        "auc": decimal(told["auc"], 3),
        "low": decimal(told["auc_low"], 3),
        "high": decimal(told["auc_high"], 3),
        "reference": decimal(told["reference_auc"], 3),
    }


def _early_text(told: Mapping[str, Any]) -> str:
    (before, of_before), (now, of_now) = told["before"], told["now"]
    return _("%(now)s of the %(rows)s latest credits, against %(before)s of those of the reference.") % {
        "now": percent(now / of_now if of_now else None, 1),
        "rows": whole(of_now),
        "before": percent(before / of_before if of_before else None, 1),
    }


def _shift_text(told: Mapping[str, Any]) -> str:
    return _("PSI %(psi)s; the limit for %(rows)s applications is %(limit)s.") % {
        "psi": decimal(told["psi"]),
        "limit": decimal(told["limit"]),
        "rows": whole(told["current"]),
    }


def _rate_text(told: Mapping[str, Any]) -> str:
    return _("%(now)s of today's applications, against %(before)s in the reference.") % {
        "now": percent(told["now"], 1),
        "before": percent(told["before"], 1),
    }


def _treatment_text(told: Mapping[str, Any], by: str) -> str:
    names = agency_labels() if by == "agence" else {}
    return _(
        "%(group)s: a favourable score %(ratio)s times as often as the best group, under four fifths."
    ) % {
        "group": group_name(by, told["group"], names),
        "ratio": decimal(told["ratio"]),
    }


def _override_text(told: Mapping[str, Any]) -> str:
    return _(
        "%(share)s of %(decisions)s decisions in 90 days, from %(low)s to %(high)s at 95%%; the limit is "
        "%(limit)s. Granted against an unfavourable advice: %(milder)s; refused against a favourable one: "
        "%(stricter)s."
    ) % {
        "share": percent(told["share"], 1),
        "decisions": whole(told["decisions"]),
        "low": percent(told["low"], 1),
        "high": percent(told["high"], 1),
        "limit": percent(told["limit"], 0),
        "milder": whole(told["milder"]),
        "stricter": whole(told["stricter"]),
    }


def _text_of(alert: Alert) -> str:
    if alert.code == AlertCode.TREATMENT:
        return _treatment_text(alert.figures, alert.about)
    return _TEXTS[AlertCode(alert.code)](alert.figures)


_TEXTS: Mapping[AlertCode, Callable[[Mapping[str, Any]], str]] = {
    AlertCode.CALIBRATION: _calibration_text,
    AlertCode.ORDER: _order_text,
    AlertCode.LATE: _early_text,
    AlertCode.FIRST_MISSED: _early_text,
    AlertCode.SCORE_SHIFT: _shift_text,
    AlertCode.VARIABLE_SHIFT: _shift_text,
    AlertCode.MISSING: _rate_text,
    AlertCode.OUT_OF_RANGE: _rate_text,
    AlertCode.OVERRIDES: _override_text,
}
