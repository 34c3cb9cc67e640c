"""Benchmarks: quartiles over five institutions at least, frozen for a month, nobody's figures told."""

import datetime as dt
import re

import numpy as np
import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from apps.audit.models import AuditEntry
from apps.institutions.models import Institution
from apps.reports import tasks
from apps.reports.enums import BenchmarkFigure
from apps.reports.errors import AlreadyTakesPart
from apps.reports.models import (
    BenchmarkContribution,
    BenchmarkParticipation,
    BenchmarkQuartiles,
    FileTotal,
)
from apps.reports.queries.benchmarks import figures_for, months_of, months_of_outcomes
from apps.reports.queries.portfolio import FileSums, ScoreSums
from apps.reports.services.benchmarks import join_benchmarks, leave_benchmarks, quartiles
from apps.reports.tasks import compute_benchmarks
from apps.scoring.models import ScoreTotal
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound

pytestmark = pytest.mark.django_db

URL = "/portefeuille/reperes"
CODES = ("kribi", "edea", "limbe", "mbouda", "foumban", "tiko")
#: Granted of 1,000 decided; no two are near each other, none is a round number.
GRANTED = {"kribi": 431, "edea": 548, "limbe": 617, "mbouda": 703, "foumban": 829, "tiko": 272}


def this_month():
    return timezone.localdate().replace(day=1)


def add_totals(*, month, granted=0, of=1_000, credit_type="*", **sums):
    """Add totals of applications to the institution in scope."""
    numbers = dict.fromkeys(FileSums.__dataclass_fields__, 0) | {
        "files": of,
        "amount_xaf": 500_000 * of,
        "granted": granted,
        "refused": of - granted,
        **sums,
    }
    FileTotal.objects.create(
        month=month, every_agency=True, credit_type=credit_type, dimension="", value="", **numbers
    )


def add_scores(*, month, scores, pd, credit_type="*"):
    numbers = dict.fromkeys(ScoreSums.__dataclass_fields__, 0)
    numbers |= {"scores": scores, "pd_millionths": round(scores * pd * 1_000_000)}
    ScoreTotal.objects.create(
        month=month, every_agency=True, credit_type=credit_type, dimension="", value="", **numbers
    )


@pytest.fixture
def operator(world):
    return world.user(world.operator)


@pytest.fixture
def alone(world, operator):
    """Let the two institutions of the cast take no part."""
    for code in ("horizon", "ngwa"):
        with world.scope(code):
            BenchmarkParticipation.objects.update(stopped_at=timezone.now(), stopped_by=operator)
    return operator


def opened(code, operator, *, granted=None, of=1_000, takes_part=True):
    """Return the key of a new institution with decisions in the months that count."""
    key = Institution.objects.create(code=code, name=f"Caisse de {code}").pk
    with tenant_scope(key):
        add_totals(month=months_of(this_month())[1], granted=granted or GRANTED[code], of=of)
        if takes_part:
            BenchmarkParticipation.objects.create(reason="Se situer", started_by=operator)
    return key


def published(figure=BenchmarkFigure.ACCEPTANCE, credit_type="*"):
    row = BenchmarkQuartiles.objects.filter(figure=figure, credit_type=credit_type).first()
    return row and (row.low, row.median, row.high, row.institutions_at_least)


# --- k institutions -------------------------------------------------------------------------------


def test_four_institutions_publish_nothing(alone):
    for code in CODES[:4]:
        opened(code, alone)

    compute_benchmarks()

    assert BenchmarkQuartiles.objects.count() == 0


def test_the_quartiles_of_five_are_those_of_numpy(alone):
    for code in CODES[:5]:
        opened(code, alone)

    compute_benchmarks()

    plain = np.percentile([GRANTED[code] / 1_000 for code in CODES[:5]], [25, 50, 75])
    assert published() == (*np.round(np.round(plain * 200) / 200, 6), 5)
    assert published() == (0.55, 0.615, 0.705, 5)
    assert published(BenchmarkFigure.MEAN_AMOUNT) == (500_000, 500_000, 500_000, 5)


def test_the_count_of_institutions_is_a_round_number(alone):
    for code in CODES:
        opened(code, alone)

    compute_benchmarks()

    assert published()[3] == 5


def test_who_did_not_join_is_not_counted(alone):
    for code in CODES[:5]:
        opened(code, alone, takes_part=code != "kribi")

    compute_benchmarks()

    assert BenchmarkQuartiles.objects.count() == 0


def test_fictional_institutions_are_not_mixed_with_others(alone, settings):
    for code in CODES[:5]:
        opened(code, alone)
    Institution.objects.filter(code="kribi").update(is_demo=True)
    settings.DEMO_MODE = False

    compute_benchmarks()

    assert BenchmarkQuartiles.objects.count() == 0


