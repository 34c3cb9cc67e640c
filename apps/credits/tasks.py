"""Background work on the portfolio."""

import logging

from celery import shared_task
from django.db import DatabaseError

from apps.credits.importing.jobs import check_rows, import_rows, undo_rows
from apps.credits.importing.runs import CHECK, IMPORT, UNDO
from apps.credits.services.outcomes import Derivation, derive_outcomes
from apps.jobs.services import register_kind
from apps.jobs.tasks import JobTask
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import active_institutions

logger = logging.getLogger(__name__)


@shared_task
def derive_all_outcomes() -> None:
    """Set the outcomes that matured; an institution that fails does not stop the others."""
    for institution_id in active_institutions():
        try:
            run = derive_institution(institution_id)
        except DatabaseError as error:
            logger.error("Outcomes of institution %s: %s", institution_id, type(error).__name__)  # noqa: TRY400  a trace may hold values
            continue
        if run.found or run.differing or run.withdrawn:
            told = (run.found, run.differing, run.withdrawn)
            logger.info(
                "Outcomes of institution %s: %s set, %s differing, %s withdrawn", institution_id, *told
            )


def derive_institution(institution_id: int) -> Derivation:
    """Run through the credits of one institution, one scope and transaction a chunk."""
    total, after = Derivation(), 0
    while True:
        with tenant_scope(institution_id):
            total += derive_outcomes(by=task_actor(institution_id), after=after)
        if total.last is None:
            return total
        after = total.last


@shared_task(base=JobTask, bind=True)
def check_import(self: JobTask, job_uid: str) -> None:
    """Judge every row of a file that is to be imported; write none."""
    self.run_job(job_uid, check_rows)


@shared_task(base=JobTask, bind=True)
def write_import(self: JobTask, job_uid: str) -> None:
    """Import the rows of a file, from where an earlier attempt stopped."""
    self.run_job(job_uid, import_rows)


@shared_task(base=JobTask, bind=True)
def undo_import(self: JobTask, job_uid: str) -> None:
    """Give back the state before an import."""
    self.run_job(job_uid, undo_rows)


register_kind(CHECK, "apps.credits.tasks.check_import")
register_kind(IMPORT, "apps.credits.tasks.write_import")
register_kind(UNDO, "apps.credits.tasks.undo_import")
