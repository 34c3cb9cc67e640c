"""The first page of the back-office: the figures that matter to whoever opens it, each with its list."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.audit.models import AuditEntry, PlatformEntry
from apps.credits.enums import ApplicationStatus
from apps.credits.queries.applications import visible_applications
from apps.institutions.models import Institution
from apps.institutions.queries import visible_agencies
from apps.jobs.enums import JobStatus
from apps.jobs.models import Job
from apps.outbox.enums import MessageStatus
from apps.outbox.models import OutboxMessage
from apps.outbox.queries import unread_alerts
from apps.scoring.queries.scores import visible_predictions
from apps.tenancy.actor import Actor
from apps.tenancy.admin import LIST_CAP, admin_actor
from apps.tenancy.context import PLATFORM_ALIAS
from apps.tenancy.roles import Verb
from apps.users.models import Membership, SecondFactor
from apps.users.queries import visible_memberships
from apps.web.audit.presenters import action_labels

LATEST = 8
DAY = dt.timedelta(hours=24)
WAITING = (ApplicationStatus.SUBMITTED, ApplicationStatus.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; ``tone`` is ``""``, ``"warning"`` or ``"danger"``, and is never told by colour alone."""

    label: str
    value: str
    url: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One of the latest entries of a trail."""

    at: dt.datetime
    who: str
    what: str
    note: str


def with_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the page with its figures and latest entries."""
    actor = admin_actor(request)
    if actor is None:
        return context
    if actor.kind == "operator":
        shown = {
            "figures": operator_figures(),
            "lines": _platform_lines(),
            "trail": _list("audit_platformentry"),
        }
    else:
        lines = _lines() if actor.may(Verb.READ_AUDIT) else []
        shown = {"figures": administrator_figures(actor), "lines": lines, "trail": _list("audit_auditentry")}
    return {**context, **shown}


def operator_figures() -> list[Figure]:
    """Return the figures of the whole platform."""
    from axes.models import AccessAttempt

    jobs = Job.objects.db_manager(PLATFORM_ALIAS).order_by()
    unsent = OutboxMessage.objects.db_manager(PLATFORM_ALIAS).filter(status=MessageStatus.FAILED).order_by()
    recent = AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - DAY)
    failed = _capped(jobs.filter(status=JobStatus.FAILED))
    lost = _capped(unsent)
    members = Membership.objects.filter(is_active=True, user__is_active=True)
    return [
        Figure(
            _("Active institutions"),
            _number(Institution.objects.active().count()),
            _list("institutions_institution", status__exact="active"),
        ),
        Figure(_("Active members"), _number(members.count()), _list("users_membership", is_active__exact=1)),
        Figure(
            _("Open jobs"),
            _capped(jobs.filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING))),
            _list("jobs_job"),
        ),
        Figure(
            _("Failed jobs"),
            failed,
            _list("jobs_job", status__exact="failed"),
            tone="danger" if failed != "0" else "",
        ),
        Figure(
            _("Failed log-ins in 24 hours"),
            _number(recent.aggregate(total=Sum("failures_since_start"))["total"] or 0),
            _list("axes_accessattempt"),
        ),
        Figure(
            _("Messages that could not be sent"),
            lost,
            _list("outbox_outboxmessage", status__exact="failed"),
            tone="danger" if lost != "0" else "",
        ),
    ]


def administrator_figures(actor: Actor) -> list[Figure]:
    """Return the figures of the institution in scope, as far as ``actor`` sees it."""
    members = visible_memberships(actor).filter(is_active=True, user__is_active=True)
    confirmed = SecondFactor.objects.filter(user_id=OuterRef("user_id"), confirmed_at__isnull=False)
    without = members.filter(~Exists(confirmed)).count()
    waiting = visible_applications(actor).filter(status__in=WAITING)
    alerts = unread_alerts(actor).order_by().count()
    return [
        Figure(_("Active members"), _number(members.count()), _list("users_membership", is_active__exact=1)),
        Figure(
            _("Members without a second factor"),
            _number(without),
            _list("users_membership", is_active__exact=1),
            tone="warning" if without else "",
        ),
        Figure(
            _("Active agencies"),
            _number(visible_agencies(actor).order_by().count()),
            _list("institutions_agency", is_active__exact=1),
        ),
        Figure(_("Applications waiting"), _capped(waiting.order_by()), _list("credits_creditapplication")),
        _scores_of_the_month(actor),
        Figure(_("Unread alerts"), _number(alerts), tone="warning" if alerts else ""),
    ]


def _scores_of_the_month(actor: Actor) -> Figure:
    now = timezone.localtime()
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (start - DAY).replace(day=1)
    scores = visible_predictions(actor).order_by()
    count = scores.filter(created_at__gte=start).count()
    last = scores.filter(created_at__gte=before, created_at__lt=start).count()
    note = ngettext("%(n)s last month", "%(n)s last month", last) % {"n": _number(last)}
    return Figure(_("Scores this month"), _number(count), _list("scoring_prediction"), note)


def _lines() -> list[Line]:
    labels = action_labels()
    return [
        Line(each.at, each.actor_name, labels.get(each.action, each.action), "")
        for each in AuditEntry.objects.order_by("-pk")[:LATEST]
    ]


def _platform_lines() -> list[Line]:
    labels = action_labels()
    return [
        Line(each.at, each.actor_name, labels.get(each.action, each.action), each.reason)
        for each in PlatformEntry.objects.order_by("-pk")[:LATEST]
    ]


def _list(names: str, **filters: Any) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return reverse(f"admin:{names}_changelist") + query


def _capped(rows: QuerySet[Any]) -> str:
    """Return how many rows, up to what a list shows: counting a large table is not worth a first page."""
    count = rows[: LIST_CAP + 1].count()
    return _number(count) if count <= LIST_CAP else _("more than %(n)s") % {"n": _number(LIST_CAP)}


def _number(value: int) -> str:
    from django.utils.formats import number_format

    return number_format(value)
