"""Scoring a file: settled at the start, then chunk by chunk, each stored whole or not at all."""

import hashlib
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import numpy as np
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.audit.services import record, record_read
from apps.files.enums import FilePurpose
from apps.files.models import StoredFile
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Match, missing_fields, propose
from apps.files.reading.previews import Preparation, matches_from_json, matches_to_json, preparation
from apps.files.reading.rows import Chunk, chunks, header
from apps.files.services import keep_written, part_path, path_of, store_upload
from apps.files.validators import result_name
from apps.jobs.enums import JobStatus
from apps.jobs.errors import JobNotChangeable, JobStopped
from apps.jobs.models import Job
from apps.jobs.services import (
    Claim,
    claim_job,
    create_job,
    finish_job,
    report_progress,
    request_cancel,
    retry_job,
)
from apps.outbox.enums import WebhookEvent
from apps.outbox.services import announce
from apps.registry.enums import GENERAL_SEGMENT, ModelStatus
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.scoring.enums import Output
from apps.scoring.errors import BatchUnfinished
from apps.scoring.models import BatchChunk, ScoringBatch
from apps.scoring.queries.policies import figures_of_policy, policy_on
from apps.scoring.renderers import Style, write_result
from apps.scoring.services.chunks import (
    Plan,
    ScoredChunk,
    chunk_rows,
    figures_of_chunk,
    score_chunk,
    scored_chunks,
)
from apps.scoring.services.columns import Refused, scoring_fields, stored_names
from apps.scoring.services.storing import store_lines
from apps.scoring.services.totals import add_chunk
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError, InvalidValues, NotAllowed, ObjectNotFound
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb

if TYPE_CHECKING:
    from django.core.files.base import File

KIND = "batch"
INLINE_ROWS = 2_000
DOWNLOAD_ROWS = 20_000
#: So many rows are still scored by machine code.
FIRST_ROWS = 10_000
_FIRST_ERRORS = 20

logger = logging.getLogger(__name__)


def proposed_mapping(stored: StoredFile, dialect: Dialect | None = None) -> list[Match]:
    """Return what each column of a file is taken for, by its header."""
    found = dialect or dialect_of(stored)
    return propose(header(path_of(stored), found), scoring_fields())


def prepare(*, stored: StoredFile, dialect: Dialect | None = None) -> Preparation:
    """Read the beginning of a file, with what its columns are taken for.

    Raises ``FileRefused`` when it cannot be read in the dialect that was chosen.
    """
    found = dialect or dialect_of(stored)
    return preparation(path_of(stored), found, proposed_mapping(stored, found), scoring_fields())


def dialect_of(stored: StoredFile) -> Dialect:
    """Return how a file is written, as it was found when it came in."""
    return Dialect.from_json(stored.dialect or {})


def receive_batch(*, upload: "File[Any]", by: Actor, output: str = Output.SAME) -> ScoringBatch:
    """Keep a file that was sent and settle its scoring by what its headers say; nothing is kept of a refusal.

    Raises ``FileRefused`` and what ``start_batch`` raises.
    """
    stored = store_upload(upload=upload, purpose=FilePurpose.BATCH, by=by)
    try:
        return start_batch(stored=stored, by=by, output=output)
    except DomainError:
        path_of(stored).unlink(missing_ok=True)
        raise


@transaction.atomic
def start_batch(
    *,
    stored: StoredFile,
    by: Actor,
    matches: Sequence[Match] | None = None,
    dialect: Dialect | None = None,
    output: str = Output.SAME,
) -> ScoringBatch:
    """Settle what a file is scored with, and write the request of its job; the door enqueues the task.

    Without ``matches`` the columns are taken for what their headers say for certain. Raises
    ``InvalidValues`` when no column holds a variable that is required, ``NoApprovedModel`` or ``NoPolicy``.
    """
    found = dialect or dialect_of(stored)
    proposed = proposed_mapping(stored, found) if matches is None else matches
    chosen = [match for match in proposed if match.certain]
    _refuse_without_required(chosen)
    champion, policy = champion_for(), policy_on()
    batch = ScoringBatch.objects.create(
        job=create_job(kind=KIND, by=by),
        source=stored,
        dialect=found.to_json(),
        mapping=matches_to_json(chosen),
        output=Output(output),
        language=current_lang(),
        columns=list(stored_names(chosen)),
        champions=_champions(champion),
        model_version=champion,
        policy=policy,
        lines_total=stored.rows or 0,
        author_kind=by.kind,
        author_id=by.id,
        author_name=by.display_name,
    )
    record(by=by, action="batch.create", target=batch, after={"lines": batch.lines_total})
    return batch


