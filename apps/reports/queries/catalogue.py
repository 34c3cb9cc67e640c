"""Which query makes which report."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.credits.queries.applications import get_visible_application
from apps.registry.queries import get_model_version
from apps.reports.enums import ReportKind
from apps.reports.models import Report, ReportSchedule
from apps.reports.queries import activity, cards, consistency, dossiers, letters, lines, sheets
from apps.reports.queries.documents import Document, Fact, Wish
from apps.reports.queries.figures import scores_in
from apps.scoring.queries.scores import get_visible_prediction
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

MAKERS: Mapping[str, Callable[[Wish], Document]] = {
    ReportKind.ACTIVITY: activity.activity,
    ReportKind.SCORES: lines.score_lines,
    ReportKind.ANALYSTS: activity.by_analyst,
    ReportKind.AGENCIES: activity.by_agency,
    ReportKind.AUDIT: lines.trail,
    ReportKind.MODEL: cards.model_report,
    ReportKind.ANALYSIS_SHEET: sheets.analysis_sheet,
    ReportKind.CLIENT_SHEET: sheets.client_sheet,
    ReportKind.CONSISTENCY: consistency.consistency,
    ReportKind.DECISION_FILE: dossiers.decision_file,
    ReportKind.LETTER: letters.letter,
}


#: Kind of a report about one thing -> what finds that thing, or raises ``ObjectNotFound``.
SUBJECTS: Mapping[str, Callable[[Actor, UUID], Any]] = {
    ReportKind.MODEL: lambda _actor, uid: get_model_version(uid),
    ReportKind.ANALYSIS_SHEET: get_visible_prediction,
    ReportKind.CLIENT_SHEET: get_visible_prediction,
    ReportKind.DECISION_FILE: get_visible_application,
    ReportKind.LETTER: letters.get_visible_decision,
}


def subject_of(kind: str, actor: Actor, uid: UUID) -> Any:
    """Return what a report is about; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    return SUBJECTS[kind](actor, uid)


#: Scores that one may wait for.
QUICK_LINES = 5_000
#: Days that one may wait for.
QUICK_DAYS = 366


def is_quick(wish: Wish) -> bool:
    """Say whether the tables of a report are written while one waits."""
    first, last = wish.days
    if (last - first).days > QUICK_DAYS:
        return False
    return wish.kind != ReportKind.SCORES or scores_in(wish).count() <= QUICK_LINES


def headline_of(wish: Wish) -> tuple[Fact, ...]:
    """Return the few figures that a page shows before a report is made; none for most kinds."""
    return activity.headline(wish) if wish.kind in _WITH_FIGURES else ()


_WITH_FIGURES = (ReportKind.ACTIVITY, ReportKind.ANALYSTS, ReportKind.AGENCIES)


def document_for(wish: Wish) -> Document:
    """Return the contents of a report by what its asker may see now, in the active language.

    Raises ``ObjectNotFound`` for a subject that is unknown or out of sight, ``TooManyLines``.
    """
    return MAKERS[wish.kind](wish)


def visible_reports(actor: Actor) -> QuerySet[Report]:
    """Return the reports that ``actor`` asked for, or that a schedule made for this person."""
    return Report.objects.visible_to(actor).select_related("job", "file", "agency", "schedule")


def get_visible_report(actor: Actor, uid: UUID) -> Report:
    """Return one report of the actor's own; raise ``ObjectNotFound`` for any other, alike."""
    report = visible_reports(actor).filter(uid=uid).first()
    if report is None:
        raise ObjectNotFound(_("No such report."))
    return report


def own_schedules(actor: Actor) -> QuerySet[ReportSchedule]:
    """Return the schedules in force that ``actor`` made, the latest first."""
    rows = ReportSchedule.objects.filter(created_by_id=actor.person_id, stopped_at=None)
    return rows.select_related("agency").prefetch_related("recipients__user").order_by("-created_at", "-uid")


def get_own_schedule(actor: Actor, uid: UUID) -> ReportSchedule:
    """Return one schedule that ``actor`` made; raise ``ObjectNotFound`` for any other, alike."""
    schedule = ReportSchedule.objects.filter(uid=uid, created_by_id=actor.person_id).first()
    if schedule is None:
        raise ObjectNotFound(_("No such scheduled report."))
    return schedule
