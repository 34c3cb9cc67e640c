"""Totals of scores: a file adds its own as it is stored, single scores are added soon after, each once."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from apps.credits.queries.dictionary import known_variables
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.encoding import Floats
from apps.engine.lines import RECOMMENDATIONS, Lines
from apps.engine.scorecard import GRADES
from apps.scoring.enums import Dimension, Recommendation, Source
from apps.scoring.models import BatchChunk, Prediction, ScoreTotal, ScoreTotalsHead, ScoringBatch, line_uid
from apps.scoring.services.chunks import POINTS_STEP, ScoredChunk
from apps.tenancy.context import current_institution_id

#: The variables that totals are broken down by, beside the credit type.
CREDIT_TYPE, CONTRACT, SECTOR = "type_credit", "type_contrat_travail", "secteur"
_LONGEST = 40
_SUMS = (
    *("scores", "pd_millionths", "points", "expected_loss_xaf"),
    *("predicted_defaults", "favourable", "unfavourable"),
)
_KEY = ("dimension", "month", "every_agency", "agency_id", "credit_type", "value")
_ADDED = ", ".join(f"{name} = scoring_scoretotal.{name} + excluded.{name}" for name in _SUMS)
_INTO = f"INSERT INTO scoring_scoretotal (institution_id, uid, {', '.join(_KEY)}, {', '.join(_SUMS)})"
_CONFLICT = f"ON CONFLICT (institution_id, {', '.join(_KEY)}) DO UPDATE SET {_ADDED}"
_EVERY = ScoreTotal.EVERY_TYPE
#: What follows ``WITH scored AS (…)``: every dimension in one pass over the rows, then every level.
_SUMMED = f"""
    , detail AS (
        SELECT month, agency_id, credit_type,
            CASE grouping(contract, sector, grade, author, class, source)
                WHEN 31 THEN '{Dimension.CONTRACT}' WHEN 47 THEN '{Dimension.SECTOR}'
                WHEN 55 THEN '{Dimension.GRADE}' WHEN 59 THEN '{Dimension.AUTHOR}'
                WHEN 61 THEN '{Dimension.POINTS}' WHEN 62 THEN '{Dimension.SOURCE}' ELSE '' END AS dimension,
            coalesce(contract, sector, grade, author, class, source, '') AS value,
            count(*) AS scores, sum(pd_millionths) AS pd_millionths, sum(points) AS points,
            sum(expected_loss_xaf) AS expected_loss_xaf,
            count(*) FILTER (WHERE predicted_default) AS predicted_defaults,
            count(*) FILTER (WHERE recommendation = '{Recommendation.GRANT}') AS favourable,
            count(*) FILTER (WHERE recommendation = '{Recommendation.DECLINE}') AS unfavourable
        FROM scored
        GROUP BY month, agency_id, credit_type,
            GROUPING SETS ((), (contract), (sector), (grade), (author), (class), (source))
    )
    {_INTO}
    SELECT %(institution)s, gen_random_uuid(), dimension, month, grouping(agency_id) = 1, agency_id,
        CASE WHEN grouping(credit_type) = 1 THEN '{_EVERY}' ELSE credit_type END, value,
        {", ".join(f"sum({name})" for name in _SUMS)}
    FROM detail
    GROUP BY dimension, month, value,
        GROUPING SETS ((agency_id, credit_type), (agency_id), (credit_type), ())
    ORDER BY 3, 4, 5, 6, 7, 8
    {_CONFLICT}
