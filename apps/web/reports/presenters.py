"""Reports as pages show them: what may be asked, what was, where each stands."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.jobs.enums import JobStatus
from apps.jobs.services import ENDED
from apps.reports.enums import ReportKind
from apps.reports.queries.words import period_words


@dataclass(frozen=True, slots=True)
class KindLine:
    """A report that may be asked for."""

    url: str
    schedule_url: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class ReportView:
    url: str
    file_url: str
    label: str
    about: str
    format: str
    status: str
    status_label: str
    percent: int
    text: str
    error: str
    finished: bool
    has_file: bool
    created_at: dt.datetime
    expires_on: dt.date
    sha256: str


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    stop_url: str
    label: str
    frequency: str
    format: str
    agency: str
    next_on: dt.date
    people: str


def kind_lines(kinds: Iterable[ReportKind]) -> list[KindLine]:
    """Return the reports that may be asked for, each with what it tells."""
    texts = {
        ReportKind.ACTIVITY: _("Volumes, mean score, predicted default rate, risk and acceptance."),
        ReportKind.SCORES: _("Every score with its file, amount and advice, for a spreadsheet."),
        ReportKind.ANALYSTS: _("What each analyst entered and scored, and what became of it."),
        ReportKind.AGENCIES: _("The same figures, agency by agency."),
        ReportKind.CONSISTENCY: _("Decisions against the advice, and like files decided differently."),
        ReportKind.AUDIT: _("What was done, who opened which files, refused log-ins."),
    }
    return [
        KindLine(
            url=reverse("web:report_new", args=[kind]),
            schedule_url=reverse("web:report_schedule", args=[kind]),
            label=str(kind.label),
            text=texts[kind],
        )
        for kind in kinds
    ]


def report_lines(reports: Iterable[Any]) -> list[ReportView]:
    """Return the reports of a list."""
    return [report_view(report) for report in reports]


def report_view(report: Any) -> ReportView:
    """Return where one report stands, in words."""
    job, stored = report.job, report.file
    waiting = (
        _("Waiting for a worker.") if job.status == JobStatus.QUEUED else _("The report is being written.")
    )
    return ReportView(
        url=reverse("web:report", args=[report.uid]),
        file_url=reverse("web:report_file", args=[report.uid]),
        label=report.get_kind_display(),
        about=_about(report),
        format=report.get_format_display(),
        status=job.status,
        status_label=job.get_status_display(),
        percent=job.progress,
        text="" if job.status in ENDED else waiting,
        error=job.error if job.status == JobStatus.FAILED else "",
        finished=job.status in ENDED,
        has_file=stored is not None and stored.deleted_at is None,
        created_at=report.created_at,
        expires_on=report.expires_on,
        sha256=report.contents_sha256,
    )


def _about(report: Any) -> str:
    if report.starts_on is None:
        return ""
    days = period_words(report.starts_on, report.ends_on)
    return f"{days} · {report.agency}" if report.agency else days


def schedule_lines(schedules: Iterable[Any]) -> list[ScheduleLine]:
    """Return the schedules of a list."""
    return [
        ScheduleLine(
            stop_url=reverse("web:report_schedule_stop", args=[schedule.uid]),
            label=schedule.get_kind_display(),
            frequency=schedule.get_frequency_display(),
            format=schedule.get_format_display(),
            agency=str(schedule.agency or ""),
            next_on=schedule.next_on,
            people=", ".join(str(each.user) for each in schedule.recipients.all()),
        )
        for schedule in schedules
    ]
