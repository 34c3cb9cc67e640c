"""The life of a background work, one short transaction per step.

A worker claims a job by one UPDATE and holds a token; every later step names the token, so that of two
workers given the same message one only writes, and a job ends once.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.jobs.enums import JobStatus
from apps.jobs.errors import JobNotChangeable, JobStopped
from apps.jobs.models import Job
from apps.tenancy.actor import Actor, task_actor
from apps.tenancy.context import current_institution_id, tenant_scope
from apps.tenancy.tenants import is_active

MAX_ATTEMPTS = 5
ENDED = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)

logger = logging.getLogger(__name__)

#: Kind of job -> name of the task that does it; each ``tasks.py`` adds its own.
_tasks: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one job, held until it ends or until its heartbeat was silent too long."""

    institution_id: int
    uid: UUID
    token: UUID

    @property
    def actor(self) -> Actor:
        return task_actor(self.institution_id, request_id=str(self.uid))

    @contextmanager
    def chunk(self) -> Iterator[None]:
        """Open the scope of one piece of work; raise ``JobStopped`` when the institution is suspended."""
        with tenant_scope(self.institution_id):
            if not is_active(self.institution_id):
                raise JobStopped
            yield


def register_kind(kind: str, task_name: str) -> None:
    """Say which task does a kind of job, so that a lost one can be sent again from below that app."""
    _tasks[kind] = task_name


def task_of(kind: str) -> str | None:
    """Return the name of the task of a kind, or ``None`` when this process knows none."""
    return _tasks.get(kind)


@transaction.atomic
def create_job(*, kind: str, by: Actor, about: UUID | None = None) -> Job:
    """Write the request of a background work; the door enqueues its task on commit."""
    job = Job.objects.create(kind=kind, requested_by=by.id, about=about)
    record(by=by, action="job.create", target=job, after={"kind": kind})
    return job


def send_job(*, job: Job, task: Any) -> None:
    """Hand a job to the workers once its row is committed, so that none looks for it before it is there."""
    transaction.on_commit(partial(task.apply_async, [str(job.uid)], institution_id=job.institution_id))


def claim_job(*, uid: UUID) -> Claim | None:
    """Take a job in the open scope; ``None`` when it has ended or another living worker has it."""
    token, now = uuid4(), timezone.now()
    waiting = Job.objects.filter(uid=uid, status=JobStatus.QUEUED)
    abandoned = Job.objects.filter(uid=uid).silent_since(now - settings.JOB_LOST_AFTER)
    for takeable in (waiting, abandoned):
        taken = takeable.filter(cancel_requested_at=None, attempts__lt=MAX_ATTEMPTS).update(
            status=JobStatus.RUNNING,
            claim=token,
            attempts=F("attempts") + 1,
            progress=0,
            started_at=Coalesce("started_at", Now()),
            heartbeat_at=Now(),
        )
        if taken:
            return Claim(current_institution_id(), uid, token)
    return None


def report_progress(*, claim: Claim, percent: int) -> None:
    """Store progress (0-100) and a sign of life, in the transaction of the chunk that was done.

    Raises ``JobStopped`` when the job was cancelled or taken over: the chunk is then undone.
    """
    held = _held(claim).filter(cancel_requested_at=None)
    if not held.update(progress=min(max(percent, 0), 99), heartbeat_at=Now()):
        raise JobStopped


@transaction.atomic
def finish_job(*, claim: Claim, result: Mapping[str, Any]) -> None:
    """End a job with its result; raise ``JobStopped`` when it is no longer this worker's."""
    held = _held(claim).filter(cancel_requested_at=None)
    if not held.update(progress=100, result=dict(result), error="", **_end(JobStatus.DONE)):
        raise JobStopped
    _record_end(claim.uid, by=claim.actor)


@transaction.atomic
def fail_job(*, claim: Claim, error: str, again: bool) -> None:
    """Give a job back with its error: to be tried ``again`` while attempts remain, else failed for good."""
    if again and _held(claim).filter(attempts__lt=MAX_ATTEMPTS).update(error=error, **_release()):
        return
    if _held(claim).update(error=error, **_end(JobStatus.FAILED)):
        _record_end(claim.uid, by=claim.actor)