def _refuse_without_required(matches: Sequence[Match]) -> None:
    missing = missing_fields(matches, scoring_fields())
    if missing:
        said = _("No column of the file holds: %(name)s.")
        fields = {each.name: [said % {"name": each.label}] for each in missing}
        raise InvalidValues(_("Columns are missing in the file."), fields=fields)


def _champions(general: ModelVersion) -> list[dict[str, Any]]:
    """Return the champions of today: the general one first, then those of segments."""
    champions = ModelVersion.objects.filter(status=ModelStatus.CHAMPION).exclude(segment=GENERAL_SEGMENT)
    own = [champion_for(segment) for segment in champions.values_list("segment", flat=True)]
    others = [{"segment": each.segment, "id": each.pk} for each in own if each.segment != GENERAL_SEGMENT]
    return [{"segment": "", "id": general.pk}, *others]


def plan_of(batch: ScoringBatch) -> Plan:
    """Return what the lines of a batch are scored with; loads its models. In the open scope."""
    versions = ModelVersion.objects.in_bulk([each["id"] for each in batch.champions])
    dialect = Dialect.from_json(batch.dialect)
    return Plan(
        path=path_of(batch.source),
        dialect=dialect,
        matches=tuple(matches_from_json(batch.mapping)),
        fields=tuple(scoring_fields(retired=True)),
        champions=tuple((each["segment"], load_scorer(versions[each["id"]])) for each in batch.champions),
        figures=figures_of_policy(batch.policy),
        style=Style.of(dialect, batch.output),
        lang="en" if batch.language == "en" else "fr",
    )


def score_at_once(*, batch: ScoringBatch) -> list[ScoredChunk]:
    """Score a file that is small enough to wait for, in the transaction of the request."""
    claim = claim_job(uid=batch.job.uid)
    assert claim is not None  # this very transaction created it
    plan, done = plan_of(batch), []
    for number, chunk in enumerate(scored_chunks(plan)):
        _keep_chunk(batch, plan, number, chunk)
        done.append(chunk)
    finish_job(claim=claim, result=finish_batch(batch=batch, by=claim.actor))
    batch.refresh_from_db()
    return done


def score_batch(claim: Claim) -> Mapping[str, Any]:
    """Do the job of a batch from where it stands; return its summary.

    The next chunk is read and scored while the database stores the one before. Raises ``JobStopped`` when
    the job was cancelled: what was stored stays, the parts of the result go.
    """
    with claim.chunk():
        batch = _batch_of(claim.uid)
        if batch.result_id is not None:
            return dict(batch.summary or {})
        plan = plan_of(batch)
        last = batch.chunks.order_by("-number").first()
    number, after = (last.number + 1, last.last_line) if last is not None else (0, 0)
    try:
        for chunk in _ahead(plan, after):
            with claim.chunk():
                _keep_chunk(batch, plan, number, chunk)
                report_progress(claim=claim, percent=_percent(batch))
            number += 1
        with claim.chunk():
            return finish_batch(batch=batch, by=claim.actor)
    except JobStopped:
        with tenant_scope(claim.institution_id):
            if Job.objects.filter(uid=claim.uid, cancel_requested_at__isnull=False).exists():
                _remove(part_paths(batch))
        raise


@transaction.atomic
def cancel_batch(*, batch: ScoringBatch, by: Actor) -> None:
    """Stop the scoring of a file. What is stored stays, no result is made; the batch says what was done.

    Raises ``JobNotChangeable`` when it has ended.
    """
    job = request_cancel(job=batch.job, by=by)
    if job.status == JobStatus.CANCELLED:
        transaction.on_commit(partial(_remove, part_paths(batch)))


