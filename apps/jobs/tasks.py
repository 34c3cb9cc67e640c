"""Running jobs: what every job's task shares, and sending again what was lost."""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from celery import current_app, shared_task
from django.db import DatabaseError

from apps.jobs.errors import JobStopped
from apps.jobs.services import Claim, claim_job, fail_job, finish_job, recover_jobs, release_job
from apps.tenancy.celery import TenantTask
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError
from apps.tenancy.tenants import active_institutions

logger = logging.getLogger(__name__)

#: Does the job chunk by chunk, each in ``claim.chunk()``, and returns its result.
Work = Callable[[Claim], Mapping[str, Any]]


class JobTask(TenantTask):
    """Base of the task of a kind of job. Delivered twice, it runs once; interrupted, it runs again."""

    abstract = True

    def run_job(self, job_uid: str, work: Work) -> None:
        """Claim the job, do the work, and write how it ended. A refusal is final, a failure is retried."""
        with tenant_scope(self.institution_id):
            claim = claim_job(uid=UUID(job_uid))
        if claim is None:
            return
        try:
            result = work(claim)
            with claim.chunk():
                finish_job(claim=claim, result=result)
        except JobStopped:
            with tenant_scope(claim.institution_id):
                release_job(claim=claim)
        except DomainError as refusal:
            _give_back(claim, refusal, error=refusal.message, again=False)
        except Exception as error:  # noqa: BLE001  whatever stops the work, the job's row must say so
            _give_back(claim, error, error=type(error).__name__, again=True)


def _give_back(claim: Claim, cause: Exception, *, error: str, again: bool) -> None:
    place = traceback.extract_tb(cause.__traceback__)[-1]
    # The exception's own text may hold a client's values: the log gets its kind and its place.
    logger.warning("Job %s: %s at %s:%s", claim.uid, type(cause).__name__, place.filename, place.lineno)
    try:
        with tenant_scope(claim.institution_id):
            fail_job(claim=claim, error=error, again=again)
    except DatabaseError:
        logger.warning("Job %s: the database does not answer; its silence will tell", claim.uid)


@shared_task
def requeue_lost_jobs() -> None:
    """Send again what no worker finished: no local broker survives every crash, the job rows do."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            lost = recover_jobs()
        for uid, task_name in lost:
            task: Any = current_app.tasks[task_name]
            task.apply_async([str(uid)], institution_id=institution_id)
