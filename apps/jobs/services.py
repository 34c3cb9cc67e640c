"""The life of a background work, one short transaction per step."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.services import record
from apps.jobs.enums import JobStatus
from apps.jobs.models import Job
from apps.tenancy.actor import Actor

OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)


@transaction.atomic
def create_job(*, kind: str, by: Actor) -> Job:
    """Write the request of a background work; the door enqueues its task on commit."""
    job = Job.objects.create(kind=kind, requested_by=by.id)
    record(by=by, action="job.create", target=job, after={"kind": kind})
    return job


@transaction.atomic
def start_job(*, uid: UUID) -> Job | None:
    """Claim a job for a worker; ``None`` when it is finished or cancelled already."""
    job = Job.objects.select_for_update().filter(uid=uid, status__in=OPEN).first()
    if job is not None:
        job.status, job.started_at = JobStatus.RUNNING, timezone.now()
        job.save(update_fields=["status", "started_at"])
    return job


def report_progress(*, uid: UUID, percent: int) -> bool:
    """Store progress (0-100); ``False`` says that the job was cancelled meanwhile."""
    return bool(
        Job.objects.filter(uid=uid, status=JobStatus.RUNNING).update(progress=min(max(percent, 0), 100))
    )


def finish_job(*, uid: UUID, result: Mapping[str, Any]) -> None:
    """Mark a running job done with its result; a second call changes nothing."""
    Job.objects.filter(uid=uid, status=JobStatus.RUNNING).update(
        status=JobStatus.DONE, progress=100, result=dict(result), finished_at=timezone.now()
    )


def fail_job(*, uid: UUID, error: str) -> None:
    """Mark an open job failed, with a message that a person can read."""
    Job.objects.filter(uid=uid, status__in=OPEN).update(
        status=JobStatus.FAILED, error=error, finished_at=timezone.now()
    )
