import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.decisions.queries.rates import WINDOW_DAYS, outcomes_of_overrides, override_rates
from apps.monitoring.queries import get_alert, sees_people, watch_of, watched_versions
from apps.monitoring.services.reviews import conclude_review, open_review
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.monitoring import numbers, overrides, presenters
from apps.web.monitoring.alerts import alert_lines
from apps.web.monitoring.forms import ReviewForm
from apps.web.monitoring.population import variable_line
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
def monitoring_alert(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show one alert, the variable that it is about, and its review."""
    return _alert(request, _alert_or_404(request, uid), ReviewForm())


@require_POST
@allow(Verb.PROPOSE_MODEL)
def monitoring_review(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _reviewed(request, uid, open_review, _("The review is open: the alert bears your name."))


@require_POST
@allow(Verb.PROPOSE_MODEL)
def monitoring_conclude(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _reviewed(request, uid, conclude_review, _("The review is concluded."))


def _reviewed(request: ActorRequest, uid: UUID, write: Any, said: str) -> HttpResponse:
    """Write what a person says of an alert; a refusal is told on its page."""
    alert, form = _alert_or_404(request, uid), ReviewForm(request.POST)
    if form.is_valid():
        try:
            write(alert=alert, note=form.cleaned_data["note"], by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, said)
            return redirect("web:monitoring_alert", uid)
    return _alert(request, alert, form)


def _alert(request: ActorRequest, alert: Any, form: ReviewForm) -> HttpResponse:
    watch = watch_of(alert.model_version, request.actor)
    context = {
        "alert": alert,
        "line": alert_lines([alert])[0],
        "head": presenters.head_of(watch),
        "variable": variable_line(watch, alert.about),
        "form": form,
        "may_review": request.actor.may(Verb.PROPOSE_MODEL),
    }
    return render(request, "monitoring/alert.html", context, status=422 if form.errors else 200)


def _alert_or_404(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_alert(uid, request.actor)
    except ObjectNotFound:
        raise Http404 from None


@require_safe
@allow(Verb.READ_REPORTS)
def model_monitoring_csv(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Give every figure of the last night as a file for a spreadsheet."""
    version = version_or_404(uid)
    watch = watch_of(version, request.actor)
    return csv_answer(numbers.file_name(watch), numbers.rows_of(watch))
