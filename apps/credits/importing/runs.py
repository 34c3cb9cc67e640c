"""An import from the file to the rows and back: settled, checked, confirmed, undone.

The check judges every row and writes none. The import judges again and writes, a chunk a transaction, so that
a crash leaves whole chunks and a second attempt goes on behind them; or, all or nothing, in one transaction.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.audit.services import record, record_read
from apps.credits.enums import ImportMode, ImportState, ImportStep
from apps.credits.errors import ImportBuiltOn, ImportMoved, ImportRefused
from apps.credits.importing.changes import Writing
from apps.credits.importing.registry import target_named
from apps.credits.importing.reports import Reports, figures, remove_parts
from apps.credits.importing.targets import Context, Judged, Target, Verdict
from apps.credits.importing.undoing import Obstacle, obstacles, restore, unreadable
from apps.credits.models import ImportChunk, ImportMapping, ImportRun
from apps.credits.queries.imports import remembered_columns, state_of
from apps.files.enums import FilePurpose
from apps.files.models import StoredFile
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Conversion, Field, Match, key_of, missing_fields, propose
from apps.files.reading.previews import Preparation, matches_from_json, matches_to_json, preparation
from apps.files.reading.quality import FileCounts, FileQuality, file_quality
from apps.files.reading.rows import Chunk, chunks, header
from apps.files.reading.values import typed_chunk
from apps.files.services import path_of, store_upload
from apps.files.writing import FRENCH_EXCEL
from apps.jobs.errors import JobStopped
from apps.jobs.models import Job
from apps.jobs.services import Claim, create_job, report_progress, request_cancel
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError, InvalidValues, ObjectNotFound
from apps.tenancy.language import current_lang

if TYPE_CHECKING:
    from pathlib import Path

    from django.core.files.base import File

CHECK, IMPORT, UNDO = "import.check", "import.write", "import.undo"
ROWS = 20_000
_FIRST_PROBLEMS = 20
_PATIENCE = 0.5
_BEAT = 2.0
_COUNTS = ("rows_new", "rows_updated", "rows_unchanged", "rows_duplicate", "rows_rejected")


def receive_import(*, upload: "File[Any]", target: str, by: Actor) -> ImportRun:
    """Keep a file that was sent and propose what its columns hold; nothing is kept of a refusal.

    Raises ``FileRefused``, ``NotAllowed``, ``ObjectNotFound`` for an unknown target.
    """
    chosen = target_named(target)
    stored = store_upload(upload=upload, purpose=FilePurpose.IMPORT, by=by)
    try:
        return _begin(stored=stored, target=chosen, by=by)
    except DomainError:
        path_of(stored).unlink(missing_ok=True)
        raise


@transaction.atomic
def _begin(*, stored: StoredFile, target: Target, by: Actor) -> ImportRun:
    found = Dialect.from_json(stored.dialect or {})
    run = ImportRun.objects.create(
        target=target.name,
        source=stored,
        dialect=found.to_json(),
        mapping=matches_to_json([match for match in proposed(target, stored, found) if match.certain]),
        language=current_lang(),
        agencies=_agencies(by),
        rows_total=stored.rows or 0,
        author_kind=by.kind,
        author_id=by.id,
        author_name=by.display_name,
    )
    record(by=by, action="import.create", target=run, after={"target": target.name, "rows": run.rows_total})
    return run


def proposed(target: Target, stored: StoredFile, dialect: Dialect) -> list[Match]:
    """Return what each column is taken for: as the institution settled it before, else by its header."""
    known = remembered_columns(target.name)
    headers = header(path_of(stored), dialect)
    fields = {name: field for name, (field, _conversion) in known.items()}
    matches = propose(headers, target.fields(), remembered=fields)
    return [
        match.replaced(conversion=Conversion(known[key_of(match.header)][1]), why="remembered")
        if match.why == "remembered"
        else match
        for match in matches
    ]


def prepare_import(*, run: ImportRun, dialect: Dialect | None = None) -> Preparation:
    """Read the beginning of the file.

    Raises ``FileRefused`` when it cannot be read in ``dialect``, ``ObjectNotFound`` once its time is over.
    """
    target, found = target_named(run.target), dialect or Dialect.from_json(run.dialect)
    _require_source(run)
    matches = proposed(target, run.source, found)
    return preparation(path_of(run.source), found, matches, target.fields())


@transaction.atomic
def settle_import(
    *, run: ImportRun, matches: Sequence[Match], by: Actor, dialect: Dialect | None = None
) -> ImportRun:
    """Settle what each column holds and ask for the check; the door enqueues the task.

    What was settled is remembered for the next file of the institution. Raises ``InvalidValues`` when no
    column holds a field that is required, ``ImportMoved`` once the import was confirmed.
    """
    locked = _at(run, ImportState.SETTLING, ImportState.CHECKED, ImportState.STOPPED, ImportState.FAILED)
    if locked.confirmed_at is not None:
        raise ImportMoved(_("This import was confirmed already."))
    target = target_named(run.target)
    _refuse_impossible(matches, target.fields())
    _require_source(locked)
    found = dialect or Dialect.from_json(locked.dialect)
    locked.dialect, locked.mapping = found.to_json(), matches_to_json(matches)
    _remember(target.name, matches)
    return _ask(locked, step=ImportStep.CHECK, kind=CHECK, by=by, after={"columns": len(locked.mapping)})


@transaction.atomic
def confirm_import(
    *, run: ImportRun, mode: ImportMode, by: Actor, keep_duplicates: bool = False
) -> ImportRun:
    """Ask for the import of a file that was checked; the door enqueues the task.

    Raises ``ImportMoved`` when it was not checked, ``ImportRefused`` when all is asked and rows are refused.
    """
    locked = _at(run, ImportState.CHECKED)
    _require_source(locked)
    if mode == ImportMode.ALL and locked.rows_rejected:
        said = _("Rows are rejected: correct them, or import the valid rows only.")
        raise ImportRefused(said)
    locked.mode, locked.keep_duplicates, locked.confirmed_at = mode, keep_duplicates, timezone.now()
    return _ask(locked, step=ImportStep.IMPORT, kind=IMPORT, by=by, after={"mode": str(mode)})


@transaction.atomic
def undo_import(*, run: ImportRun, by: Actor) -> ImportRun:
    """Ask for the state before an import, row by row; the door enqueues the task.

    Raises ``ImportBuiltOn`` with what is built on it, ``ImportMoved`` when nothing was imported.
    """
    locked = _at(run, ImportState.IMPORTED, ImportState.STOPPED, ImportState.FAILED)
    if locked.confirmed_at is None:
        raise ImportMoved(_("Nothing of this file was imported."))
    _refuse_built_on(locked)
    return _ask(locked, step=ImportStep.UNDO, kind=UNDO, by=by, after={})


@transaction.atomic
def cancel_import(*, run: ImportRun, by: Actor) -> None:
    """Stop a check or an import. Chunks that are imported stay, and can be undone.

    Raises ``ImportMoved`` when nothing is under way, ``JobNotChangeable`` when it has just ended.
    """
    if run.job is None or state_of(run) == ImportState.UNDOING:
        raise ImportMoved(_("Nothing is under way that could be stopped."))
    request_cancel(job=run.job, by=by)


def rejects_of(*, run: ImportRun, by: Actor, report: bool = False) -> "tuple[StoredFile, Path]":
    """Return the rows left out, or the report of the problems, and where the file stands; recorded.

    Raises ``ObjectNotFound`` when no row was left out, or once the time of the file is over.
    """
    stored = run.report if report else run.rejects
    if stored is None or stored.deleted_at is not None or not path_of(stored).is_file():
        raise ObjectNotFound(_("No such file."))
    record_read(by=by, target=stored)
    return stored, path_of(stored)


def first_problems(run: ImportRun, count: int = 200) -> list[tuple[str, ...]]:
    """Return the first problems of the last check or import: line, column, value, rule, what to do."""
    stored = run.report
    if stored is None or stored.deleted_at is not None or not path_of(stored).is_file():
        return []
    for chunk in chunks(path_of(stored), FRENCH_EXCEL, size=count):
        return [tuple(cell or "" for cell in row) for row in chunk.frame.iter_rows()]
    return []


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
        _refuse_built_on(run, lost=unreadable(run))
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


@dataclass(slots=True)
class Plan:
    """What the rows of a file are judged and written with, settled when the step was asked."""

    run: ImportRun
    target: Target
    dialect: Dialect
    fields: list[Field]
    matches: list[Match]
    path: "Path"

    @property
    def by_header(self) -> dict[str, Field]:
        known = {each.name: each for each in self.fields}
        return {match.header: known[match.field] for match in self.matches if match.field in known}

    @property
    def used(self) -> list[str]:
        """The headers of the columns that are used."""
        return [match.header for match in self.matches if match.field]

    def context(self, *, locking: bool = False) -> Context:
        run = self.run
        return Context(
            institution_id=run.source.institution_id,
            agencies=None if run.agencies is None else frozenset(run.agencies),
            headers={match.field: match.header for match in self.matches if match.field},
            today=timezone.localdate(),
            keep_duplicates=run.keep_duplicates,
            locking=locking,
        )

    def chunks(self, *, after: int = 0) -> Iterator[Chunk]:
        return chunks(self.path, self.dialect, size=ROWS, skip_lines=after)


class Tally:
    """The counts of the chunks that are done."""

    def __init__(self, done: Sequence[Mapping[str, Any]] = ()) -> None:
        self.verdicts = [0] * len(Verdict)
        self.problems: dict[str, int] = {}
        self.cells = self.missing = 0
        for each in done:
            self.add(each)

    def add(self, found: Mapping[str, Any]) -> None:
        self.verdicts = [one + other for one, other in zip(self.verdicts, found["verdicts"], strict=True)]
        for key, count in found["problems"].items():
            self.problems[key] = self.problems.get(key, 0) + count
        self.cells += found["cells"]
        self.missing += found["missing"]

    @property
    def read(self) -> int:
        return sum(self.verdicts)

    def counts(self) -> dict[str, int]:
        return dict(zip(_COUNTS, self.verdicts, strict=True))

    def summary(self) -> dict[str, Any]:
        worst = sorted(self.problems.items(), key=lambda pair: -pair[1])[:_FIRST_PROBLEMS]
        told = [(*key.partition("|")[::2], count) for key, count in worst]
        problems = [{"code": code, "column": column, "rows": count} for code, column, count in told]
        return {
            "rows_read": self.read,
            **self.counts(),
            "problems": problems,
            "quality": self.quality().to_json(),
        }

    def quality(self) -> FileQuality:
        """Return the quality of the rows read: every question about a unit was answered before."""
        return file_quality(
            FileCounts(
                read=self.read,
                rejected=self.verdicts[Verdict.REJECTED],
                duplicates=self.verdicts[Verdict.DUPLICATE],
                cells=self.cells,
                missing=self.missing,
            )
        )


def _plan(job_uid: UUID) -> Plan:
    run = ImportRun.objects.select_related("source", "job").get(job__uid=job_uid)
    target = target_named(run.target)
    with translation.override(run.language):
        fields = target.fields()
    offered = {each.name for each in fields}
    matches, dialect = matches_from_json(run.mapping), Dialect.from_json(run.dialect)
    # a variable of the institution may have been retired since its column was settled
    matches = [each if each.field in offered else each.replaced(field=None) for each in matches]
    return Plan(run, target, dialect, fields, matches, path_of(run.source))


def _worded[T](plan: Plan, work: Callable[[], T]) -> T:
    """Word what the work says in the language of who asked for the import."""
    with translation.override(plan.run.language):
        return work()


def _judged(plan: Plan, chunk: Chunk, context: Context) -> Judged:
    typed = typed_chunk(chunk, plan.matches, plan.fields, plan.dialect)
    return plan.target.judge(typed, chunk, context)


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
            if _alone(claim.institution_id):
                return work()
            alive = Job.objects.filter(uid=claim.uid).values_list("progress", flat=True).first()
            report_progress(claim=claim, percent=alive or 0)
        time.sleep(_PATIENCE)


def _alone(institution_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"credits.import {institution_id}"]
        )
        return bool(cursor.fetchone()[0])


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


def _at(run: ImportRun, *states: ImportState) -> ImportRun:
    """Lock an import; raise ``ImportMoved`` unless it stands at one of ``states``.

    It is asked before too: one that is being imported stays locked as long as a chunk takes, or all of it.
    """
    _require_state(_stored(run), states)
    ImportRun.objects.select_for_update().get(pk=run.pk)
    locked = _stored(run)
    _require_state(locked, states)
    return locked


def _stored(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_related("job", "source", "report", "rejects").get(pk=run.pk)


def _require_state(run: ImportRun, states: Sequence[ImportState]) -> None:
    state = state_of(run)
    if state not in states:
        raise ImportMoved(_("This cannot be done now: the import is “%(state)s”.") % {"state": state.label})


def _ask(run: ImportRun, *, step: ImportStep, kind: str, by: Actor, after: dict[str, Any]) -> ImportRun:
    """Write the request of the next step; the counts begin again, but for an undoing."""
    run.step, run.job = step, create_job(kind=kind, by=by)
    if step != ImportStep.UNDO:
        run.rows_read = 0
        for name in _COUNTS:
            setattr(run, name, 0)
        run.agencies = _agencies(by)
        run.report = run.rejects = None
    run.save()
    record(by=by, action=f"import.{step}", target=run, after=after)
    return run


def _require_source(run: ImportRun) -> None:
    if run.source.deleted_at is not None or not path_of(run.source).is_file():
        raise ObjectNotFound(_("This file is no longer kept: send it again."))


def _agencies(by: Actor) -> list[int] | None:
    return None if by.agency_ids is None else sorted(by.agency_ids)


def _refuse_built_on(run: ImportRun, *, lost: Sequence[Obstacle] = ()) -> None:
    found = [*obstacles(run), *lost]
    if found:
        said = _("This import cannot be undone: something is built on it.")
        raise ImportBuiltOn(f"{said} {' '.join(each.text for each in found)}", found=found)


def _refuse_impossible(matches: Sequence[Match], fields: Sequence[Field]) -> None:
    """Refuse what holds nothing known, what two columns hold, and what is missing."""
    names = [match.field for match in matches if match.field]
    for name in sorted(set(names) - {each.name for each in fields}):
        said = _("There is no field “%(name)s”.") % {"name": name}
        raise InvalidValues(said, fields={"columns": [said]})
    if len(names) > len(set(names)):
        said = _("Two columns hold the same field.")
        raise InvalidValues(said, fields={"columns": [said]})
    missing = missing_fields(matches, fields)
    if missing:
        said = _("No column of the file holds: %(name)s.")
        told = {each.name: [said % {"name": each.label}] for each in missing}
        raise InvalidValues(_("Columns are missing in the file."), fields=told)


def _remember(target: str, matches: Sequence[Match]) -> None:
    """Keep what was settled for the next file, columns left alone included."""
    rows = {
        key_of(match.header)[:200]: ImportMapping(
            target=target,
            header=key_of(match.header)[:200],
            field=match.field or "",
            conversion=str(match.conversion) if match.field else "",
        )
        for match in matches
    }
    rows.pop("", None)
    ImportMapping.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["institution", "target", "header"],
        update_fields=["field", "conversion", "updated_at"],
    )
