"""Background scoring. The job row is the truth; every task may run twice."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import DatabaseError

from apps.credits.models import CreditApplication
from apps.jobs.models import Job
from apps.jobs.services import Claim, register_kind, report_progress, send_job
from apps.jobs.tasks import JobTask
from apps.registry.models import ModelVersion
from apps.registry.services.training_runs import KIND as TRAINING
from apps.registry.services.training_runs import retrain_if_due
from apps.registry.services.training_work import train
from apps.scoring.services.batches import KIND as BATCH
from apps.scoring.services.batches import score_batch
from apps.scoring.services.portfolio import RESCORE, Report, rescore_if_due, rescore_next
from apps.scoring.services.shadow import challengers, shadow_next
from apps.scoring.services.totals import fold_scores
from apps.scoring.services.training import price_rows
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError
from apps.tenancy.tenants import active_institutions

CHUNK = 100
#: Scores that a challenger computes in one transaction, and transactions a run: the next run goes on.
SHADOW_CHUNK, SHADOW_TURNS = 2_000, 25

logger = logging.getLogger(__name__)


@shared_task(base=JobTask, bind=True)
def rescore_institution(self: JobTask, job_uid: str) -> None:
    """Score every undecided application of the institution again, chunk by chunk."""
    self.run_job(job_uid, _rescore)


@shared_task(base=JobTask, bind=True)
def score_file(self: JobTask, job_uid: str) -> None:
    """Score the lines of a file, from where an earlier attempt stopped."""
    self.run_job(job_uid, score_batch)


@shared_task
def rescore_due() -> None:
    """Ask for the scheduled run of each institution whose last one is too old."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            job = rescore_if_due(by=task_actor(institution_id))
        if job is not None:
            send_job(job=job, task=rescore_institution)


@shared_task
def score_in_the_shadow() -> None:
    """Let every challenger score what was scored since; one that does not load does not stop the others."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            versions = list(challengers())
        for version in versions:
            try:
                _shadow(institution_id, version)
            except DomainError as refusal:
                logger.error("Challenger %s does not score: %s", version.uid, refusal.code)  # noqa: TRY400  the code says it


def _shadow(institution_id: int, version: ModelVersion) -> None:
    for _turn in range(SHADOW_TURNS):
        with tenant_scope(institution_id):
            if shadow_next(version=version, size=SHADOW_CHUNK) < SHADOW_CHUNK:
                return


@shared_task
def fold_all_scores() -> None:
    """Add what was scored since to the totals; an institution that fails does not stop the others."""
    for institution_id in active_institutions():
        try:
            with tenant_scope(institution_id):
                fold_scores()
        except DatabaseError as error:
            logger.error("Totals of institution %s: %s", institution_id, type(error).__name__)  # noqa: TRY400  a trace may hold values


@shared_task(base=JobTask, bind=True)
def train_candidates(self: JobTask, job_uid: str) -> None:
    """Train the candidates of a run and judge them; the policy says what decisions are worth."""
    self.run_job(job_uid, partial(train, priced=price_rows))


@shared_task
def retrain_due() -> None:
    """Ask for the scheduled training of each institution that wants one; its outcome is a candidate only."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            run = retrain_if_due(by=task_actor(institution_id))
        if run is not None:
            send_job(job=run.job, task=train_candidates)


register_kind(RESCORE, "apps.scoring.tasks.rescore_institution")
register_kind(BATCH, "apps.scoring.tasks.score_file")
register_kind(TRAINING, "apps.scoring.tasks.train_candidates")


def _rescore(claim: Claim) -> Mapping[str, Any]:
    with claim.chunk():
        total = CreditApplication.objects.undecided().count()
        since = Job.objects.get(uid=claim.uid).created_at
    report = Report()
    last: UUID | None = None
    while True:
        with claim.chunk():
            last = rescore_next(report=report, since=since, after=last, size=CHUNK, by=claim.actor)
            done = report.scored + report.unchanged
            report_progress(claim=claim, percent=100 * done // max(total, 1))
        if last is None:
            return report.to_json()
