"""Reads of monitoring: which versions are watched, what the last night found, what stands open."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.credits.models import CreditApplication
from apps.institutions.models import Agency
from apps.monitoring.enums import AlertCode, FigureKind, Severity
from apps.monitoring.models import Alert, MonitoringFigures
from apps.registry.enums import GENERAL_SEGMENT, ModelStatus
from apps.registry.models import ModelVersion
from apps.scoring.models import Prediction
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Verb, roles_with
from apps.users.models import User
from apps.users.queries import active_memberships

WATCHED = (ModelStatus.CHAMPION, ModelStatus.CHALLENGER)
#: Alerts that are over, on a page.
LATEST_OVER = 10
#: Who may see figures of single agencies and officers: those who have to do with models or the audit.
_MANAGING = (Verb.PROPOSE_MODEL, Verb.APPROVE_MODEL, Verb.READ_AUDIT)


def watched_versions() -> list[ModelVersion]:
    """Return the champions, the general one first, then the challengers."""
    rows = list(ModelVersion.objects.filter(status__in=WATCHED).order_by("pk"))
    return sorted(
        rows,
        key=lambda row: (row.status != ModelStatus.CHAMPION, row.segment != GENERAL_SEGMENT, row.segment),
    )


def segments_apart() -> list[str]:
    """Return the credit types that have a champion of their own: the general one never scores them."""
    rows = ModelVersion.objects.filter(status=ModelStatus.CHAMPION).exclude(segment=GENERAL_SEGMENT)
    return sorted(rows.values_list("segment", flat=True))


def agency_labels() -> dict[str, str]:
    """Return the names of the agencies by their public identifiers."""
    return {str(uid): name for uid, name in Agency.objects.values_list("uid", "name")}


def officer_labels(uids: Iterable[str]) -> dict[str, str]:
    """Return the names of some users by their public identifiers."""
    rows = User.objects.filter(uid__in=list(uids)).values_list("uid", "full_name")
    return {str(uid): name for uid, name in rows}


def agency_names() -> dict[int, tuple[str, str]]:
    """Return the public identifier and the region of each agency, by key."""
    rows = Agency.objects.values_list("pk", "uid", "region")
    return {key: (str(uid), region) for key, uid, region in rows}


def officer_names(keys: set[int]) -> dict[int, str]:
    """Return the public identifiers of some users, by key."""
    rows = User.objects.filter(pk__in=keys).values_list("pk", "uid")
    return {key: str(uid) for key, uid in rows}


def volumes(version: ModelVersion, *, start: dt.date, on: dt.date) -> list[dict[str, Any]]:
    """Return how many applications came and how many scores this version gave, by month; two statements."""
    came = CreditApplication.objects.filter(applied_on__range=(start, on))
    if version.segment != GENERAL_SEGMENT:
        came = came.filter(type_credit=version.segment)
    applications = dict(_by_month(came, "applied_on"))
    zone = timezone.get_default_timezone()
    begun = dt.datetime.combine(start, dt.time(), zone)
    scored = Prediction.objects.filter(created_at__gte=begun, model_version=version)
    scores = dict(_by_month(scored, "created_at"))
    return [
        {"month": month, "applications": applications.get(month, 0), "scores": scores.get(month, 0)}
        for month in sorted({*applications, *scores})
    ]


def _by_month(rows: QuerySet[Any], field: str) -> list[tuple[str, int]]:
    counted = rows.annotate(of=TruncMonth(field)).order_by().values("of").annotate(rows=Count("pk"))
    return [(f"{row['of']:%Y-%m}", row["rows"]) for row in counted]


def risk_managers(institution_id: int) -> list[User]:
    """Return who is told of alerts: the people who may propose a model."""
    roles = [str(role) for role in roles_with(Verb.PROPOSE_MODEL)]
    members = active_memberships().filter(institution_id=institution_id, role__in=roles).order_by("pk")
    return [member.user for member in members]


def sees_people(actor: Actor) -> bool:
    """Say whether figures of single agencies and people are for ``actor``: by models, or by the audit."""
    return any(actor.may(verb) for verb in _MANAGING)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of a version: the last night's figures by kind (no ``day`` before one), alerts."""

    version: ModelVersion
    day: dt.date | None
    figures: dict[str, Any]
    open: list[Alert]
    over: list[Alert]

    @property
    def standing(self) -> str:
        """Return « alert », « watch », « level », or « unknown » while nothing could be compared."""
        if self.open:
            grave = any(alert.severity == Severity.ALERT for alert in self.open)
            return str(Severity.ALERT if grave else Severity.WATCH)
        compared = self.figures.get(FigureKind.COHORT) or self.figures.get(FigureKind.SCORE)
        return "level" if compared else "unknown"


def watch_of(version: ModelVersion, actor: Actor) -> Watch:
    """Return what the last night found of a version; three statements.

    Figures of agencies and officers are left out for who neither has to do with models nor audits.
    """
    latest = MonitoringFigures.objects.filter(model_version=version).order_by("-day").values("day")[:1]
    rows = list(MonitoringFigures.objects.filter(model_version=version, day=latest))
    figures = {row.kind: row.figures for row in rows}
    if not sees_people(actor):
        figures = _without_people(figures)
    alerts = Alert.objects.filter(model_version=version)
    if not sees_people(actor):
        alerts = alerts.exclude(code=AlertCode.OVERRIDES)
    return Watch(
        version=version,
        day=rows[0].day if rows else None,
        figures=figures,
        open=sorted(alerts.open(), key=lambda alert: (alert.severity != Severity.ALERT, alert.opened_at)),
        over=list(alerts.exclude(closed_at=None).order_by("-closed_at", "-pk")[:LATEST_OVER]),
    )


def alerts_to_review() -> int:
    """Count the open alerts that nobody has taken on."""
    return Alert.objects.open().filter(reviewed_at=None).count()


def get_alert(uid: UUID, actor: Actor) -> Alert:
    """Return an alert with its version and its people; raise ``ObjectNotFound``, also for people's figures.

    What people decide is only for who has to do with models or audits.
    """
    rows = Alert.objects.select_related("model_version", "reviewed_by", "concluded_by")
    if not sees_people(actor):
        rows = rows.exclude(code=AlertCode.OVERRIDES)
    found = rows.filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound(_("No such alert."))
    return found


def _without_people(figures: dict[str, Any]) -> dict[str, Any]:
    kept = {
        kind: document
        for kind, document in figures.items()
        if kind not in {FigureKind.AGENCY, FigureKind.OFFICER}
    }
    if FigureKind.TREATMENT in kept:
        kept[FigureKind.TREATMENT] = [each for each in kept[FigureKind.TREATMENT] if each["by"] != "agence"]
    return kept
