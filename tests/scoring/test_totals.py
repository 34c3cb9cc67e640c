"""Totals of scores: each counted once, whatever runs twice or at the same time, and equal to a count."""

import io
import threading
from collections import Counter

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.engine.lines import BANDS, RECOMMENDATIONS
from apps.engine.scorecard import GRADES
from apps.scoring.enums import Dimension
from apps.scoring.models import Prediction, ScoredLine, ScoreTotal, ScoreTotalsHead
from apps.scoring.services import batches, chunks
from apps.scoring.services.scores import score_values
from apps.scoring.services.totals import fold_scores, rebuild_totals
from apps.scoring.tasks import fold_all_scores
from apps.tenancy.context import tenant_scope
from tests.predict import BODY
from tests.scoring.test_batches import file_of, random_body, score_now

pytestmark = pytest.mark.django_db

SUMS = (
    *("scores", "pd_millionths", "points", "expected_loss_xaf"),
    *("predicted_defaults", "favourable", "unfavourable"),
)


@pytest.fixture
def horizon(world, settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    with world.scope():
        yield world


@pytest.fixture
def analyst(horizon):
    return horizon.actor(horizon.analyst)


def totals():
    """Return every total of one agency and one credit type, by its key."""
    detail = ScoreTotal.objects.filter(every_agency=False).exclude(credit_type=ScoreTotal.EVERY_TYPE)
    rows = detail.values_list("dimension", "month", "agency_id", "credit_type", "value", *SUMS)
    return {row[:5]: row[5:] for row in rows}


def counted_by_hand():
    """Return what the totals of predictions must be, one Python line after the other."""
    found = Counter()
    for each in Prediction.objects.all():
        month = timezone.localtime(each.created_at).date().replace(day=1)
        key = (month, each.agency_id, each.inputs.get("type_credit", ""))
        sums = (
            1,
            round(each.pd * 1_000_000),
            each.points,
            each.expected_loss_xaf,
            int(each.predicted_default),
            int(each.recommendation == "accorder"),
            int(each.recommendation == "refuser"),
        )
        values = {
            Dimension.WHOLE: "",
            Dimension.CONTRACT: each.inputs.get("type_contrat_travail", ""),
            Dimension.SECTOR: each.inputs.get("secteur", ""),
            Dimension.GRADE: each.grade,
            Dimension.AUTHOR: str(each.author_id or ""),
            Dimension.POINTS: str(each.points // 25 * 25),
            Dimension.SOURCE: each.source,
        }
        for dimension, value in values.items():
            for place, number in enumerate(sums):
                found[str(dimension), *key, value, place] += number
    return {
        key[:5]: tuple(found[*key[:5], place] for place in range(len(SUMS))) for key in found if key[5] == 0
    }


def test_single_scores_are_counted_as_by_hand(horizon, analyst, draw_bodies):
    for body in draw_bodies(12):
        score_values(raw=body, by=analyst)
    rebuild_totals()
    ScoreTotal.objects.all().delete()
    ScoreTotalsHead.objects.update(settled_id=0, frontier_id=0)  # and no line of a file

    assert fold_scores() == Prediction.objects.count()
    assert totals() == counted_by_hand()


@pytest.fixture
def draw_bodies():
    import random

    draw = random.Random(11)  # noqa: S311  drawn again each run
    return lambda count: [random_body(draw) for _ in range(count)]


def test_a_second_run_counts_nothing_twice(horizon, analyst, draw_bodies):
    rebuild_totals()
    before = totals()
    for body in draw_bodies(3):
        score_values(raw=body, by=analyst)

    first, again = fold_scores(), fold_scores()

    assert (first, again) == (3, 0)
    after = totals()
    whole = [sums[0] for key, sums in after.items() if key[0] == Dimension.WHOLE]
    assert sum(whole) == sum(sums[0] for key, sums in before.items() if key[0] == Dimension.WHOLE) + 3


@pytest.mark.parametrize("size", [7, 20_000])
def test_a_file_adds_its_own_totals_and_a_rebuild_counts_the_same(
    horizon, analyst, draw_bodies, monkeypatch, size
):
    monkeypatch.setattr(chunks, "ROWS", size)
    rebuild_totals()
    before = totals()

    score_now(file_of(draw_bodies(40)), analyst)

    merged = totals()
    added = merged[Dimension.SOURCE.value, *_month(), None, "consommation", "batch"]
    assert merged != before
    assert added[0] > 0
    assert sum(sums[0] for key, sums in merged.items() if key[0] == Dimension.WHOLE) == (
        Prediction.objects.count() + ScoredLine.objects.count()
    )
    rebuild_totals()
    assert totals() == merged


def _month():
    return (timezone.localdate().replace(day=1),)


def test_the_sums_of_a_file_are_those_of_its_lines(horizon, analyst, draw_bodies):
    ScoreTotal.objects.all().delete()

    batch = score_now(file_of(draw_bodies(30)), analyst)

    lines = list(ScoredLine.objects.of(batch))
    whole = [sums for key, sums in totals().items() if key[0] == Dimension.WHOLE]
    assert [sum(each) for each in zip(*whole, strict=True)] == [
        30,
        sum(round(line.pd * 1_000_000) for line in lines),
        sum(line.points for line in lines),
        sum(line.expected_loss_xaf for line in lines),
        sum(line.pd >= line.threshold for line in lines),
        sum(RECOMMENDATIONS[line.recommendation] == "accorder" for line in lines),
        sum(RECOMMENDATIONS[line.recommendation] == "refuser" for line in lines),
    ]
    grades = Counter(GRADES[line.grade] for line in lines)
    by_grade = Counter()
    for key, sums in totals().items():
        if key[0] == Dimension.GRADE:
            by_grade[key[4]] += sums[0]
    assert by_grade == grades
    assert BANDS


def test_a_chunk_that_is_undone_leaves_no_totals(horizon, analyst, draw_bodies, monkeypatch):
    rebuild_totals()
    before = totals()

    def fails(**_kwargs):
        raise RuntimeError

    monkeypatch.setattr(batches, "finish_batch", fails)
    with pytest.raises(RuntimeError), connection_savepoint():
        score_now(file_of(draw_bodies(5)), analyst)

    assert totals() == before


def connection_savepoint():
    from django.db import transaction

    return transaction.atomic()


def test_totals_of_one_institution_hold_nothing_of_another(world):
    with world.scope("ngwa"):
        rebuild_totals()
        mine = {each.institution_id for each in ScoreTotal.objects.all()}
        counted = _whole()
        there = Prediction.objects.count() + ScoredLine.objects.count()

    assert mine == {world.institution_id("ngwa")}
    assert counted == there


def test_the_command_counts_anew(world):
    with world.scope():
        ScoreTotal.objects.all().delete()
        expected = Prediction.objects.count() + ScoredLine.objects.count()
    out = io.StringIO()

    call_command("rebuild_totals", "horizon", stdout=out)

    assert out.getvalue() == f"{expected} scores\n"


@pytest.mark.django_db(transaction=True)
def test_a_score_that_is_still_being_written_waits_and_is_then_counted_once(world):
    """The number is given before the row is committed: a watermark alone would pass it by."""
    institution = world.institution_id("horizon")
    fold_all_scores()
    analyst = world.actor(world.analyst)
    with tenant_scope(institution):
        before = _whole()
    written, go = threading.Event(), threading.Event()

    def slow():
        try:
            with tenant_scope(institution):
                score_values(raw=BODY, by=analyst)
                written.set()
                go.wait(30)
        finally:
            connection.close()

    other = threading.Thread(target=slow)
    other.start()
    assert written.wait(30)
    with tenant_scope(institution):  # a later number, committed first
        score_values(raw={**BODY, "age": 44}, by=analyst)
    fold_all_scores()
    with tenant_scope(institution):
        during = _whole()
    go.set()
    other.join()
    fold_all_scores()
    fold_all_scores()

    with tenant_scope(institution):
        assert (during, _whole()) == (before, before + 2)
        kept = totals()
        rebuild_totals()
        assert totals() == kept


def _whole():
    rows = ScoreTotal.objects.filter(dimension="", every_agency=True, credit_type=ScoreTotal.EVERY_TYPE)
    return sum(rows.values_list("scores", flat=True))


def levels():
    """Return the totals above those of one agency and one credit type."""
    rows = ScoreTotal.objects.values_list(*KEY, *SUMS)
    return {row[:6]: row[6:] for row in rows if row[2] or row[4] == ScoreTotal.EVERY_TYPE}


KEY = ("dimension", "month", "every_agency", "agency_id", "credit_type", "value")


def test_every_agency_and_every_type_are_the_sums_of_theirs(horizon, analyst, draw_bodies):
    rebuild_totals()
    score_now(file_of(draw_bodies(20)), analyst)
    score_values(raw=BODY, by=analyst)
    fold_scores()
    expected = Counter()
    for (dimension, month, agency, credit_type, value), sums in totals().items():
        for every, of_agency, of_type in (
            (False, agency, "*"),
            (True, None, credit_type),
            (True, None, "*"),
        ):
            for place, number in enumerate(sums):
                expected[dimension, month, every, of_agency, of_type, value, place] += number

    assert levels() == {
        key[:6]: tuple(expected[*key[:6], place] for place in range(len(SUMS))) for key in expected
    }
