"""Reads of imports."""

import datetime as dt
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.credits.enums import ImportState, ImportStep
from apps.credits.models import ImportMapping, ImportRun
from apps.jobs.enums import JobStatus
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

_WAITING = (JobStatus.QUEUED, JobStatus.RUNNING)
_UNDER_WAY = {
    ImportStep.CHECK: ImportState.CHECKING,
    ImportStep.IMPORT: ImportState.IMPORTING,
    ImportStep.UNDO: ImportState.UNDOING,
}
_DONE = {
    ImportStep.CHECK: ImportState.CHECKED,
    ImportStep.IMPORT: ImportState.IMPORTED,
    ImportStep.UNDO: ImportState.UNDONE,
}


def visible_imports(actor: Actor) -> QuerySet[ImportRun]:
    """Return the imports that ``actor`` sent; all of them for who sees every agency."""
    rows = ImportRun.objects.visible_to(actor)
    return rows.select_related("job", "source", "report", "rejects")


def get_visible_import(actor: Actor, uid: UUID) -> ImportRun:
    """Return one import; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    run = visible_imports(actor).filter(uid=uid).first()
    if run is None:
        raise ObjectNotFound(_("No such import."))
    return run


def state_of(run: ImportRun) -> ImportState:
    """Return where an import stands. One whose undoing was refused or stopped is imported as before."""
    if run.job is None:
        return ImportState.SETTLING
    step = ImportStep(run.step)
    if run.job.status in _WAITING:
        return _UNDER_WAY[step]
    if run.job.status == JobStatus.DONE:
        return _DONE[step]
    if step == ImportStep.UNDO:
        return ImportState.IMPORTED if run.summary is not None else ImportState.STOPPED
    return ImportState.FAILED if run.job.status == JobStatus.FAILED else ImportState.STOPPED


def expected_end_of(run: ImportRun) -> dt.datetime | None:
    """Return when a running step should be done at the pace so far; ``None`` while nothing is known."""
    job = run.job
    if job is None or job.status != JobStatus.RUNNING or job.started_at is None or not run.rows_read:
        return None
    left = max(run.rows_total - run.rows_read, 0)
    now = timezone.now()
    spent: dt.timedelta = now - job.started_at
    return now + spent * (left / run.rows_read)


def remembered_columns(target: str) -> dict[str, tuple[str, str]]:
    """Return header -> field and conversion, as the institution settled them for this kind of rows."""
    rows = ImportMapping.objects.filter(target=target)
    return {row.header: (row.field, row.conversion) for row in rows}
