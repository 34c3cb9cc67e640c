import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.decisions.queries.rates import WINDOW_DAYS, outcomes_of_overrides, override_rates
from apps.monitoring.queries import sees_people, watch_of, watched_versions
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.monitoring import numbers, overrides, presenters
from apps.web.registry.views import version_or_404
from apps.web.spreadsheets import csv_answer

#: Decisions whose outcomes are told: older ones say little of how people decide now.
ENDED_DAYS = 730


@require_safe
@allow(Verb.READ_REPORTS)
def monitoring(request: ActorRequest) -> HttpResponse:
    """Show how the institution's champion does; a page that says so without one."""
    versions = watched_versions()
    return _page(request, versions[0] if versions else None, versions)


@require_safe
@allow(Verb.READ_REPORTS)
def model_monitoring(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show how one version does, or did while it was watched."""
    return _page(request, version_or_404(uid), watched_versions())


def _page(request: ActorRequest, version: Any, versions: list[Any]) -> HttpResponse:
    context: dict[str, Any] = {"versions": presenters.choices(versions, version)}
    if version is not None:
        watch = watch_of(version, request.actor)
        people = sees_people(request.actor)
        part = presenters.part_asked(request.GET.get("vue", ""), people=people)
        context |= {
            "head": presenters.head_of(watch),
            "parts": presenters.part_links(version, part, people=people),
            "part": part,
            **presenters.part_of(watch, part),
        }
        if part == presenters.DECISIONS:
            context |= _overrides()
    return render(request, "monitoring/detail.html", context)


def _overrides() -> dict[str, Any]:
    """Return how often people decided against the advice in 90 days, and how it ended over two years."""
    now = timezone.now()
    since = now - dt.timedelta(days=WINDOW_DAYS)
    rates = {by: override_rates(by, since=since, until=now) for by in ("analyst", "agency")}
    ended = outcomes_of_overrides(since=now - dt.timedelta(days=ENDED_DAYS), until=now)
    return {"overrides": overrides.overrides_of(rates), "ended": overrides.outcomes_of(ended)}


@require_safe
@allow(Verb.READ_REPORTS)
def model_monitoring_csv(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Give every figure of the last night as a file for a spreadsheet."""
    version = version_or_404(uid)
    watch = watch_of(version, request.actor)
    return csv_answer(numbers.file_name(watch), numbers.rows_of(watch))
