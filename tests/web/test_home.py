"""The first page: what waits for each role, figures with their change, nothing that the role may not read."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.credits.queries.activity import activity_in
from apps.credits.queries.inbox import waiting_for
from apps.decisions.models import OverrideRequest
from apps.decisions.queries.limits import limit_of
from apps.decisions.queries.waiting import count_to_decide
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import score_figures_in
from apps.web.home.presenters import month_so_far, same_days_before

pytestmark = pytest.mark.django_db
HOME = reverse("web:home")


def test_the_figures_equal_what_the_tables_hold(world):
    actor = world.actor(world.analyst)
    period = (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    with world.scope():
        rows = list(CreditApplication.objects.filter(applied_on__range=period))
        (found,) = activity_in(actor, period)
        assert rows
        assert (found.count, found.amount_xaf) == (len(rows), sum(row.montant_credit for row in rows))

        first = Prediction.objects.earliest("created_at").created_at
        after = first + dt.timedelta(days=1)
        scores = list(Prediction.objects.filter(created_at__gte=first, created_at__lt=after))
        (figures,) = score_figures_in(actor, (first, after))
        assert figures.count == len(scores)
        assert figures.favourable_share == sum(s.recommendation == "accorder" for s in scores) / len(scores)
        assert figures.mean_pd == pytest.approx(sum(s.pd for s in scores) / len(scores))


def test_an_agent_counts_the_own_agency_only(world):
    agent, analyst = world.actor(world.agent), world.actor(world.analyst)
    period = (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    with world.scope():
        own = CreditApplication.objects.filter(
            applied_on__range=period, agency_id__in=agent.agency_ids
        ).count()
        assert activity_in(agent, period)[0].count == own < activity_in(analyst, period)[0].count


def test_what_waits_is_counted_once(world):
    actor = world.actor(world.analyst)
    with world.scope():
        submitted = CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED)
        others = submitted.exclude(author_id=actor.id).filter(montant_credit__lte=limit_of(actor.role))
        pending = OverrideRequest.objects.filter(status="en_attente").count()
        returned = CreditApplication.objects.filter(status=ApplicationStatus.INCOMPLETE, author_id=actor.id)
        assert waiting_for(actor).returned == returned.count()
        counts = count_to_decide(actor)
        assert (counts.files, counts.overrides, pending) == (others.count() - pending, 0, 1)
        assert count_to_decide(world.actor(world.risk_manager)).overrides == pending
        assert returned.exists()


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (dt.date(2026, 3, 31), dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
        (dt.date(2026, 1, 1), dt.date(2025, 12, 1), dt.date(2025, 12, 1)),
        (dt.date(2026, 11, 21), dt.date(2026, 10, 1), dt.date(2026, 10, 21)),
    ],
)
def test_the_same_days_of_the_month_before(today, first, last):
    assert same_days_before(today) == (first, last)
    assert month_so_far(today) == (today.replace(day=1), today)


@pytest.mark.parametrize(
    ("who", "shown", "hidden"),
    [
        ("analyste", "Nouvelle demande", "Membres, agences"),
        ("admin", "Membres, agences", "Mes derniers scores"),
        ("auditeur", "intégrité", "Mes derniers scores"),
        ("commercial", "Demandes du mois par agence", "/demandes"),
        ("comite", "Ce mois-ci", "Membres, agences"),
    ],
)
def test_each_role_finds_its_own_start(world, page, who, shown, hidden):
    answer = page(f"{who}@horizon.demo").get(HOME)

    main = answer.content.decode().split("<main")[1]
    assert answer.status_code == 200
    assert shown in main
    assert hidden not in main


def test_a_task_leads_to_its_rows(world, page):
    client = page(world.analyst)
    (task,) = [each for each in client.get(HOME).context["tasks"] if each.tone == "info"]

    rows = client.get(task.url).context["awaiting"]

    assert rows
    assert {row.status for row in rows} == {"submitted"}
