"""A second opinion on a score: LIME beside the exact points."""

import pytest

from apps.audit.models import AuditEntry
from apps.scoring.models import Prediction
from apps.scoring.services.opinions import second_opinion

pytestmark = pytest.mark.django_db


@pytest.fixture
def prediction(world):
    with world.scope():
        return Prediction.objects.exclude(application=None).order_by("pk").first()


def test_the_same_score_gets_the_same_opinion(world, prediction):
    by = world.actor(world.risk_manager)
    with world.scope():
        first, again = (second_opinion(prediction=prediction, by=by) for _ in range(2))

    assert first == again
    exact = {line.name: line.exact for line in first.lines}
    stored = {each["variable"]: each["log_odds"] for each in prediction.contributions}
    assert exact == pytest.approx(stored)
    assert 0.3 < first.fit <= 1


def test_the_strongest_reasons_agree(world, prediction):
    with world.scope():
        opinion = second_opinion(prediction=prediction, by=world.actor(world.risk_manager))

    strongest = opinion.lines[:3]
    assert sum(line.exact * line.second > 0 for line in strongest) >= 2


def test_the_page_shows_both(page, world, prediction):
    answer = page(world.analyst).get(f"/scores/{prediction.uid}/second-avis")

    assert answer.status_code == 200
    assert "Second avis" in answer.content.decode()
    assert answer.content.decode().count("<tr>") == len(prediction.contributions) + 1
    with world.scope():
        told = AuditEntry.objects.filter(action="prediction.second_opinion", object_uid=prediction.uid)
        assert told.count() == 1


def test_who_does_not_replay_gets_none(page, world, prediction):
    assert page(world.agent).get(f"/scores/{prediction.uid}/second-avis").status_code == 403
