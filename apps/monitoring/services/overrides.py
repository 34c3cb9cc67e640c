"""Decisions against the advice, watched every night: an analyst or an agency above the alarming share."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.audit.services import record
from apps.decisions.queries.rates import ALARM_SHARE, WINDOW_DAYS, OverrideRate, override_rates
from apps.monitoring.enums import AlertCode, Severity, Suggestion
from apps.monitoring.models import Alert
from apps.monitoring.services.alerts import tell
from apps.registry.models import ModelVersion
from apps.tenancy.actor import Actor
from apps.tenancy.days import period

#: A subject is told of once in so many days, however often its share passes the limit.
QUIET = dt.timedelta(days=30)


@transaction.atomic
def watch_overrides(*, version: ModelVersion, on: dt.date, by: Actor) -> list[Alert]:
    """Open an alert per subject above the share over the last 90 days, close those that are over; return new.

    They stand beside the champion's own alerts, whose advice the decisions went against. A subject that
    passes the limit again within a month of its last alert gets no other.
    """
    ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)  # two runs at once tell once
    now = {about: rate for about, rate in _rates(on).items() if rate.is_alarming}
    standing = {alert.about: alert for alert in Alert.objects.open().filter(code=AlertCode.OVERRIDES)}
    for about, alert in standing.items():
        if about not in now or alert.model_version_id != version.pk:
            alert.closed_at = timezone.now()
            alert.save(update_fields=["closed_at"])
            record(by=by, action="monitoring.close", target=alert, after={"code": alert.code})
        else:
            alert.figures = _told(now[about])
            alert.save(update_fields=["figures"])
    kept = {about for about, alert in standing.items() if alert.model_version_id == version.pk}
    recent = _told_lately()
    moved = standing.keys() - kept  # of a version that left production: opened again, told no more
    opened = [
        _open(version, about, rate, by)
        for about, rate in now.items()
        if about not in kept and (about in moved or about not in recent)
    ]
    if any(alert.about not in moved for alert in opened):
        tell(version, [AlertCode.OVERRIDES], by)
    return opened


def _rates(on: dt.date) -> dict[str, OverrideRate]:
    since, until = period(on - dt.timedelta(days=WINDOW_DAYS - 1), on)
    assert since is not None
    assert until is not None
    return {
        f"{by}:{rate.subject}": rate
        for by in ("analyst", "agency")
        for rate in override_rates(by, since=since, until=until)
    }


def _told_lately() -> set[str]:
    since = timezone.now() - QUIET
    lately = Alert.objects.filter(code=AlertCode.OVERRIDES, opened_at__gte=since)
    return set(lately.values_list("about", flat=True))


def _told(rate: OverrideRate) -> Mapping[str, Any]:
    return {
        "decisions": rate.decisions,
        "milder": rate.milder,
        "stricter": rate.stricter,
        "share": round(rate.share, 6),
        "low": round(rate.low, 6),
        "high": round(rate.high, 6),
        "limit": ALARM_SHARE,
    }


def _open(version: ModelVersion, about: str, rate: OverrideRate, by: Actor) -> Alert:
    alert = Alert.objects.create(
        model_version=version,
        code=AlertCode.OVERRIDES,
        about=about,
        severity=Severity.WATCH,  # of how people decide, not of what the model is worth
        suggestion=Suggestion.REVIEW,
        figures=_told(rate),
    )
    record(by=by, action="monitoring.open", target=alert, after={"code": alert.code, "about": about})
    return alert
