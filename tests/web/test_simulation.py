"""« Simuler » from a file: terms tried, scenarios kept, values taken over, what would change the advice."""

import pytest
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.credits.services.applications import version_of
from apps.scoring.models import Prediction, Scenario
from apps.scoring.services.scores import score_application
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def path(name, target):
    return reverse(f"web:{name}", args=[target.uid])


@pytest.fixture
def draft(world):
    """Return a draft whose score is unfavourable for its amount alone."""
    with world.scope():
        rows = CreditApplication.objects.select_related("client", "agency").filter(revenu_mensuel__gt=80_000)
        chosen = rows.exclude(type_credit="habitat").order_by("pk")[0]
        chosen.status, chosen.montant_credit, chosen.duree_mois = ApplicationStatus.DRAFT, 2_500_000, 12
        chosen.taux_endettement = chosen.ratio_dette_revenu = None
        chosen.save()
    return chosen


def terms(**changes):
    return {"montant": "2000000", "duree": "18", "taux": "22", "apport": "", **changes}


def test_without_terms_the_page_shows_the_file_as_it_is(world, page, draft):
    answer = page(world.analyst).get(path("simulation", draft))

    assert answer.status_code == 200
    assert answer.context["is_file"]
    with world.scope():
        score, _created = score_application(application=draft, by=world.actor(world.analyst))
        assert answer.context["score"].points == score.points
        assert answer.context["score"].max_amount_xaf == score.max_amount_xaf


def test_the_score_follows_the_terms_and_nothing_is_stored(world, page, draft):
    client = page(world.analyst)
    with world.scope():
        before = Prediction.objects.count()
    plain = client.get(path("simulation", draft)).context
    tried = client.get(path("simulation", draft), terms(montant="300 000")).context

    assert tried["score"].points > plain["score"].points
    assert tried["score"].amount_xaf == 300_000
    with world.scope():
        assert Prediction.objects.count() == before
        assert CreditApplication.objects.get(pk=draft.pk).montant_credit == 2_500_000


def test_the_contribution_is_taken_off_the_amount(world, page, draft):
    answer = page(world.analyst).get(path("simulation", draft), terms(montant="2 000 000", apport="500 000"))

    assert answer.context["score"].amount_xaf == 1_500_000


def test_htmx_gets_the_result_alone_and_its_address(world, page, draft):
    answer = page(world.analyst).get(path("simulation", draft), terms(), headers=HTMX)

    body = answer.content.decode()
    assert "<html" not in body
    assert 'id="result"' in body
    assert answer["HX-Push-Url"].endswith("taux=22&apport=")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"montant": "1.5"}, "montant"),
        ({"montant": "5000"}, "montant"),
        ({"duree": "0"}, "duree"),
        ({"duree": "500"}, "duree"),
        ({"taux": "beaucoup"}, "taux"),
        ({"apport": "2000000"}, "apport"),
    ],
)
def test_terms_that_cannot_be_are_said_beside_their_field(world, page, draft, changes, field):
    answer = page(world.analyst).get(path("simulation", draft), terms(**changes))

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_what_would_change_an_unfavourable_advice_is_proposed_and_can_be_tried(world, page, draft):
    client = page(world.analyst)
    answer = client.get(path("simulation", draft))

    assert answer.context["score"].recommendation == "refuser"
    changes = answer.context["changes"]
    assert changes.sets
    tried = [each for each in changes.sets if each.query]
    assert tried
    for each in tried:
        found = client.get(path("simulation", draft) + each.query).context["score"]
        assert (found.points, found.recommendation) == (each.points, each.recommendation)
        assert found.recommendation != "refuser"


def test_values_are_taken_over_into_a_draft(world, page, draft):
    sent = {**terms(apport="200000"), "version": version_of(draft)}

    answer = page(world.analyst).post(path("simulation_take_over", draft), sent)

    assert answer.url == reverse("web:application", args=[draft.uid])
    with world.scope():
        after = CreditApplication.objects.get(pk=draft.pk)
    assert (after.montant_credit, after.duree_mois, after.taux_interet) == (1_800_000, 18, 22.0)
    assert after.revenu_mensuel == draft.revenu_mensuel
    assert after.purpose == draft.purpose


