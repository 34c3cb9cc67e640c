"""Background scoring. The job row is the truth; every task may run twice."""

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from apps.institutions.models import Institution
from apps.jobs.models import Job
from apps.jobs.services import fail_job, finish_job, report_progress, start_job
from apps.scoring.services import rescore_chunk
from apps.tenancy.actor import task_actor
from apps.tenancy.celery import TenantTask
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError

RESCORE = "rescore"
CHUNK = 100
LOST_AFTER = timedelta(minutes=10)

logger = logging.getLogger(__name__)


@shared_task(base=TenantTask, bind=True)
def rescore_institution(self: TenantTask, job_uid: str) -> None:
    """Score every undecided application of the institution again, chunk by chunk."""
    institution_id, uid = self.institution_id, UUID(job_uid)
    with tenant_scope(institution_id):
        if start_job(uid=uid) is None:
            return
    try:
        _rescore(institution_id, uid)
    except (DomainError, DatabaseError) as error:
        logger.warning("Job %s failed: %s", uid, type(error).__name__)
        with tenant_scope(institution_id):
            fail_job(uid=uid, error=error.message if isinstance(error, DomainError) else "")


def _rescore(institution_id: int, uid: UUID) -> None:
    actor, last = task_actor(institution_id, request_id=str(uid)), None
    scored = kept = 0
    total = _total(institution_id)
    while True:
        with tenant_scope(institution_id):
            last, new, same = rescore_chunk(after=last, size=CHUNK, by=actor)
            scored, kept = scored + new, kept + same
            done = 100 * (scored + kept) // max(total, 1)
            if last is None:
                finish_job(uid=uid, result={"scored": scored, "unchanged": kept})
                return
            if not report_progress(uid=uid, percent=min(done, 99)):
                return


def _total(institution_id: int) -> int:
    from apps.credits.models import CreditApplication

    with tenant_scope(institution_id):
        return CreditApplication.objects.undecided().count()


@shared_task
def requeue_lost_jobs() -> None:
    """Send again what no worker finished: no local broker survives every crash, the job rows do."""
    lost_before = timezone.now() - LOST_AFTER
    for institution in Institution.objects.active():
        with tenant_scope(institution.pk):
            lost = list(
                Job.objects.unfinished_since(lost_before).filter(kind=RESCORE).values_list("uid", flat=True)
            )
        for uid in lost:
            rescore_institution.apply_async([str(uid)], institution_id=institution.pk)