"""  # noqa: S608  names and codes of ours
_SINGLE = f"""
    WITH scored AS (
        SELECT date_trunc('month', created_at AT TIME ZONE %(zone)s)::date AS month, agency_id,
            left(coalesce(inputs ->> '{CREDIT_TYPE}', ''), {_LONGEST}) AS credit_type,
            left(coalesce(inputs ->> '{CONTRACT}', ''), {_LONGEST}) AS contract,
            left(coalesce(inputs ->> '{SECTOR}', ''), {_LONGEST}) AS sector,
            grade, coalesce(author_id::text, '') AS author,
            (points / {POINTS_STEP} * {POINTS_STEP})::text AS class, source,
            round(pd * 1000000)::bigint AS pd_millionths, points, expected_loss_xaf, predicted_default,
            recommendation
        FROM scoring_prediction
        WHERE institution_id = %(institution)s AND id > %(after)s AND id <= %(upto)s
    )
    {_SUMMED}
"""  # noqa: S608  names and codes of ours


def _code(name: str) -> str:
    """Return the code of a category from its place in the inputs of a line; empty where it is not known."""
    place = f"nullif(line.inputs[%({name}_at)s], 'NaN')::int + 1"
    return f"coalesce((%({name}s)s::text[])[{place}], '') AS {name}"


_LINES = f"""
    WITH scored AS (
        SELECT chunk.month, NULL::bigint AS agency_id,
            {_code("credit_type")}, {_code("contract")}, {_code("sector")},
            (%(grades)s::text[])[line.grade + 1] AS grade, %(author)s AS author,
            (line.points / {POINTS_STEP} * {POINTS_STEP})::text AS class, '{Source.BATCH}' AS source,
            round(line.pd * 1000000)::bigint AS pd_millionths, line.points, line.expected_loss_xaf,
            line.pd >= line.threshold AS predicted_default,
            (%(advice)s::text[])[line.recommendation + 1] AS recommendation
        FROM unnest(%(months)s::date[], %(firsts)s::uuid[], %(lasts)s::uuid[]) AS chunk (month, first, last)
        JOIN scoring_scoredline AS line
            ON line.institution_id = %(institution)s AND line.uid BETWEEN chunk.first AND chunk.last
    )
    {_SUMMED}
