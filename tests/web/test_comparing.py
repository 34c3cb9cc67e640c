"""What changed between two scores, past files alike, files side by side, a client's scores over time."""

import datetime as dt
from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.models import Client, CreditApplication
from apps.scoring.models import Prediction
from apps.scoring.queries.differences import difference_between
from apps.scoring.queries.neighbours import NEAREST, neighbours_of
from apps.scoring.queries.policies import figures_of_policy, policy_on
from apps.scoring.services.scores import score_application
from tests.scoring.proposing import put_in_force
from tests.statements import own_statements

pytestmark = pytest.mark.django_db


def path(name, target):
    return reverse(f"web:{name}", args=[target.uid])


@pytest.fixture
def twice(world):
    """Return two scores of one file, its amount changed in between."""
    actor = world.actor(world.analyst)
    with world.scope():
        rows = CreditApplication.objects.select_related("client", "agency").filter(revenu_mensuel__gt=0)
        file = rows.exclude(outcome="").order_by("-pk")[0]
        file.status, file.taux_endettement, file.ratio_dette_revenu = ApplicationStatus.DRAFT, None, None
        file.save()
        first, _created = score_application(application=file, by=actor)
        file.montant_credit *= 3
        file.save()
        second, _created = score_application(application=file, by=actor)
    return first, second


def test_the_points_of_a_difference_add_up_and_name_what_changed(world, twice):
    with world.scope():
        found = difference_between(*twice)

        assert (found.before.pk, found.after.pk) == (twice[0].pk, twice[1].pk)
        assert {each.variable for each in found.inputs} >= {"montant_credit", "ratio_dette_revenu"}
        assert "age" not in {each.variable for each in found.inputs}
        assert (found.by_model, found.by_policy) == (0, 0)
        assert found.by_inputs == found.gained < 0
        assert found.factors[0].gained < 0


def test_a_policy_is_told_apart_from_the_values(world, twice):
    actor = world.actor(world.analyst)
    with world.scope():
        figures = replace(figures_of_policy(policy_on()), points_at_base_odds=620)
        put_in_force(world, figures)
        file = CreditApplication.objects.select_related("client", "agency").get(pk=twice[1].application_id)
        third, _created = score_application(application=file, by=actor)
        found = difference_between(twice[1], third)

        assert found.other_policy
        assert (found.by_inputs, found.by_model, found.by_policy) == (0, 0, 20)


def test_the_page_compares_with_the_score_before(world, page, twice):
    answer = page(world.analyst).get(path("score_changes", twice[1]))

    assert answer.status_code == 200
    assert answer.context["pair"].before.pk == twice[0].pk
    assert "Montant du crédit" in answer.content.decode()
    with world.scope():
        assert AuditEntry.objects.filter(action="prediction.read", object_uid=twice[1].uid).exists()


def test_the_other_score_may_be_chosen_and_must_be_of_the_same_file(world, page, twice):
    client = page(world.analyst)
    with world.scope():
        foreign = Prediction.objects.exclude(application_id=twice[0].application_id).first()

    chosen = client.get(path("score_changes", twice[0]), {"avec": str(twice[1].uid)})
    assert chosen.context["pair"].after.pk == twice[1].pk
    for wrong in (str(foreign.uid), "x"):
        assert client.get(path("score_changes", twice[0]), {"avec": wrong}).status_code == 404


def test_a_first_score_has_nothing_to_compare_with(world, page, twice):
    answer = page(world.analyst).get(path("score_changes", twice[0]))

    assert answer.status_code == 200
    assert "difference" not in answer.context


def matured(world, count):
    """Give ``count`` old files of one type an outcome, every fifth in default; return a score of another."""
    actor = world.actor(world.risk_manager)
    old = timezone.localdate() - dt.timedelta(days=500)
    with world.scope():
        scored = Prediction.objects.exclude(application=None).select_related("client", "policy").latest("pk")
        rows = CreditApplication.objects.exclude(client_id=scored.client_id).order_by("pk")
        CreditApplication.objects.update(outcome="", outcome_date=None)
        keys = list(rows.values_list("pk", flat=True)[:count])
        kept = CreditApplication.objects.filter(pk__in=keys)
        kept.update(
            outcome=Outcome.GOOD, outcome_date=old, applied_on=old, type_credit=scored.inputs["type_credit"]
        )
        CreditApplication.objects.filter(pk__in=keys[::5]).update(outcome=Outcome.DEFAULT)
        return actor, scored


def test_the_nearest_files_say_how_they_ended(world):
    actor, scored = matured(world, NEAREST)
    with world.scope():
        found = neighbours_of(actor, scored)

    assert (found.looked_at, found.count, found.defaults) == (50, 50, 10)
    assert found.rate == pytest.approx(0.2)
    assert found.low == pytest.approx(0.1124, abs=1e-3)
    assert found.high == pytest.approx(0.3304, abs=1e-3)
    assert len(found.listed) == 5
    assert all(each.amount_xaf % 50_000 == 0 for each in found.listed)


