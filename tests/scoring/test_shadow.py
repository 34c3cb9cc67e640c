"""Challengers: they score what production scored, afterwards, once, and nobody's advice changes."""

import datetime as dt

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import CreditApplication
from apps.registry.errors import ModelNotAllowed
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.registry.services.challengers import start_challenger, stop_challenger
from apps.registry.services.importing import import_scorecard
from apps.scoring.models import Prediction, ShadowScore
from apps.scoring.queries.shadows import shadow_of
from apps.scoring.services.scores import score_application, score_values
from apps.scoring.services.shadow import shadow_next
from apps.scoring.tasks import score_in_the_shadow
from apps.tenancy.errors import NotAllowed
from tests.predict import BODY
from tests.registry.grids import changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def horizon(world):
    with world.scope():
        yield world


@pytest.fixture
def risks(horizon):
    return horizon.actor(horizon.risk_manager)


def scored(values, *, by):
    prediction, _created = score_values(raw=values, by=by)
    return prediction


def grid(by, version="1"):
    return import_scorecard(
        document=changed(version=version, declared_default_rate=0.05 + int(version) / 100), by=by
    )


@pytest.fixture
def challenger(risks):
    return start_challenger(version=grid(risks), by=risks)


def test_a_challenger_scores_what_was_scored_once_with_its_own_probability(challenger, risks):
    given = [scored({**BODY, "age": age}, by=risks) for age in (25, 40, 60)]
    there = Prediction.objects.count()

    first, second = (shadow_next(version=challenger, size=1_000) for _ in range(2))

    assert (first, second) == (there, 0)
    scorer = load_scorer(challenger)
    for prediction in given:
        shadow = ShadowScore.objects.get(prediction=prediction)
        columns = {name: [prediction.inputs.get(name)] for name in scorer.variables}
        assert shadow.pd == scorer.score_columns(columns, 1).pd[0]
        assert shadow.pd != prediction.pd
        assert shadow.scored_at == prediction.created_at
        assert prediction.model_version == champion_for()


def test_it_goes_on_where_it_stopped_and_takes_what_came_meanwhile(challenger, risks):
    scored(BODY, by=risks)
    while shadow_next(version=challenger, size=2):
        pass
    late = scored({**BODY, "age": 51}, by=risks)

    assert shadow_next(version=challenger, size=100) == 1
    assert ShadowScore.objects.filter(prediction=late).count() == 1
    assert ShadowScore.objects.count() == Prediction.objects.count()


def test_scores_older_than_ninety_days_are_left_alone(challenger, risks):
    old = scored(BODY, by=risks)
    moment = timezone.now() - dt.timedelta(days=91)
    Prediction.objects.bulk_create([copy_of(old, created_at=moment)])

    shadow_next(version=challenger, size=1_000)

    assert not ShadowScore.objects.filter(prediction__created_at=moment).exists()


def copy_of(prediction, **changes):
    fields = {
        field.attname: getattr(prediction, field.attname)
        for field in Prediction._meta.concrete_fields
        if field.name not in {"id", "uid"}
    }
    return Prediction(**{**fields, **changes})


def test_a_challenger_of_one_credit_type_scores_that_type_only(risks):
    version = start_challenger(
        version=import_scorecard(document=changed(), by=risks, segment="agricole"), by=risks
    )
    farm = scored({**BODY, "type_credit": "agricole"}, by=risks)
    scored(BODY, by=risks)

    shadow_next(version=version, size=1_000)

    types = set(ShadowScore.objects.values_list("prediction__inputs__type_credit", flat=True))
    assert types == {"agricole"}
    assert ShadowScore.objects.filter(prediction=farm).exists()


def test_the_comparison_counts_what_would_change_band(challenger, risks):
    assert shadow_of(challenger) is None
    for age in (25, 40, 60):
        scored({**BODY, "age": age}, by=risks)
    shadow_next(version=challenger, size=1_000)

    found = shadow_of(challenger)

    rows = list(ShadowScore.objects.select_related("prediction"))
    bands = ("faible", "modere", "eleve")

    def band(pd, threshold):
        return 2 if pd >= threshold else 1 if pd >= threshold / 2 else 0

    expected = [[0] * 3 for _ in bands]
    for row in rows:
        expected[bands.index(row.prediction.band)][band(row.pd, row.prediction.threshold)] += 1
    assert [list(row) for row in found.moves] == expected
    assert found.scores == len(rows)
    assert found.mean_pd == pytest.approx(sum(row.pd for row in rows) / len(rows))
    assert found.mean_pd_production == pytest.approx(sum(row.prediction.pd for row in rows) / len(rows))