"""  # noqa: S608  names and codes of ours


# --- the lines of a file --------------------------------------------------------------------------


def add_chunk(
    *, batch: ScoringBatch, chunk: ScoredChunk, variables: Mapping[str, Variable], at: dt.datetime
) -> None:
    """Add the lines of a chunk to the totals, in the transaction that stores them: one statement.

    The lock, which chunks share, keeps ``rebuild_totals`` from counting between the lines and their totals.
    """
    rows = list(_chunk_rows(chunk, variables, _author(batch)))
    if not rows:
        return
    columns = list(zip(*sorted(rows), strict=True))
    arrays = ", ".join(["%s::text[]"] * 3 + ["%s::bigint[]"] * len(_SUMS))
    names = ", ".join(("dimension", "credit_type", "value", *_SUMS))
    with connection.cursor() as cursor:
        _lock(cursor, "pg_advisory_xact_lock_shared")
        cursor.execute(
            f"{_INTO} SELECT %s, gen_random_uuid(), dimension, %s::date, every_agency, NULL,"  # noqa: S608  names of the model
            f" CASE WHEN grouping(credit_type) = 1 THEN '{_EVERY}' ELSE credit_type END, value,"
            f" {', '.join(f'sum({name})' for name in _SUMS)} FROM unnest({arrays}) AS added ({names})"
            " CROSS JOIN (VALUES (false), (true)) AS level (every_agency)"
            " GROUP BY dimension, value, every_agency, GROUPING SETS ((credit_type), ())"
            f" ORDER BY 3, 5, 7, 8 {_CONFLICT}",
            [batch.institution_id, month_of(at), *map(list, columns)],
        )


def month_of(at: dt.datetime) -> dt.date:
    """Return the first day of the month in which an instant lies here."""
    return timezone.localtime(at).date().replace(day=1)


def _chunk_rows(
    chunk: ScoredChunk, variables: Mapping[str, Variable], author: str
) -> Iterator[tuple[Any, ...]]:
    lines = [group.lines for group in chunk.groups if len(group.lines.pd)]
    if not lines:
        return
    types = _codes(CREDIT_TYPE, variables)
    of_type = _places(lines, CREDIT_TYPE, len(types))
    sums = _sums(lines)
    points = np.concatenate([each.points for each in lines]).astype(np.intp) // POINTS_STEP
    broken_down: list[tuple[str, list[str], npt.NDArray[np.intp]]] = [
        (Dimension.WHOLE, [""], np.zeros_like(of_type)),
        (Dimension.AUTHOR, [author], np.zeros_like(of_type)),
        (Dimension.SOURCE, [Source.BATCH.value], np.zeros_like(of_type)),
        (Dimension.GRADE, list(GRADES), np.concatenate([each.grade for each in lines]).astype(np.intp)),
        (Dimension.POINTS, [str(step * POINTS_STEP) for step in range(int(points.max()) + 1)], points),
    ]
    for category, name in ((Dimension.CONTRACT, CONTRACT), (Dimension.SECTOR, SECTOR)):
        codes = _codes(name, variables)
        broken_down.append((category, codes, _places(lines, name, len(codes))))
    for dimension, codes, places in broken_down:
        yield from _added_up(dimension, types, codes, of_type * len(codes) + places, sums)


def _added_up(
    dimension: str,
    types: Sequence[str],
    codes: Sequence[str],
    cells: npt.NDArray[np.intp],
    sums: Sequence[Floats],
) -> Iterator[tuple[Any, ...]]:
    width = len(types) * len(codes)
    counts = np.bincount(cells, minlength=width)
    # Sums of whole numbers in double precision are exact up to 2**53.
    totals = [np.bincount(cells, weights=each, minlength=width) for each in sums]
    for cell in np.flatnonzero(counts).tolist():
        numbers = (int(counts[cell]), *(int(total[cell]) for total in totals))
        yield (str(dimension), types[cell // len(codes)], codes[cell % len(codes)], *numbers)


def _sums(lines: Sequence[Lines]) -> list[Floats]:
    """Return what is added up of each line, in the order of the sums behind the count."""
    grant, decline = RECOMMENDATIONS.index("accorder"), RECOMMENDATIONS.index("refuser")
    of_each: list[Callable[[Lines], npt.NDArray[Any]]] = [
        lambda each: np.rint(each.pd * 1_000_000),
        lambda each: each.points,
        lambda each: each.expected_loss_xaf,
        lambda each: each.pd >= each.threshold,
        lambda each: each.recommendation == grant,
        lambda each: each.recommendation == decline,
    ]
    return [np.concatenate([of(each) for each in lines]).astype(np.float64) for of in of_each]


def _codes(name: str, variables: Mapping[str, Variable]) -> list[str]:
    """Return the codes of a category in their places, none at all last."""
    return [*(code[:_LONGEST] for code in variables.get(name, STANDARD[name]).codes), ""]


def _places(lines: Sequence[Lines], name: str, codes: int) -> npt.NDArray[np.intp]:
    nothing = codes - 1
    found = [
        np.where(np.isnan(values), nothing, values)
        if (values := each.values.get(name)) is not None
        else np.full(len(each.pd), nothing)
        for each in lines
    ]
    return np.concatenate(found).astype(np.intp)


def _author(batch: ScoringBatch) -> str:
    return str(batch.author_id) if batch.author_kind == "user" and batch.author_id else ""


# --- single scores --------------------------------------------------------------------------------


@transaction.atomic
def fold_scores() -> int:
    """Add to the totals the scores that came since, each once; return how many. Runs again at will.

    Scores that somebody may still be writing wait for a later run. The first run of an institution counts
    everything.
    """
    head = _locked_head()
    if head is None:
        return rebuild_totals()
    return _fold(head)


@transaction.atomic
def rebuild_totals() -> int:
    """Count the totals of the institution anew from its scores and scored lines; return how many scores."""
    ScoreTotalsHead.objects.bulk_create([ScoreTotalsHead()], ignore_conflicts=True)
    head = ScoreTotalsHead.objects.select_for_update().get()
    with connection.cursor() as cursor:
        _lock(cursor, "pg_advisory_xact_lock")
    ScoreTotal.objects.all().delete()
    for batch in ScoringBatch.objects.order_by("pk"):
        _count_lines(batch)
    if head.settled_id:
        _count_single(0, head.settled_id)
    _fold(head)
    rows = ScoreTotal.objects.filter(dimension=Dimension.WHOLE, every_agency=True, credit_type=_EVERY)
    whole = rows.values_list("scores", flat=True)
    return sum(whole)


def _locked_head() -> ScoreTotalsHead | None:
    return ScoreTotalsHead.objects.select_for_update().first()


def _fold(head: ScoreTotalsHead) -> int:
    """Add what is settled: up to what is there now if nobody else writes, else up to the frontier."""
    now, last = timezone.now(), _last_number()
    writers = _writers()
    before = head.settled_id
    if not writers:
        head.settled_id, head.settled_at = max(last, head.settled_id), now
    elif not set(writers) & set(head.writers):
        head.settled_id, head.settled_at = max(head.frontier_id, head.settled_id), head.frontier_at
    counted = _count_single(before, head.settled_id) if head.settled_id > before else 0
    if head.frontier_id <= head.settled_id:
        head.frontier_id, head.frontier_at, head.writers = last, now, writers
    head.save()
    return counted


def _last_number() -> int:
    return Prediction.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _writers() -> list[str]:
    """Return the other transactions that may have numbers of scores which nobody sees yet.

    A transaction locks the table before it takes a number and until it is over. Asked after the highest
    number was read: one that ended in between is seen by the statement that counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT virtualtransaction FROM pg_locks"
            " WHERE relation = 'scoring_prediction'::regclass AND mode = 'RowExclusiveLock' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND pid IS DISTINCT FROM pg_backend_pid()"
        )
        return [row[0] for row in cursor.fetchall()]


