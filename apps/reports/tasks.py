"""The portfolio's figures, reports made in the background, those of schedules, the weekly letter."""

import logging

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from apps.jobs.services import register_kind, send_job
from apps.jobs.tasks import JobTask
from apps.reports.services.benchmarks import contribute, publish
from apps.reports.services.making import KIND, make_report
from apps.reports.services.portfolio import count_files
from apps.reports.services.schedules import ask_due
from apps.reports.services.telling import write_week_to_risk_managers
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import active_institutions

logger = logging.getLogger(__name__)


@shared_task(base=JobTask, bind=True)
def write_report(self: JobTask, job_uid: str) -> None:
    """Make the file of one report."""
    self.run_job(job_uid, make_report)


@shared_task
def write_due_reports() -> None:
    """Ask for the scheduled reports of every institution."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            asked = ask_due()
        for report in asked:
            send_job(job=report.job, task=write_report)


@shared_task
def write_weekly_letters() -> None:
    """Write the week's overrides and alerts to the risk managers of every institution."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            write_week_to_risk_managers(until=timezone.localdate())


@shared_task
def count_all_files() -> None:
    """Bring the totals of applications up to date; an institution that fails does not stop the others."""
    for institution_id in active_institutions():
        try:
            with tenant_scope(institution_id):
                count_files()
        except DatabaseError as error:
            logger.error("Portfolio of institution %s: %s", institution_id, type(error).__name__)  # noqa: TRY400  a trace may hold values


@shared_task
def compute_benchmarks() -> None:
    """Take the figures of the institutions that share theirs, one scope each, and publish their quartiles.

    Nothing is published on a night on which an institution could not be asked: the month would be frozen
    without it.
    """
    month = timezone.localdate().replace(day=1)
    given, asked_all = [], True
    for institution_id in active_institutions():
        try:
            with tenant_scope(institution_id):
                given.append(contribute(month=month, by=task_actor(institution_id)))
        except DatabaseError as error:
            asked_all = False
            logger.error("Benchmarks of institution %s: %s", institution_id, type(error).__name__)  # noqa: TRY400  a trace may hold values
    if asked_all:
        publish(month=month, given=given)


register_kind(KIND, "apps.reports.tasks.write_report")
