"""Scoring again what is stored, and what that changed."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.credits.models import CreditApplication
from apps.institutions.queries import setting_on
from apps.jobs.models import Job
from apps.jobs.services import create_job
from apps.scoring.models import Prediction
from apps.scoring.services.scores import score_application
from apps.tenancy.actor import Actor

RESCORE = "rescore"
#: Days between two scheduled runs, by the dated setting ``rescore_every_days``; 0 leaves it to people.
EVERY_DAYS = 90
_MOST_TOLD = 1_000


@dataclass(slots=True)
class Report:
    """What a run changed: counts, moves between bands (``faible>modere``), the applications that moved."""

    scored: int = 0
    unchanged: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    moved: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what the job keeps; at most a thousand applications by name."""
        return {
            "scored": self.scored,
            "unchanged": self.unchanged,
            "moves": dict(self.moves),
            "moved": self.moved[:_MOST_TOLD],
        }


def rescore_next(
    *, report: Report, since: dt.datetime, after: UUID | None, size: int, by: Actor
) -> UUID | None:
    """Score the next ``size`` undecided applications in order of their identifiers; note what moved.

    A move is told against the last score from before ``since``, the beginning of the job: a job that began
    again tells the same. Returns the last identifier, ``None`` at the end.
    """
    applications = CreditApplication.objects.select_related("client").undecided().order_by("uid")
    if after is not None:
        applications = applications.filter(uid__gt=after)
    found = list(applications[:size])
    before = _scores_before(since, found)
    for application in found:
        prediction, created = score_application(application=application, by=by, source="batch")
        report.scored, report.unchanged = report.scored + created, report.unchanged + (not created)
        old = before.get(application.pk)
        if old is not None and old.band != prediction.band:
            report.moves[f"{old.band}>{prediction.band}"] += 1
            move = {"application": str(application.uid), "before": old.band, "after": prediction.band}
            report.moved.append({**move, "pd_before": old.pd, "pd_after": prediction.pd})
    return found[-1].uid if found else None


def _scores_before(since: dt.datetime, applications: list[CreditApplication]) -> Mapping[int, Prediction]:
    rows = Prediction.objects.filter(
        application_id__in=[each.pk for each in applications], created_at__lt=since
    ).order_by("application_id", "-created_at")
    return {
        int(row.application_id or 0): row
        for row in rows.distinct("application_id").only("application_id", "band", "pd", "institution_id")
    }


def rescore_if_due(*, by: Actor) -> Job | None:
    """Ask for a run when the last one is older than the institution wants; the door enqueues its task."""
    days = int(setting_on("rescore_every_days", default=EVERY_DAYS))
    recent = timezone.now() - dt.timedelta(days=days)
    if days <= 0 or Job.objects.filter(kind=RESCORE, created_at__gte=recent).exists():
        return None
    return create_job(kind=RESCORE, by=by)