def _count_single(after: int, upto: int) -> int:
    institution = current_institution_id()
    with connection.cursor() as cursor:
        cursor.execute(
            _SINGLE,
            {"institution": institution, "after": after, "upto": upto, "zone": settings.TIME_ZONE},
        )
    return Prediction.objects.filter(pk__gt=after, pk__lte=upto).count()


def _count_lines(batch: ScoringBatch) -> None:
    """Count the lines of a file from what is stored of each, by the months of their chunks."""
    chunks = list(BatchChunk.objects.filter(batch=batch).order_by("number"))
    if not chunks:
        return
    known = known_variables((CREDIT_TYPE, CONTRACT, SECTOR))
    spans = [(month_of(each.created_at), *_ends(batch, each)) for each in chunks]
    months, firsts, lasts = (list(each) for each in zip(*spans, strict=True))
    given: dict[str, Any] = {
        "institution": batch.institution_id,
        "months": months,
        "firsts": firsts,
        "lasts": lasts,
        "grades": list(GRADES),
        "advice": list(RECOMMENDATIONS),
        "author": _author(batch),
    }
    for name, key in ((CREDIT_TYPE, "credit_type"), (CONTRACT, "contract"), (SECTOR, "sector")):
        given[f"{key}s"] = _codes(name, known)[:-1]
        # an array has nothing at place 0: a variable that no column holds
        given[f"{key}_at"] = batch.columns.index(name) + 1 if name in batch.columns else 0
    with connection.cursor() as cursor:
        cursor.execute(_LINES, given)


def _ends(batch: ScoringBatch, chunk: BatchChunk) -> tuple[UUID, UUID]:
    return line_uid(batch.lines_from, chunk.first_line), line_uid(batch.lines_from, chunk.last_line)


def _lock(cursor: Any, function: str) -> None:
    cursor.execute(
        f"SELECT {function}(hashtextextended(%s, 0))",
        [f"scoring.totals {current_institution_id()}"],
    )