def test_matured_credits_tell_which_orders_the_risk_better(challenger, risks):
    matured = CreditApplication.objects.select_related("client").matured()
    chosen = [*matured.filter(outcome="default")[:15], *matured.filter(outcome="good")[:40]]
    for application in chosen:
        score_application(application=application, by=risks)
    shadow_next(version=challenger, size=10_000)

    found = shadow_of(challenger)

    rows = [
        (row.pd, row.prediction.pd, row.prediction.application.outcome == "default")
        for row in ShadowScore.objects.select_related("prediction__application")
        if row.prediction.application and row.prediction.application.outcome
    ]
    defaults = [row for row in rows if row[2]]
    others = [row for row in rows if not row[2]]

    def order(place):
        pairs = [
            (bad[place] > good[place]) + 0.5 * (bad[place] == good[place])
            for bad in defaults
            for good in others
        ]
        return sum(pairs) / len(pairs)

    assert (found.matured, found.defaults) == (len(rows), len(defaults))
    assert found.auc.auc == pytest.approx(order(0))
    assert found.auc_production.auc == pytest.approx(order(1))
    assert 0 < found.auc.auc - found.auc.low < 0.3


def test_only_the_risk_manager_starts_and_stops_one(horizon, risks):
    version = grid(risks)
    analyst = horizon.actor(horizon.analyst)
    with pytest.raises(NotAllowed):
        start_challenger(version=version, by=analyst)

    start_challenger(version=version, by=risks)
    start_challenger(version=version, by=risks)
    with pytest.raises(NotAllowed):
        stop_challenger(version=version, by=analyst)
    stop_challenger(version=version, by=risks)

    version.refresh_from_db()
    assert version.status == "candidate"
    told = AuditEntry.objects.filter(action__in=["model.challenge", "model.unchallenge"])
    assert sorted(told.values_list("action", flat=True)) == ["model.challenge", "model.unchallenge"]


def test_production_is_no_challenger_and_three_are_enough(horizon, risks):
    with pytest.raises(ModelNotAllowed):
        start_challenger(version=champion_for(), by=risks)
    for number in "123":
        start_challenger(version=grid(risks, number), by=risks)
    with pytest.raises(ModelNotAllowed):
        start_challenger(version=grid(risks, "4"), by=risks)


def test_what_a_challenger_said_stays_as_it_was(challenger, risks):
    scored(BODY, by=risks)
    shadow_next(version=challenger, size=10_000)

    for change in (lambda rows: rows.update(pd=0.5), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(ShadowScore.objects.all())


@pytest.mark.django_db(transaction=True)
def test_the_task_serves_every_institution_and_a_broken_model_stops_nobody(world):
    with world.scope():
        risks = world.actor(world.risk_manager)
        broken, sound = (start_challenger(version=grid(risks, number), by=risks) for number in "12")
        scored(BODY, by=risks)
    with world.scope("ngwa"):
        other = world.actor("risques@ngwa.demo")
        theirs = start_challenger(version=grid(other), by=other)
        scored(BODY, by=other)
    with world.scope():
        ModelVersion.objects.filter(pk=broken.pk).update(sha256="0" * 64)

    score_in_the_shadow()

    with world.scope():
        assert not ShadowScore.objects.filter(model_version=broken).exists()
        assert ShadowScore.objects.filter(model_version=sound).count() == Prediction.objects.count()
    with world.scope("ngwa"):
        assert ShadowScore.objects.filter(model_version=theirs).count() == Prediction.objects.count()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_two_runs_at_once_score_nothing_twice(world):
    with world.scope():
        risks = world.actor(world.risk_manager)
        version = start_challenger(version=grid(risks), by=risks)
        scored(BODY, by=risks)
    key = f"{world.institution_id('horizon')}:scoring.shadow"
    other = connections["owner"]
    with transaction.atomic(using="owner"), other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        with world.scope():
            assert shadow_next(version=version, size=100) == 0
    with world.scope():
        assert shadow_next(version=version, size=100) == Prediction.objects.count()
