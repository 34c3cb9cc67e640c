"""Background scoring. The job row is the truth; every task may run twice."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import shared_task

from apps.credits.models import CreditApplication
from apps.jobs.services import Claim, register_kind, report_progress
from apps.jobs.tasks import JobTask
from apps.scoring.services.scores import rescore_chunk

RESCORE = "rescore"
CHUNK = 100


@shared_task(base=JobTask, bind=True)
def rescore_institution(self: JobTask, job_uid: str) -> None:
    """Score every undecided application of the institution again, chunk by chunk."""
    self.run_job(job_uid, _rescore)


register_kind(RESCORE, "apps.scoring.tasks.rescore_institution")


def _rescore(claim: Claim) -> Mapping[str, Any]:
    with claim.chunk():
        total = CreditApplication.objects.undecided().count()
    scored = kept = 0
    last: UUID | None = None
    while True:
        with claim.chunk():
            last, new, same = rescore_chunk(after=last, size=CHUNK, by=claim.actor)
            scored, kept = scored + new, kept + same
            report_progress(claim=claim, percent=100 * (scored + kept) // max(total, 1))
        if last is None:
            return {"scored": scored, "unchanged": kept}