def test_a_figure_over_few_files_takes_no_part(alone):
    for code in CODES[:5]:
        key = opened(code, alone)
        with tenant_scope(key):
            decided = 29 if code == "edea" else 30
            add_totals(month=months_of(this_month())[0], granted=10, of=decided, credit_type="agricole")

    compute_benchmarks()

    assert published() is not None
    assert published(credit_type="agricole") is None
    with tenant_scope(Institution.objects.get(code="edea").pk):
        assert not BenchmarkContribution.objects.filter(credit_type="agricole").exists()


def test_a_type_of_credit_of_ones_own_is_not_compared(alone):
    for code in CODES[:5]:
        with tenant_scope(opened(code, alone)):
            add_totals(month=months_of(this_month())[0], granted=10, credit_type="tontine_de_kribi")

    compute_benchmarks()

    assert set(BenchmarkQuartiles.objects.values_list("credit_type", flat=True)) == {"*"}


def test_the_database_takes_no_cell_behind_which_fewer_stand(alone):
    with pytest.raises(IntegrityError), transaction.atomic():
        BenchmarkQuartiles.objects.create(
            month=this_month(), credit_type="*", figure="acceptance", low=0, median=0, high=0,
            institutions_at_least=4,
        )  # fmt: skip


# --- frozen for the month -------------------------------------------------------------------------


def test_a_month_is_published_once(alone):
    for code in CODES[:5]:
        opened(code, alone)
    compute_benchmarks()
    before = published()

    opened("tiko", alone)
    compute_benchmarks()

    assert published() == before


def test_who_leaves_takes_its_figures_along_and_the_next_month_is_without_it(alone, monkeypatch):
    keys = {code: opened(code, alone) for code in CODES}
    compute_benchmarks()
    before = published()
    with tenant_scope(keys["tiko"]):
        BenchmarkParticipation.objects.update(stopped_at=timezone.now(), stopped_by=alone)
        BenchmarkContribution.objects.all().delete()
    compute_benchmarks()
    assert published() == before

    later = (this_month() + dt.timedelta(days=32)).replace(day=1)
    monkeypatch.setattr(tasks.timezone, "localdate", lambda: later)
    compute_benchmarks()

    rows = BenchmarkQuartiles.objects.filter(month=later, figure="acceptance")
    assert [(row.low, row.median, row.high) for row in rows] == [(0.55, 0.615, 0.705)]
    with tenant_scope(keys["tiko"]):
        assert BenchmarkContribution.objects.count() == 0