@transaction.atomic
def retry_batch(*, batch: ScoringBatch, by: Actor) -> None:
    """Queue the scoring of a file that failed anew, by who sent it; the door enqueues the task.

    It goes on behind the last lines that were stored. Raises ``NotAllowed`` to anybody else,
    ``JobNotChangeable`` when it has not failed, ``ObjectNotFound`` once the file's time is over.
    """
    if not may_retry(batch, by):
        raise NotAllowed(_("Only who sent this file may try its scoring again."))
    if batch.job.status != JobStatus.FAILED:
        raise JobNotChangeable(_("Only a scoring that failed can be tried again."))
    if batch.source.deleted_at is not None or not path_of(batch.source).is_file():
        raise ObjectNotFound(_("This file was deleted: send it again."))
    retry_job(job=batch.job, by=by)


def may_retry(batch: ScoringBatch, by: Actor) -> bool:
    """Say whether this is who sent the file."""
    return by.may(Verb.IMPORT) and (batch.author_kind, batch.author_id) == (by.kind, by.id)


def _ahead(plan: Plan, after: int) -> Iterator[ScoredChunk]:
    """Yield the chunks behind line ``after`` in order, while threads read and score the next two.

    They touch no database; what takes their time lets other threads run.
    """
    pieces = _pieces(plan, after)
    coming: deque[Future[ScoredChunk]] = deque()
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="score") as pool:
        reading = pool.submit(next, pieces, None)
        while True:
            chunk = reading.result()
            if chunk is not None:
                reading = pool.submit(next, pieces, None)
                coming.append(pool.submit(score_chunk, plan, chunk))
            elif not coming:
                return
            if chunk is None or len(coming) > 1:
                yield coming.popleft().result()


def _pieces(plan: Plan, after: int) -> Iterator[Chunk]:
    """Yield the rows behind line ``after``, short pieces first and last: nobody waits long for the others.

    The database has work sooner, and only half a piece is left when nothing more is to be scored. A workbook
    is read in one go: to open it again would take longer.
    """
    if plan.dialect.kind == "csv":
        short = chunks(plan.path, plan.dialect, size=min(FIRST_ROWS, chunk_rows()), skip_lines=after)
        for chunk in islice(short, 2):
            yield chunk
            after = int(chunk.lines[-1])
    rest = chunks(plan.path, plan.dialect, size=chunk_rows(), skip_lines=after)
    last: list[Chunk] = []
    for chunk in rest:
        yield from last
        last = [chunk]
    for chunk in last:
        yield from chunk.halves()


def _batch_of(job_uid: UUID) -> ScoringBatch:
    rows = ScoringBatch.objects.select_related("job", "source", "policy", "model_version")
    return rows.get(job__uid=job_uid)


def _percent(batch: ScoringBatch) -> int:
    return 100 * batch.lines_read // max(batch.lines_total, 1)


@transaction.atomic
def _keep_chunk(batch: ScoringBatch, plan: Plan, number: int, chunk: ScoredChunk) -> None:
    """Store a chunk: its part of the result first, then its lines, itself and the counts in one go."""
    _write(_part(batch, number), chunk.part)
    for group in chunk.groups:
        store_lines(
            batch=batch,
            numbers=chunk.numbers[group.rows],
            model=group.champion,
            inputs=group.inputs,
            lines=group.lines,
        )
    scored = chunk.read - chunk.rejected
    kept = BatchChunk.objects.create(
        batch=batch,
        number=number,
        first_line=int(chunk.numbers[0]),
        last_line=int(chunk.numbers[-1]),
        scored=scored,
        rejected=chunk.rejected,
        figures=figures_of_chunk(chunk, plan.figures),
        sha256=chunk.sha256,
        client_references=_by_line(chunk),
    )
    ScoringBatch.objects.filter(pk=batch.pk).update(
        lines_read=F("lines_read") + chunk.read,
        lines_scored=F("lines_scored") + scored,
        lines_rejected=F("lines_rejected") + chunk.rejected,
    )
    batch.lines_read += chunk.read
    add_chunk(batch=batch, chunk=chunk, variables=plan.variables, at=kept.created_at)


def _by_line(chunk: ScoredChunk) -> list[str] | None:
    """Return the client's reference of every line from the first to the last, blank lines too."""
    if not chunk.references:
        return None
    first = int(chunk.numbers[0])
    found = [""] * (int(chunk.numbers[-1]) - first + 1)
    for number, reference in zip(chunk.numbers, chunk.references, strict=True):
        found[int(number) - first] = reference
    return found


def _part(batch: ScoringBatch, number: int) -> Path:
    return part_path(uuid5(batch.uid, f"part {number}"))


