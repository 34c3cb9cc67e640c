"""The past and the story of the demonstration, at a third institution made for it."""

import dataclasses
import datetime as dt
import random

import pytest
from django.utils import timezone

from apps.credits.enums import Outcome
from apps.credits.models import Client, CreditApplication
from apps.decisions.models import Decision
from apps.demo import cast
from apps.demo.seeding import people
from apps.demo.seeding.deciding import seed_deciding
from apps.demo.seeding.history import seed_history
from apps.demo.seeding.past import MONTHS, OVERRIDES, chosen_overrides, seed_past
from apps.demo.seeding.people import seed_institution, seed_operator
from apps.demo.seeding.scores import seed_policy, seed_scores
from apps.demo.seeding.story import OPEN, VISIT, seed_story
from apps.engine.ledger import add_months
from apps.institutions.queries import setting_on
from apps.registry.models import Championship, ModelVersion, PlatformModel
from apps.scoring.models import Prediction
from apps.tenancy.context import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(world, monkeypatch):
    demo = dataclasses.replace(cast.INSTITUTIONS[0], code="essai", name="Essai", rows=2_400, seed=5)
    names = {"essai": cast.AGENCY_ANALYSTS["horizon"]}
    monkeypatch.setattr(people, "AGENCY_ANALYSTS", names)
    monkeypatch.setattr(
        people,
        "PEOPLE",
        tuple((local, role, {"essai": full["horizon"]}) for local, role, full in cast.PEOPLE),
    )
    today = timezone.localdate()
    institution = seed_institution(demo, operator=seed_operator())
    seed_history(demo, institution, rows=demo.rows, as_of=today)
    seed_policy(institution)
    seed_deciding(institution)
    decisions = seed_past(demo, institution, on=today)
    seed_scores(institution, model=PlatformModel.objects.get())
    seed_story(demo, institution)
    with tenant_scope(institution.pk):
        yield demo, institution, decisions


def case(number, **values):
    application = CreditApplication(institution_id=1, id=number, **values)
    return application, Prediction(institution_id=1, id=number)


@pytest.mark.parametrize("seed", range(20))
def test_an_override_that_went_wrong_is_always_among_those_drawn(seed):
    running = [case(number) for number in range(200)]
    wrong = case(900, outcome=Outcome.DEFAULT)
    draw = random.Random(seed)  # noqa: S311  fictional data

    chosen = chosen_overrides([*running, wrong], 40, draw)

    assert (len(chosen), len({each.id for each, _ in chosen})) == (40, 40)
    assert wrong in chosen
    assert len(chosen_overrides(running, 40, draw)) == 40
    assert chosen_overrides([wrong], 0, draw) == []


def test_the_past_and_the_story(told):
    demo, institution, before = told
    past = Decision.objects.filter(pk__in=Decision.objects.order_by("pk")[:before].values("pk"))
    advised = past.filter(is_retrospective=False)
    today = timezone.localdate()

    assert advised.filter(is_override=True).count() == pytest.approx(OVERRIDES * advised.count(), abs=1)
    assert advised.order_by("decided_at")[0].decided_at.date() >= add_months(today, -MONTHS)
    assert past.filter(is_retrospective=True).exists()
    for decision in past.filter(is_retrospective=True).select_related("prediction")[:20]:
        assert decision.prediction.created_at > decision.decided_at  # nobody saw that advice
    for decision in advised.select_related("prediction")[:50]:
        assert decision.prediction.created_at < decision.decided_at
    grid, model = Championship.objects.order_by("started_at")
    assert (grid.model_version.name, grid.model_version.status) == ("grille-experte", "retired")
    assert (model.follows, model.model_version.status) == (grid, "champion")
    assert ModelVersion.objects.get(status="challenger").name == "grille-experte"

    assert CreditApplication.objects.filter(status="submitted").count() == OPEN
    shown = setting_on(VISIT)
    scores = {
        name: Prediction.objects.get(uid=shown[name]) for name in ("approval", "unfavourable", "too_large")
    }
    assert scores["approval"].recommendation == "accorder"
    assert scores["unfavourable"].recommendation == "refuser"
    assert scores["too_large"].max_amount_xaf < scores["too_large"].inputs["montant_credit"]
    wrong = CreditApplication.objects.get(uid=shown["override"])
    assert (wrong.outcome, wrong.decisions.get().is_override) == ("default", True)
    assert Client.objects.filter(consent_withdrawn_on=today).count() == 1
    expired = Prediction.objects.select_related("client").get(uid=shown["expired_consent"])
    assert "consentement_expire" in expired.warnings
    assert expired.client.consent_at == add_months(today, -61)
    assert expired.facts["consent_expired_on"] == add_months(expired.client.consent_at, 60).isoformat()

    rows = Decision.objects.count(), Prediction.objects.count(), Client.objects.count()
    assert seed_past(demo, institution, on=today) == rows[0]
    seed_story(demo, institution)
    assert (Decision.objects.count(), Prediction.objects.count(), Client.objects.count()) == rows


def test_nothing_is_written_under_a_model_in_production(world):
    with world.scope():
        before = Decision.objects.count()
    demo = cast.INSTITUTIONS[0]
    institution = people.Institution.objects.get(code=demo.code)

    assert seed_past(demo, institution, on=dt.date(2026, 11, 21)) == before
