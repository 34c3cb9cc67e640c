"""What the worker does of an import: every row judged, written, or given back as it was.

The check judges every row and writes none. The import judges again and writes, a chunk a transaction, so that
a crash leaves whole chunks and a second attempt goes on behind them; or, all or nothing, in one transaction.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.enums import ImportMode
from apps.credits.errors import ImportRefused
from apps.credits.importing.changes import Writing
from apps.credits.importing.plans import Plan, Tally
from apps.credits.importing.registry import target_named
from apps.credits.importing.reports import Reports, figures, remove_parts
from apps.credits.importing.shared_values import read_common
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.importing.undoing import refuse_built_on, restore, unreadable
from apps.credits.models import ImportChunk, ImportRun
from apps.files.reading.dialects import Dialect
from apps.files.reading.previews import matches_from_json
from apps.files.reading.rows import Chunk
from apps.files.services import path_of
from apps.jobs.errors import JobStopped
from apps.jobs.models import Job
from apps.jobs.services import Claim, report_progress
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.locks import take_lock

_PATIENCE = 0.5
_BEAT = 2.0


def check_rows(claim: Claim) -> Mapping[str, Any]:
    """Do the job of a check: judge every row, count, and keep what is to be said of them."""
    with _left_clean(claim):
        return _check_rows(claim)


def _check_rows(claim: Claim) -> Mapping[str, Any]:
    with claim.chunk():
        plan = _plan(claim.uid)
        context = plan.context()
        tally = Tally()
        reports = _worded(plan, lambda: Reports(plan.run, plan.by_header))
    with reports:
        for chunk in plan.chunks():
            with claim.chunk():
                judged = _judged(plan, chunk, context)
                _worded(plan, partial(reports.append, chunk, judged))
                tally.add(figures(judged, chunk, plan.used))
                _show(plan.run, tally)
                report_progress(claim=claim, percent=_percent(plan.run, tally))
        with claim.chunk():
            _settle_end(plan, reports, tally, by=claim.actor)
            return tally.summary()


def import_rows(claim: Claim) -> Mapping[str, Any]:
    """Do the job of an import from where it stands; return its summary."""
    with claim.chunk():
        plan = _plan(claim.uid)
        if plan.run.summary is not None:
            return dict(plan.run.summary)
    with _left_clean(claim):
        whole = plan.run.mode == ImportMode.ALL
        return _all_or_nothing(claim, plan) if whole else _chunk_by_chunk(claim, plan)


@contextmanager
def _left_clean(claim: Claim) -> Iterator[None]:
    """Remove what was begun of the files when the job was cancelled."""
    try:
        yield
    except JobStopped:
        with tenant_scope(claim.institution_id):
            if Job.objects.filter(uid=claim.uid, cancel_requested_at__isnull=False).exists():
                remove_parts(ImportRun.objects.get(job__uid=claim.uid))
        raise


def undo_rows(claim: Claim) -> Mapping[str, Any]:
    """Do the job of an undoing, in one transaction; raise ``ImportBuiltOn`` when it cannot be."""

    def undo(run: ImportRun) -> dict[str, Any]:
        refuse_built_on(run, lost=unreadable(run))
        done = restore(run)
        ImportRun.objects.filter(pk=run.pk).update(undone_at=timezone.now())
        record(by=claim.actor, action="import.undone", target=run, after={"rows": done})
        report_progress(claim=claim, percent=99)
        return {"rows": done}

    def work() -> dict[str, Any]:
        run = ImportRun.objects.select_related("source").get(job__uid=claim.uid)
        with translation.override(run.language):
            return {"rows": 0} if run.undone_at else undo(run)

    return _in_turn(claim, work)


def _plan(job_uid: UUID) -> Plan:
    run = ImportRun.objects.select_related("source", "job").get(job__uid=job_uid)
    target = target_named(run.target)
    with translation.override(run.language):
        fields = target.fields()
    offered = {each.name for each in fields}
    matches, dialect = matches_from_json(run.mapping), Dialect.from_json(run.dialect)
    # a variable of the institution may have been retired since its column was settled
    matches = [each if each.field in offered else each.replaced(field=None) for each in matches]
    told = {name: text for name, text in run.common.items() if name in offered}
    with translation.override(run.language):
        common = read_common(told, fields, matches, dialect)
    return Plan(run, target, dialect, fields, matches, path_of(run.source), common)


def _worded[T](plan: Plan, work: Callable[[], T]) -> T:
    """Word what the work says in the language of who asked for the import."""
    with translation.override(plan.run.language):
        return work()


def _judged(plan: Plan, chunk: Chunk, context: Context) -> Judged:
    return plan.target.judge(plan.typed(chunk), chunk, context)


def _chunk_by_chunk(claim: Claim, plan: Plan) -> Mapping[str, Any]:
    run = plan.run
    with claim.chunk():
        done = list(run.chunks.order_by("number"))
        last = done[-1] if done else None
        tally = Tally([each.figures for each in done])
        context = plan.context(locking=True)
        at = (last.report_at, last.rejects_at) if last else (0, 0)
        reports = _worded(plan, lambda: Reports(run, plan.by_header, at=at))
    with reports:
        if last is not None:
            _know_again(claim, plan, context, last.last_line)
        number = last.number + 1 if last else 0
        for place, chunk in enumerate(plan.chunks(after=last.last_line if last else 0), start=number):
            _in_turn(claim, partial(_write_chunk, claim, plan, context, reports, tally, place, chunk))
        with claim.chunk():
            return _end_of_import(plan, reports, tally, by=claim.actor)


def _know_again(claim: Claim, plan: Plan, context: Context, last_line: int) -> None:
    """Judge the rows of the chunks that are done, to know the keys that later rows may repeat."""
    for chunk in plan.chunks():
        if chunk.lines[0] > last_line:
            return
        with claim.chunk():
            _judged(plan, chunk, context)
            report_progress(claim=claim, percent=plan.run.job.progress if plan.run.job else 0)


def _write_chunk(
    claim: Claim, plan: Plan, context: Context, reports: Reports, tally: Tally, number: int, chunk: Chunk
) -> None:
    judged = _judged(plan, chunk, context)
    _store_chunk(plan, reports, tally, number, chunk, judged, by=claim.actor)
    report_progress(claim=claim, percent=_percent(plan.run, tally))


def _store_chunk(
    plan: Plan,
    reports: Reports,
    tally: Tally,
    number: int,
    chunk: Chunk,
    judged: Judged,
    *,
    by: Actor,
) -> None:
    """Write the rows of a chunk, what undoes them, and that it is done, in the transaction of the caller."""
    writing = Writing(plan.run, by)
    plan.target.write(judged, writing)
    plan.run.columns = writing.columns
    report_at, rejects_at = _worded(plan, partial(reports.append, chunk, judged))
    found = figures(judged, chunk, plan.used)
    ImportChunk.objects.create(
        run=plan.run,
        number=number,
        first_line=int(chunk.lines[0]),
        last_line=int(chunk.lines[-1]),
        report_at=report_at,
        rejects_at=rejects_at,
        figures=found,
    )
    tally.add(found)
    ImportRun.objects.filter(pk=plan.run.pk).update(columns=writing.columns)
    _show(plan.run, tally)


def _all_or_nothing(claim: Claim, plan: Plan) -> Mapping[str, Any]:
    def work() -> Mapping[str, Any]:
        tally, context = Tally(), plan.context(locking=True)
        beat = _Beat(claim)
        with _worded(plan, lambda: Reports(plan.run, plan.by_header)) as reports:
            for number, chunk in enumerate(plan.chunks()):
                judged = _judged(plan, chunk, context)
                _refuse_rejected(plan, judged)
                _store_chunk(plan, reports, tally, number, chunk, judged, by=claim.actor)
                beat.give(_percent(plan.run, tally))
            told = _end_of_import(plan, reports, tally, by=claim.actor)
            report_progress(claim=claim, percent=99)
            return told

    return _in_turn(claim, work)


def _refuse_rejected(plan: Plan, judged: Judged) -> None:
    refused = judged.lines.filter(judged.verdicts == int(Verdict.REJECTED))
    if refused.len():
        with translation.override(plan.run.language):
            said = _("Nothing is imported: since the check, the row on line %(line)d is rejected.")
            raise ImportRefused(said % {"line": int(refused[0])})


class _Beat:
    """Signs of life of a long transaction, through another connection: they are seen before it ends.

    Raises ``JobStopped`` when the job was cancelled or taken over: the transaction is then undone.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.last = time.monotonic()

    def give(self, percent: int) -> None:
        if time.monotonic() - self.last < _BEAT:
            return
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(self._tell, percent).result()
        self.last = time.monotonic()

    def _tell(self, percent: int) -> None:
        try:
            with tenant_scope(self.claim.institution_id):
                report_progress(claim=self.claim, percent=percent)
        finally:
            connection.close()