def _write(target: Path, content: bytes) -> None:
    """Write a part whole or not at all; one of an attempt that was cut short is replaced."""
    coming = target.with_suffix(".coming")
    coming.write_bytes(content)
    coming.chmod(0o600)
    coming.replace(target)


@transaction.atomic
def finish_batch(*, batch: ScoringBatch, by: Actor) -> dict[str, Any]:
    """Put the result together from the chunks, keep it, add up the summary and tell who listens."""
    done = list(batch.chunks.order_by("number"))
    dialect = Dialect.from_json(batch.dialect)
    style = Style.of(dialect, batch.output)
    whole = part_path(uuid5(batch.uid, "result"))
    sha256 = write_result(whole, _parts(batch, done), header(path_of(batch.source), dialect), style)
    result = keep_written(
        part=whole,
        name=result_name(batch.source.original_name, kind=style.kind),
        purpose=FilePurpose.RESULT,
        kind=style.kind,
        by=by,
        sha256=sha256,
    )
    summary = summed_up(done)
    ScoringBatch.objects.filter(pk=batch.pk).update(result=result, summary=summary)
    after = {"lines": summary["scored"], "rejected": summary["rejected"], "sha256": result.sha256}
    record(by=by, action="batch.finish", target=batch, after=after)
    announce(event=WebhookEvent.BATCH_FINISHED, target=batch.uid)
    transaction.on_commit(partial(_remove, part_paths(batch)))
    return summary


def result_of(*, batch: ScoringBatch, by: Actor) -> tuple[StoredFile, Path]:
    """Return the result of a scored file and where it stands, for the view that sends it; recorded.

    Raises ``BatchUnfinished``; ``ObjectNotFound`` once its time is over.
    """
    if batch.result is None:
        raise BatchUnfinished(_("This file has no result yet."))
    path = path_of(batch.result)
    if batch.result.deleted_at is not None or not path.is_file():
        raise ObjectNotFound(_("No such file."))
    record_read(by=by, target=batch.result)
    return batch.result, path


def _parts(batch: ScoringBatch, done: Sequence[BatchChunk]) -> Iterator[bytes]:
    """Yield the parts of the result; one that was lost or altered is made again from the file."""
    plan: Plan | None = None
    before = 0
    for chunk in done:
        try:
            part = _part(batch, chunk.number).read_bytes()
        except OSError:
            part = b""
        if hashlib.sha256(part).hexdigest() != chunk.sha256:
            logger.warning("Part %d of batch %s is made again", chunk.number, batch.uid)
            plan = plan or plan_of(batch)
            size = chunk.last_line - before
            part = next(scored_chunks(plan, after=before, size=size)).part
        yield part
        before = chunk.last_line


def part_paths(batch: ScoringBatch) -> list[Path]:
    """Return where the parts of a result may stand: those of its chunks and of the one that was under way."""
    return [_part(batch, number) for number in range(batch.chunks.count() + 1)]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def summed_up(done: Sequence[BatchChunk]) -> dict[str, Any]:
    """Return the summary of the chunks that are done."""
    scored, rejected = sum(each.scored for each in done), sum(each.rejected for each in done)
    figures = [each.figures for each in done]
    errors: dict[str, int] = {}
    for each in figures:
        for key, count in each["errors"].items():
            errors[key] = errors.get(key, 0) + count
    worst = sorted(errors.items(), key=lambda pair: -pair[1])[:_FIRST_ERRORS]
    return {
        "read": scored + rejected,
        "scored": scored,
        "rejected": rejected,
        "mean_pd": sum(each["pd"] for each in figures) / scored if scored else None,
        "defaults": sum(each["defaults"] for each in figures),
        "loss_xaf": sum(each["loss"] for each in figures),
        "outside": sum(each["outside"] for each in figures),
        **{name: _added_up(figures, name) for name in ("points", "bands", "grades", "advice")},
        "errors": [
            {"code": key.partition("|")[0], "column": key.partition("|")[2], "lines": count}
            for key, count in worst
        ],
    }


def _added_up(figures: Sequence[Mapping[str, Any]], name: str) -> list[int]:
    return [int(total) for total in np.sum([each[name] for each in figures], axis=0)] if figures else []


def refused_of(done: Iterable[ScoredChunk]) -> list[Refused]:
    """Return the refused lines of chunks that were just scored, in the order of the file."""
    return sorted((each for chunk in done for each in chunk.refused.values()), key=lambda each: each.line)