@transaction.atomic
def release_job(*, claim: Claim) -> None:
    """Let go of a job that was stopped: cancelled when that was asked, else queued as if not begun."""
    if _held(claim).exclude(cancel_requested_at=None).update(**_end(JobStatus.CANCELLED)):
        _record_end(claim.uid, by=claim.actor)
        return
    _held(claim).update(attempts=F("attempts") - 1, **_release())


@transaction.atomic
def request_cancel(*, job: Job, by: Actor) -> Job:
    """Cancel a queued job at once; ask the worker of a running one to stop at its next chunk.

    Raises ``JobNotChangeable`` when the job has ended.
    """
    locked = Job.objects.select_for_update().get(pk=job.pk)
    if locked.status in ENDED:
        raise JobNotChangeable(_("This job has ended already."))
    record(by=by, action="job.cancel", target=locked)
    if locked.status == JobStatus.QUEUED:
        Job.objects.filter(pk=locked.pk).update(cancel_requested_at=Now(), **_end(JobStatus.CANCELLED))
        _record_end(locked.uid, by=by)
    else:
        Job.objects.filter(pk=locked.pk).update(cancel_requested_at=Now())
    locked.refresh_from_db()
    return locked


@transaction.atomic
def retry_job(*, job: Job, by: Actor) -> Job:
    """Queue a failed or cancelled job anew, with all its attempts; the door enqueues its task on commit.

    Raises ``JobNotChangeable`` for any other state.
    """
    retried = Job.objects.filter(pk=job.pk, status__in=(JobStatus.FAILED, JobStatus.CANCELLED)).update(
        attempts=0, progress=0, cancel_requested_at=None, finished_at=None, **_release()
    )
    if not retried:
        raise JobNotChangeable(_("Only a failed or cancelled job can be tried again."))
    record(by=by, action="job.retry", target=job)
    job.refresh_from_db()
    return job


@transaction.atomic
def recover_jobs() -> list[tuple[UUID, str]]:
    """Return ``(uid, task name)`` of the scope's jobs that no worker will finish, to be sent again.

    A job is lost when it waited too long or when its worker is silent. One that lost all its attempts
    ends as failed, one whose cancellation was asked as cancelled.
    """
    now = timezone.now()
    silent = Job.objects.silent_since(now - settings.JOB_LOST_AFTER).select_for_update(skip_locked=True)
    lost = [job for job in silent if not _given_up(job)]
    lost += Job.objects.queued_before(now - settings.JOB_QUEUED_TOO_LONG)
    again = [(job, name) for job in lost if (name := task_of(job.kind)) is not None]
    if unknown := {job.kind for job in lost} - {job.kind for job, _name in again}:
        logger.error("No task is known for jobs of kind %s", ", ".join(sorted(unknown)))
    # Counted as sent now: a long queue is not filled again with the same messages at every round.
    Job.objects.filter(pk__in=[job.pk for job, _name in again]).update(queued_at=now)
    return [(job.uid, name) for job, name in again]


def _given_up(job: Job) -> bool:
    cancelled = job.cancel_requested_at is not None
    if not cancelled and job.attempts < MAX_ATTEMPTS:
        return False
    error = job.error if cancelled else _("The work was interrupted too many times.")
    status = JobStatus.CANCELLED if cancelled else JobStatus.FAILED
    if Job.objects.filter(pk=job.pk, claim=job.claim).update(error=error, **_end(status)):
        _record_end(job.uid, by=task_actor(current_institution_id()))
    return True


def _held(claim: Claim) -> Any:
    return Job.objects.filter(uid=claim.uid, status=JobStatus.RUNNING, claim=claim.token)


def _end(status: JobStatus) -> dict[str, Any]:
    return {"status": status, "claim": None, "finished_at": Now()}


def _release() -> dict[str, Any]:
    return {"status": JobStatus.QUEUED, "claim": None, "heartbeat_at": None, "queued_at": Now()}


def _record_end(uid: UUID, *, by: Actor) -> None:
    job = Job.objects.get(uid=uid)
    record(by=by, action="job.end", target=job, after={"status": job.status, "attempts": job.attempts})
