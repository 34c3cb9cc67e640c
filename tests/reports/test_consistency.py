"""Overrides and like files decided differently, as SQL counts them."""

import datetime as dt

import pytest
from django.utils import timezone

from apps.decisions.models import Decision
from apps.decisions.services.deciding import decide
from apps.decisions.services.overrides import confirm_override
from apps.reports.queries.consistency import consistency
from apps.reports.services.making import wish_for
from tests.decisions.filing import against, choice, sent_file

pytestmark = pytest.mark.django_db


def wish(by, **more):
    today = timezone.localdate()
    days = {"starts_on": today - dt.timedelta(days=1), "ends_on": today}
    return wish_for(kind="coherence", by=by, language="fr", **{**days, **more})


def test_overrides_and_shares_are_those_of_sql(world):
    analyst, risk = world.actor(world.analyst), world.actor(world.risk_manager)
    with world.scope():
        asked = decide(application=sent_file(world, advice="accorder"), choice=against("refuse"), by=analyst)
        confirm_override(request=asked, by=risk)
        decide(application=sent_file(world, advice="accorder"), choice=choice("accorde"), by=analyst)
        document = consistency(wish(risk))
        rows = Decision.objects.filter(is_retrospective=False)
        firm = rows.filter(recommendation__in=["accorder", "refuser"]).count()
        against_it = rows.filter(is_override=True).count()
    facts = [fact.value for fact in document.facts]

    assert facts[0] == rows_count(world)
    assert (facts[1], facts[2]) == (firm, against_it)
    assert against_it >= 1
    assert facts[3] == pytest.approx(against_it / firm)
    by_analyst, by_agency, overrides = document.tables[:3]
    assert sum(row[1] for row in by_analyst.rows) == sum(row[1] for row in by_agency.rows) == firm
    assert sum(row[3] for row in by_analyst.rows) == against_it == len(overrides.rows)


def rows_count(world):
    with world.scope():
        return Decision.objects.filter(is_retrospective=False).count()


def test_two_like_files_decided_differently_are_a_pair_and_unlike_ones_are_not(world):
    analyst, risk = world.actor(world.analyst), world.actor(world.risk_manager)
    with world.scope():
        granted = decide(application=sent_file(world, advice="etudier"), choice=choice("accorde"), by=analyst)
        before = pairs_in(wish(risk))
        Decision.objects.bulk_create([like(granted, number=90, pd=granted.pd + 0.005)])
        near = pairs_in(wish(risk))
        Decision.objects.bulk_create([like(granted, number=91, pd=granted.pd + 0.02)])
        far = pairs_in(wish(risk))

    assert len(near) == len(before) + 1
    assert far == near
    (pair,) = [row for row in near if row not in before]
    assert pair[7] - pair[4] == pytest.approx(0.005)


def pairs_in(asked):
    """Return the pairs that the report lists, and hold it to its own count of them."""
    document = consistency(asked)
    rows = document.tables[3].rows
    assert document.facts[4].value == len(rows)
    return rows


def like(decision, *, number, pd):
    """Return a refusal of the same file and score, at another probability."""
    fields = {
        field.attname: getattr(decision, field.attname)
        for field in Decision._meta.concrete_fields
        if field.name not in {"id", "uid", "motive"}
    }
    return Decision(**{**fields, "kind": "refuse", "number": number, "pd": pd})


def test_an_agencys_report_holds_its_decisions_only(world):
    risk = world.actor(world.risk_manager)
    with world.scope():
        decision = Decision.objects.filter(is_retrospective=False).select_related("agency").first()
        document = consistency(wish(risk, agency_uid=decision.agency.uid))
        count = Decision.objects.filter(is_retrospective=False, agency=decision.agency).count()

    assert document.facts[0].value == count
    assert {row[0] for row in document.tables[1].rows} <= {decision.agency.name}
    assert sum(row[1] for row in document.tables[0].rows) == sum(row[1] for row in document.tables[1].rows)