def _in_turn[T](claim: Claim, work: Callable[[], T]) -> T:
    """Do some work in one transaction in which no other import of the institution judges or writes."""
    while True:
        with claim.chunk():
            if take_lock("credits.import"):
                return work()
            alive = Job.objects.filter(uid=claim.uid).values_list("progress", flat=True).first()
            report_progress(claim=claim, percent=alive or 0)
        time.sleep(_PATIENCE)


def _settle_end(plan: Plan, reports: Reports, tally: Tally, *, by: Actor) -> None:
    report, rejects = _worded(plan, partial(reports.keep, by))
    summary = tally.summary()
    ImportRun.objects.filter(pk=plan.run.pk).update(report=report, rejects=rejects, checked=summary)
    record(by=by, action="import.checked", target=plan.run, after=_told(tally))


def _end_of_import(plan: Plan, reports: Reports, tally: Tally, *, by: Actor) -> dict[str, Any]:
    report, rejects = _worded(plan, partial(reports.keep, by))
    summary = tally.summary()
    ImportRun.objects.filter(pk=plan.run.pk).update(report=report, rejects=rejects, summary=summary)
    record(by=by, action="import.finish", target=plan.run, after=_told(tally))
    return summary


def _told(tally: Tally) -> dict[str, int]:
    return {name.removeprefix("rows_"): count for name, count in tally.counts().items()}


def _show(run: ImportRun, tally: Tally) -> None:
    ImportRun.objects.filter(pk=run.pk).update(rows_read=tally.read, **tally.counts())


def _percent(run: ImportRun, tally: Tally) -> int:
    return 100 * tally.read // max(run.rows_total, 1)
