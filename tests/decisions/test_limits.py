"""Limits and motives, written by the administrator; rates of overrides; past decisions in bulk."""

import datetime as dt
import time

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.credits.models import CreditApplication
from apps.decisions.errors import MotiveExists
from apps.decisions.models import Decision, DecisionLimit, DecisionMotive
from apps.decisions.queries.limits import limit_of, limits_on, motives_of
from apps.decisions.queries.rates import outcomes_of_overrides, override_rates
from apps.decisions.services.limits import add_motive, set_limit, switch_motive
from apps.decisions.services.seeding import PastDecision, insert_past_decisions
from apps.scoring.models import Prediction
from apps.tenancy.errors import InvalidValues, NotAllowed
from tests.decisions.filing import past

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(world):
    return world.actor(world.administrator)


def today():
    return timezone.localdate()


def test_a_limit_counts_from_its_day(world, administrator):
    with world.scope():
        before = limit_of("analyste")
        set_limit(
            role="analyste", amount_xaf=900_000, starts_on=today() + dt.timedelta(days=2), by=administrator
        )
        assert limit_of("analyste") == before
        assert limit_of("analyste", on=today() + dt.timedelta(days=2)) == 900_000
        set_limit(role="analyste", amount_xaf=800_000, starts_on=today(), by=administrator)
        assert limit_of("analyste") == limits_on(today())["analyste"].amount_xaf == 800_000


def test_the_first_limit_brings_the_standard_motives(world, administrator):
    with world.scope():
        used = [row.pk for row in DecisionMotive.objects.all()]
        assert used
        assert [each.code for each in motives_of("ajourne")] == ["complement_attendu", "visite_a_faire"]


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"role": "auditeur"}, "role"),
        ({"amount_xaf": -1}, "amount_xaf"),
        ({"starts_on": dt.date(2020, 1, 1)}, "starts_on"),
    ],
)
def test_a_limit_is_checked(world, administrator, wishes, field):
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        set_limit(**{"role": "analyste", "amount_xaf": 1, "starts_on": today(), **wishes}, by=administrator)
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("local_part", ["risques", "auditeur", "analyste", "comite"])
def test_only_the_administrator_writes(world, local_part):
    by = world.actor(f"{local_part}@horizon.demo")
    with world.scope():
        motive = motives_of("refuse")[0]
        with pytest.raises(NotAllowed):
            set_limit(role="analyste", amount_xaf=1, starts_on=today(), by=by)
        with pytest.raises(NotAllowed):
            add_motive(kind="refuse", label_fr="Autre motif", label_en="", by=by)
        with pytest.raises(NotAllowed):
            switch_motive(motive=motive, in_use=False, by=by)


def test_a_motive_is_added_once_retired_and_offered_again(world, administrator):
    with world.scope():
        motive = add_motive(kind="refuse", label_fr="Activité trop récente", label_en="", by=administrator)
        assert (motive.code, motive.label_en) == ("activite_trop_recente", "Activité trop récente")
        with pytest.raises(MotiveExists):
            add_motive(kind="refuse", label_fr="Activité trop récente", label_en="x", by=administrator)

        switch_motive(motive=motive, in_use=False, by=administrator)
        assert motive not in motives_of("refuse")
        switch_motive(motive=motive, in_use=True, by=administrator)
        assert motive in motives_of("refuse")


@pytest.mark.parametrize(
    ("label", "field"), [("", "label_fr"), ("a\nb", "label_fr"), ("x" * 121, "label_fr")]
)
def test_a_motive_is_one_line_of_words(world, administrator, label, field):
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        add_motive(kind="refuse", label_fr=label, label_en="ok", by=administrator)
    assert field in refusal.value.fields


def test_rates_count_who_asked_in_both_directions_with_an_interval(world):
    since, until = timezone.now() - dt.timedelta(days=20), timezone.now() - dt.timedelta(days=5)
    with world.scope():
        assert past(world, 30, overrides=6) == 30
        by_analyst = {rate.label: rate for rate in override_rates("analyst", since=since, until=until)}
        agencies = override_rates("agency", since=since, until=until)

        asker, decider = world.user(world.analyst), world.user(world.risk_manager)
        assert by_analyst[asker.full_name].decisions == by_analyst[asker.full_name].stricter == 6
        assert by_analyst[decider.full_name].decisions == 24
        assert by_analyst[decider.full_name].overrides == 0
        assert not by_analyst[asker.full_name].is_alarming  # fewer than twenty decisions say nothing
        assert sum(rate.decisions for rate in agencies) == 30
        assert all(rate.low <= rate.share <= rate.high for rate in agencies)
        assert outcomes_of_overrides(since=since, until=until)[0].known == 0


def test_thousands_of_past_decisions_are_inserted_quickly(world):
    with world.scope():
        started = time.monotonic()
        inserted = past(world, 1_500, overrides=90)
        assert inserted == 1_500
        assert time.monotonic() - started < 20
        assert Decision.objects.filter(is_override=True, override_direction="plus_severe").count() >= 90


def test_the_database_refuses_a_past_decision_of_the_author(world):
    with world.scope():
        decider = world.user(world.risk_manager).pk
        row = CreditApplication.objects.filter(decisions=None).first()
        row.author_id = decider
        score = Prediction.objects.exclude(application=None).first()
        wrong = PastDecision(
            application=row,
            prediction=score,
            kind="ajourne",
            motive=motives_of("ajourne")[0],
            decided_by_id=decider,
            role="responsable_risques",
            limit_xaf=25_000_000,
            decided_at=timezone.now(),
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_past_decisions([wrong])
        assert DecisionLimit.objects.exists()