def test_forty_nine_are_too_few(world, page):
    actor, scored = matured(world, NEAREST - 1)
    with world.scope():
        found = neighbours_of(actor, scored)
    answer = page(world.risk_manager).get(path("score_neighbours", scored))

    assert (found.looked_at, found.rate, found.listed) == (49, None, ())
    assert "Trop peu de dossiers" in answer.content.decode()


def test_the_nearest_come_first(world):
    actor, scored = matured(world, 200)
    with world.scope():
        twin = CreditApplication.objects.exclude(outcome="").last()
        for name in (
            "montant_credit",
            "duree_mois",
            "taux_interet",
            "revenu_mensuel",
            "type_contrat_travail",
        ):
            setattr(twin, name, scored.inputs.get(name) or getattr(twin, name))
        for name in (
            *("anciennete_travail_mois", "taux_endettement", "ratio_dette_revenu"),
            *("nb_retards_30j", "nb_retards_60j", "nb_retards_90j"),
        ):
            setattr(twin, name, scored.inputs.get(name))
        twin.age = scored.inputs["age"]
        twin.save()
        nearest = neighbours_of(actor, scored).listed[0]

    assert nearest.amount_xaf == max(round(twin.montant_credit / 50_000), 1) * 50_000
    assert nearest.duration_months == twin.duree_mois


def test_past_files_are_of_the_agencies_one_sees_and_nobody_is_named(world, page):
    _actor, scored = matured(world, 200)
    agent = world.actor(world.agent)
    with world.scope():
        Prediction.objects.filter(pk=scored.pk)
        past = CreditApplication.objects.exclude(outcome="").filter(agency_id__in=agent.agency_ids)
        seen = past.count()
        assert neighbours_of(agent, scored).looked_at == seen < 200
        names = list(
            CreditApplication.objects.exclude(outcome="").values_list("client__last_name", "reference")
        )
    body = page(world.risk_manager).get(path("score_neighbours", scored)).content.decode()
    shown = body[body.index("found-title") :]

    assert not [reference for _name, reference in names if reference in shown]
    assert not [name for name, _reference in names if name and name in shown]


def test_two_files_and_a_client_stand_side_by_side(world, page):
    with world.scope():
        scored = (
            Prediction.objects.exclude(application=None).select_related("application", "client").latest("pk")
        )
        other = CreditApplication.objects.exclude(client_id=scored.client_id).first()
        person = (
            Client.objects.exclude(pk__in=[scored.client_id, other.client_id])
            .filter(merged_into=None)
            .first()
        )
        last = CreditApplication.objects.filter(client=person).order_by("-applied_on", "-created_at").first()
    asked = {
        "dossier_1": scored.application.reference,
        "dossier_2": other.reference,
        "dossier_3": person.reference,
    }

    answer = page(world.risk_manager).get(reverse("web:comparison"), asked)

    view = answer.context["view"]
    assert [column.reference for column in view.columns] == [
        scored.application.reference,
        other.reference,
        last.reference if last else person.reference,
    ]
    rows = {row.label: row for _title, rows in view.sections for row in rows}
    assert rows["Score"].cells[0].text.startswith(str(scored.points)) or rows["Score"].cells[0].text != "—"
    assert all(row.differs == (len({cell.text for cell in row.cells}) > 1) for row in rows.values())
    with world.scope():
        assert AuditEntry.objects.filter(action="creditapplication.read").count() >= 2


def test_a_file_that_is_unknown_or_of_another_agency_is_said_alike(world, page):
    seen = world.actor(world.agent).agency_ids
    with world.scope():
        foreign = CreditApplication.objects.exclude(agency_id__in=seen).first()
    client = page(world.agent)

    for reference in (foreign.reference, "D-INCONNU"):
        answer = client.get(reverse("web:comparison"), {"dossier_1": reference})
        assert answer.status_code == 422
        assert answer.context["view"] is None
        assert list(answer.context["form"].errors) == ["dossier_1"]


def test_a_client_s_scores_over_time_with_their_file(world, page, twice):
    client = page(world.analyst)
    with world.scope():
        person = Client.objects.get(pk=twice[0].client_id)

    answer = client.get(path("client_scores", person))
    file = client.get(path("client_scores_csv", person))

    lines = answer.context["lines"]
    assert str(lines[0].uid) == str(twice[1].uid)
    assert lines[0].gained.startswith("−")
    assert answer.context["chart"] is not None
    text = file.content.decode("utf-8-sig")
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert len(text.splitlines()) == len(lines) + 1
    assert str(twice[1].points) in text.splitlines()[1].split(";")
    with world.scope():
        assert AuditEntry.objects.filter(action="client.scores_export", object_uid=person.uid).count() == 1


def test_pages_ask_few_questions_of_the_database(world, page, twice):
    client = page(world.analyst)
    with world.scope():
        person = Client.objects.get(pk=twice[0].client_id)
        file = CreditApplication.objects.get(pk=twice[0].application_id)
    for address in (
        path("score_changes", twice[1]),
        path("score_neighbours", twice[1]),
        path("client_scores", person),
        path("score", twice[1]),
        f"{reverse('web:comparison')}?dossier_1={file.reference}&dossier_2={person.reference}",
    ):
        client.get(address)
        with own_statements() as asked:
            assert client.get(address).status_code == 200
        assert len(asked) <= 6, (address, asked)
