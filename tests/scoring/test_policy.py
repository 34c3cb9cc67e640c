"""Policies are dated, versioned and checked; scores keep the one they used."""

import datetime as dt
from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, transaction
from django.utils import timezone

from apps.engine.contracts import PolicyFigures
from apps.engine.policy import default_rules
from apps.scoring.errors import NoPolicy
from apps.scoring.models import Prediction, ScoringPolicy
from apps.scoring.queries.policies import policy_on
from apps.scoring.validators import figures_from_json, figures_to_json
from tests.predict import BODY
from tests.scoring.proposing import put_in_force

pytestmark = pytest.mark.django_db
FIGURES = PolicyFigures(thresholds={"scolaire": 0.08}, rules=default_rules())


def test_figures_survive_the_store():
    assert figures_from_json(figures_to_json(FIGURES)) == FIGURES


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"default_threshold": 0}, "default_threshold"),
        ({"lgd": 1.2}, "lgd"),
        ({"grade_limits": [0.05, 0.02, 0.1, 0.2]}, "grade_limits"),
        ({"thresholds": {"scolaire": -1}}, "thresholds.scolaire"),
        ({"rules": [{"code": "age_fin", "severity": "grave"}]}, "rules"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_impossible_figures_are_named(change, field):
    with pytest.raises(ValidationError) as refusal:
        figures_from_json({**figures_to_json(FIGURES), **change})

    assert list(refusal.value.message_dict) == [field]


def test_the_policy_of_a_date_is_the_one_in_force(world):
    with world.scope():
        first = policy_on()
        tomorrow = timezone.localdate() + dt.timedelta(days=1)
        later = put_in_force(world, FIGURES, day=tomorrow)

        assert policy_on() == first
        assert policy_on(tomorrow) == later
        assert later.version == first.version + 1
        with pytest.raises(NoPolicy):
            policy_on(dt.date(1999, 1, 1))


def test_a_new_policy_gives_a_new_score_and_the_old_one_stays(world, api):
    client = api(world.analyst)
    first = client.post("/api/v1/predict", BODY, content_type="application/json").json()
    with world.scope():
        figures = replace(FIGURES, default_threshold=first["probabilite_defaut"] / 2)
        put_in_force(world, figures)

    second = client.post("/api/v1/predict", BODY, content_type="application/json").json()
    replay = client.post(f"/api/v1/predictions/{first['id']}/replay").json()

    assert (first["prediction"], second["prediction"]) == (0, 1)
    assert first["probabilite_defaut"] == second["probabilite_defaut"]
    assert replay["identique"] is True


@pytest.mark.parametrize("model", [Prediction, ScoringPolicy])
def test_a_stored_row_cannot_be_changed_or_removed(world, model):
    with world.scope():
        row = model.objects.first()
        for change in (row.save, lambda: model.objects.filter(pk=row.pk)._raw_delete("default")):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                change()
