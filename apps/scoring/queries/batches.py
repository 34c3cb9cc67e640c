"""Files that were scored."""

import datetime as dt
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.jobs.enums import JobStatus
from apps.scoring.models import ScoringBatch
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def visible_batches(actor: Actor) -> QuerySet[ScoringBatch]:
    """Return the files that ``actor`` sent to be scored; all of them for who sees every agency."""
    rows = ScoringBatch.objects.visible_to(actor)
    return rows.select_related("job", "source", "result", "model_version", "policy")


def get_visible_batch(actor: Actor, uid: UUID) -> ScoringBatch:
    """Return one scored file; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    batch = visible_batches(actor).filter(uid=uid).first()
    if batch is None:
        raise ObjectNotFound(_("No such file."))
    return batch


def expected_end(batch: ScoringBatch) -> dt.datetime | None:
    """Return when a running file should be done at the pace so far; ``None`` while nothing is known."""
    job = batch.job
    if job.status != JobStatus.RUNNING or job.started_at is None or not batch.lines_read:
        return None
    now = timezone.now()
    left = max(batch.lines_total - batch.lines_read, 0)
    spent: dt.timedelta = now - job.started_at
    return now + spent * (left / batch.lines_read)