def test_values_are_not_taken_over_what_somebody_else_saved(world, page, draft):
    answer = page(world.analyst).post(path("simulation_take_over", draft), {**terms(), "version": "old"})

    assert reverse("web:simulation", args=[draft.uid]) in answer.url
    with world.scope():
        assert CreditApplication.objects.get(pk=draft.pk).montant_credit == 2_500_000


def test_a_decided_file_is_simulated_but_neither_changed_nor_kept(world, page, draft):
    with world.scope():
        CreditApplication.objects.filter(pk=draft.pk).update(status=ApplicationStatus.DECLINED)
        draft.refresh_from_db()
    client = page(world.analyst)

    shown = client.get(path("simulation", draft), terms())
    client.post(path("scenario_keep", draft), terms())
    client.post(path("simulation_take_over", draft), {**terms(), "version": version_of(draft)})

    assert shown.status_code == 200
    assert path("scenario_keep", draft) not in shown.content.decode()
    with world.scope():
        assert not Scenario.objects.filter(application=draft).exists()
        assert CreditApplication.objects.get(pk=draft.pk).montant_credit == 2_500_000


def test_scenarios_stand_side_by_side_and_the_same_terms_once(world, page, draft):
    client = page(world.analyst)
    for amount in ("500000", "500000", "750000"):
        client.post(path("scenario_keep", draft), terms(montant=amount))

    table = client.get(path("simulation", draft)).context["scenarios"]
    assert len(table.columns) == 3
    amounts = next(row for row in table.rows if row.cells[1].text.startswith("500"))
    assert amounts.differs
    with world.scope():
        assert (
            AuditEntry.objects.filter(
                action="scenario.create",
                object_uid__in=Scenario.objects.filter(application=draft).values("uid"),
            ).count()
            == 2
        )
        kept = Scenario.objects.filter(application=draft).order_by("pk")[0]
        tried = client.get(path("simulation", draft), terms(montant="500000")).context["score"]
        assert (kept.points, kept.recommendation) == (tried.points, tried.recommendation)


def test_four_scenarios_at_most(world, page, draft):
    client = page(world.analyst)
    for amount in range(500_000, 1_000_000, 100_000):
        answer = client.post(path("scenario_keep", draft), terms(montant=str(amount)), follow=True)

    assert "Quatre scénarios" in answer.content.decode()
    with world.scope():
        assert Scenario.objects.filter(application=draft).count() == 4


def test_a_scenario_is_removed_by_its_author_only(world, page, draft):
    page(world.analyst).post(path("scenario_keep", draft), terms())
    with world.scope():
        scenario = Scenario.objects.get(application=draft)

    page(world.risk_manager).post(path("scenario_remove", scenario))
    with world.scope():
        assert Scenario.objects.filter(pk=scenario.pk).exists()
    page(world.analyst).post(path("scenario_remove", scenario))

    with world.scope():
        assert not Scenario.objects.filter(pk=scenario.pk).exists()
        assert AuditEntry.objects.filter(action="scenario.remove", object_uid=scenario.uid).count() == 1


def test_who_may_not_score_does_not_simulate(world, page, draft):
    assert page(world.auditor).get(path("simulation", draft)).status_code == 403


def test_a_file_of_another_agency_is_unknown(world, page):
    seen = world.actor(world.agent).agency_ids
    with world.scope():
        foreign = CreditApplication.objects.exclude(agency_id__in=seen).first()
    client = page(world.agent)

    assert client.get(path("simulation", foreign)).status_code == 404
    assert client.post(path("scenario_keep", foreign), terms()).status_code == 404


def test_the_page_asks_few_questions_of_the_database(world, page, draft):
    client = page(world.analyst)
    client.post(path("scenario_keep", draft), terms())
    client.get(path("simulation", draft))

    with own_statements() as asked:
        client.get(path("simulation", draft), terms())

    assert len(asked) <= 6, asked