def test_a_publication_can_be_neither_changed_nor_removed(alone):
    for code in CODES[:5]:
        opened(code, alone)
    compute_benchmarks()

    for change in (lambda rows: rows.update(median=0.5), lambda rows: rows.delete()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change(BenchmarkQuartiles.objects.all())


def test_nothing_is_published_while_an_institution_cannot_be_asked(alone, monkeypatch):
    from django.db import DatabaseError

    for code in CODES:
        opened(code, alone)
    broken = Institution.objects.get(code="tiko").pk
    contribute = tasks.contribute

    def failing(*, month, by):
        if by.institution_id == broken:
            raise DatabaseError("lost")
        return contribute(month=month, by=by)

    monkeypatch.setattr(tasks, "contribute", failing)
    compute_benchmarks()
    assert BenchmarkQuartiles.objects.count() == 0

    monkeypatch.setattr(tasks, "contribute", contribute)
    compute_benchmarks()
    assert published() is not None


def test_an_institution_gives_once_a_month_and_its_trail_says_so(alone):
    key = opened("kribi", alone)

    compute_benchmarks()
    compute_benchmarks()

    with tenant_scope(key):
        [entry] = AuditEntry.objects.filter(action="benchmark.give")
        assert entry.after == {"month": f"{this_month():%Y-%m}", "figures": 2}


# --- what is given --------------------------------------------------------------------------------


def test_figures_are_those_of_their_months(alone):
    month = this_month()
    (first, last), (oldest, latest) = months_of(month), months_of_outcomes(month)
    key = Institution.objects.create(code="kribi", name="Kribi").pk
    with tenant_scope(key):
        add_totals(month=month, granted=1)
        add_totals(
            month=last, granted=60, of=100, decided=50, advised=40, overrides_severe=1, overrides_favourable=3
        )
        add_totals(month=first, granted=20, of=100, timed=50, delay_seconds=50 * 3 * 86_400, matured=40)
        add_totals(month=latest, of=0, matured=50, defaults=4)
        add_totals(month=oldest, of=0, matured=30, defaults=4)
        add_scores(month=last, scores=40, pd=0.11)
        add_scores(month=month, scores=40, pd=0.5)

        found = {figure: (given.value, given.base) for (_type, figure), given in figures_for(month).items()}

    assert (last - first).days in {334, 335}
    assert found == {
        "acceptance": (0.4, 200),
        "mean_pd": (pytest.approx(0.11), 40),
        "observed_default": (0.1, 80),
        "overrides": (0.1, 40),
        "mean_amount": (500_000, 200),
        "mean_delay": (3, 50),
    }


@pytest.mark.parametrize(
    ("numbers", "step"), [([1, 2, 3, 4, 5], 1), ([0.1234, 0.2, 0.31, 0.44, 0.5, 0.61], 0.005)]
)
def test_published_figures_are_rounded(numbers, step):
    found = quartiles(numbers, step)

    for each, plain in zip(found, np.percentile(numbers, [25, 50, 75]), strict=True):
        assert abs(each - plain) <= step / 2 + 1e-9
        assert each == pytest.approx(round(each / step) * step)


# --- joining and leaving --------------------------------------------------------------------------


def test_joining_takes_a_reason_and_leaving_removes_what_was_given(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        assert BenchmarkContribution.objects.count() > 0
        leave_benchmarks(by=by)
        assert BenchmarkContribution.objects.count() == 0
        with pytest.raises(ObjectNotFound):
            leave_benchmarks(by=by)
        with pytest.raises(InvalidValues):
            join_benchmarks(reason="  ", by=by)
        with pytest.raises(InvalidValues):
            join_benchmarks(reason="une\nautre", by=by)
        row = join_benchmarks(reason=" Nous situer ", by=world.actor(world.administrator))
        assert row.reason == "Nous situer"
        with pytest.raises(AlreadyTakesPart):
            join_benchmarks(reason="Encore", by=by)
        actions = AuditEntry.objects.filter(action__startswith="benchmark.").order_by("-pk")[:2]
        assert [entry.action for entry in actions] == ["benchmark.join", "benchmark.leave"]


@pytest.mark.parametrize("name", ["analyst", "agent", "auditor"])
def test_others_neither_join_nor_leave(world, name):
    by = world.actor(getattr(world, name))
    with world.scope():
        with pytest.raises(NotAllowed):
            leave_benchmarks(by=by)
        with pytest.raises(NotAllowed):
            join_benchmarks(reason="Nous situer", by=by)


# --- the page -------------------------------------------------------------------------------------


def shown(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def six(world, operator):
    """Let horizon and five more institutions give; none of those gives a number of horizon's."""
    with world.scope("ngwa"):
        BenchmarkParticipation.objects.update(stopped_at=timezone.now(), stopped_by=operator)
    for code in CODES[:5]:
        opened(code, operator)
    with world.scope():
        FileTotal.objects.all().delete()
        add_totals(month=months_of(this_month())[0], granted=3_579, of=10_000)
    compute_benchmarks()
    return world


def test_the_page_shows_ones_own_figure_beside_the_quartiles(six, page):
    text = shown(page(six.risk_manager).get(URL))

    numbers = np.percentile([0.3579, *(GRANTED[code] / 1_000 for code in CODES[:5])], [25, 50, 75])
    rounded = [f"{round(each * 200) / 2:.1f}".replace(".", ",") for each in numbers]
    assert "35,79 %" in text
    assert all(f"{each} %" in text for each in rounded)
    assert gettext("Lowest quarter") in text


def test_nothing_of_another_institution_is_on_the_page_nor_in_the_file(six, page):
    manager = page(six.risk_manager)
    texts = [manager.get(URL).content.decode(), manager.get(f"{URL}.csv").content.decode("utf-8-sig")]

    for text in texts:
        for code in CODES:
            exact = GRANTED[code] / 10
            assert code not in text
            assert not re.search(rf"\b{exact:.1f}0?\b".replace(r"\.", "[.,]").replace(".", "[.,]"), text)
            assert f"0,{GRANTED[code]}" not in text


def test_who_takes_no_part_sees_the_invitation_only(six, page):
    manager = page(six.risk_manager)

    answer = manager.post(f"{URL}/quitter", follow=True)

    text = shown(answer)
    assert gettext("Confirm: take part") in text
    assert "<table" not in text
    assert "35,79" not in text
    assert manager.get(f"{URL}.csv").status_code == 302
    again = manager.post(f"{URL}/participer", {"reason": ""})
    assert again.status_code == 422
    joined = manager.post(f"{URL}/participer", {"reason": "Nous situer"}, follow=True)
    assert "Nous situer" in shown(joined)


def test_only_who_sees_the_whole_institution_reads_benchmarks(world, page):
    for name in ("analyst", "agent"):
        assert page(getattr(world, name)).get(URL).status_code == 404
    for name in ("auditor", "administrator", "risk_manager"):
        assert page(getattr(world, name)).get(URL).status_code == 200
    assert page(world.auditor).post(f"{URL}/quitter").status_code == 404


def test_the_file_holds_every_cell_and_the_trail_says_who_took_it(six, page):
    content = page(six.auditor).get(f"{URL}.csv").content.decode("utf-8-sig")

    header, *rows = content.strip().splitlines()
    assert len(header.split(";")) == 8
    assert len(rows) >= 2
    with six.scope():
        assert AuditEntry.objects.filter(action="benchmark.export").count() == 1
