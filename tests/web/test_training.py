"""Pages of training: the journal, a new run, its progress, what came out of it."""

import csv
import io
import re

import pytest
from django.urls import reverse

from apps.jobs.models import Job
from apps.registry.models import ModelVersion, TrainingRun
from apps.scoring.tasks import train_candidates
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

WISH = {
    "candidates": ["scorecard", "logistic"],
    "split": "auto",
    "observed_on": "21/11/2026",
    "search": "none",
    "search_seconds": "120",
    "sampling": "none",
    "folds": "5",
    "seed": "42",
}


@pytest.fixture
def run(world):
    with world.scope():
        return TrainingRun.objects.select_related("job").get()


@pytest.fixture
def risks(page, world):
    return page(world.risk_manager)


@pytest.fixture
def sent(monkeypatch):
    """Keep what is sent to the workers, and do none of it."""
    found = []
    monkeypatch.setattr(train_candidates, "apply_async", lambda args, **_told: found.append(args))
    return found


def body_of(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_journal_tells_where_the_history_stands(risks, run):
    body = body_of(risks.get("/entrainements"))

    assert "Ce que permet votre historique" in body
    assert "Vous êtes ici" in body
    assert f"Entraînement n° {run.number}" in body
    assert 'href="/entrainements/nouveau"' in body


def test_the_journal_is_read_in_few_statements(risks, run):
    with own_statements() as statements:
        assert risks.get("/entrainements").status_code == 200

    assert len(statements) <= 6


def test_who_may_not_train_reads_the_journal_without_the_button(page, run):
    answer = page("comite@horizon.demo").get("/entrainements")

    assert answer.status_code == 200
    assert "/entrainements/nouveau" not in answer.content.decode()
    assert page("comite@horizon.demo").get("/entrainements/nouveau").status_code == 403


def test_a_run_is_asked_and_sent_to_a_worker(risks, world, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = risks.post("/entrainements/nouveau", WISH)

    with world.scope():
        asked = TrainingRun.objects.select_related("job").latest("number")
    assert answer["Location"] == f"/entrainements/{asked.uid}"
    assert asked.asked["candidates"] == ["scorecard", "logistic"]
    assert sent == [[str(asked.job.uid)]]


def test_a_wish_that_cannot_be_is_shown_beside_its_field(risks, sent):
    answer = risks.post("/entrainements/nouveau", {**WISH, "candidates": [], "folds": "50"})

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"candidates", "folds"}


def test_a_second_run_is_refused_on_the_form(risks, sent):
    risks.post("/entrainements/nouveau", WISH)

    answer = risks.post("/entrainements/nouveau", WISH)

    assert answer.status_code == 422
    assert "déjà en cours" in body_of(answer)


@pytest.fixture
def waiting(risks, world, sent):
    """Return a run that waits for a worker."""
    risks.post("/entrainements/nouveau", WISH)
    with world.scope():
        return TrainingRun.objects.select_related("job").latest("number")


def test_progress_is_asked_again_until_the_end(risks, world, waiting):
    address = f"/entrainements/{waiting.uid}"

    whole = body_of(risks.get(address))
    piece = risks.get(address, headers={"HX-Request": "true"})

    assert 'hx-trigger="load delay:2s"' in whole
    assert "<noscript>" in whole
    assert "<html" not in piece.content.decode()
    with world.scope():
        Job.objects.filter(pk=waiting.job_id).update(status="failed", error="Interrompu")
    assert risks.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "Interrompu" in body_of(risks.get(address))


def test_a_run_is_stopped_and_tried_again(risks, world, waiting, sent):
    address = f"/entrainements/{waiting.uid}"

    assert risks.post(f"{address}/arreter")["Location"] == address
    with world.scope():
        assert Job.objects.get(pk=waiting.job_id).status == "cancelled"
    assert "/reprendre" in risks.get(address).content.decode()

    risks.post(f"{address}/reprendre")

    with world.scope():
        assert Job.objects.get(pk=waiting.job_id).status == "queued"


def test_the_result_compares_candidates_with_their_intervals(risks, run):
    body = body_of(risks.get(f"/entrainements/{run.uid}"))

    auc = next(each for each in run.result["candidates"] if each["kind"] == "scorecard")["figures"]["auc"]
    shown = f"{auc['value']:.3f}".replace(".", ",")
    assert f"{shown} [" in body
    assert "Recommandé : Grille WOE." in body
    assert "Taux moyen pour tous" in body
    assert "Contrôles mesurés par l'entraînement" in body
    assert "Enregistrer comme candidat" in body
    assert "Trop récentes : leur horizon n&#x27;est pas atteint" in body


def test_a_candidate_of_comparison_cannot_be_kept(risks, run):
    body = body_of(risks.get(f"/entrainements/{run.uid}?candidat=dummy"))

    assert "Pour comparaison seulement" in body
    assert "Enregistrer comme candidat" not in body
    answer = risks.post(f"/entrainements/{run.uid}/retenir", {"kind": "dummy"}, follow=True)
    assert "sert seulement à comparer" in body_of(answer)


def test_a_candidate_is_kept_and_shown_among_the_models(risks, run, world):
    answer = risks.post(f"/entrainements/{run.uid}/retenir", {"kind": "scorecard"}, follow=True)

    body = body_of(answer)
    assert "entrainement-scorecard" in body
    assert "Deux personnes décident" in body
    with world.scope():
        version = ModelVersion.objects.get(origin="trained", name="entrainement-scorecard")
    assert reverse("web:model", args=[version.uid]) in risks.get(f"/entrainements/{run.uid}").content.decode()


def test_who_may_not_train_keeps_nothing(page, run):
    client = page("comite@horizon.demo")

    assert client.get(f"/entrainements/{run.uid}").status_code == 200
    assert "Enregistrer comme candidat" not in body_of(client.get(f"/entrainements/{run.uid}"))
    assert client.post(f"/entrainements/{run.uid}/retenir", {"kind": "scorecard"}).status_code == 403
    assert client.post(f"/entrainements/{run.uid}/arreter").status_code == 403


CURVES = ["roc", "gains", "calibration", "distribution", "business", "pr"]


@pytest.mark.parametrize("curve", CURVES)
def test_each_chart_has_its_table_and_its_file(risks, run, curve):
    page = risks.get(f"/entrainements/{run.uid}/courbes?candidat=scorecard&courbe={curve}")
    body = body_of(page)
    numbers = risks.get(f"/entrainements/{run.uid}/chiffres?candidat=scorecard&courbe={curve}")

    assert 'role="img"' in body
    assert '<p class="chart-finding">' in body
    rows = list(csv.DictReader(io.StringIO(numbers.content.decode())))
    source = {"business": "thresholds"}.get(curve, curve)
    candidate = next(each for each in run.result["candidates"] if each["kind"] == "scorecard")
    assert len(rows) == len(candidate["curves"][source])
    assert numbers["Content-Type"] == "text/csv; charset=utf-8"


def test_a_curve_that_is_not_there_is_not_found(risks, run):
    assert risks.get(f"/entrainements/{run.uid}/courbes?courbe=rien").status_code == 404
    assert risks.get(f"/entrainements/{run.uid}/chiffres?courbe=rien").status_code == 404


def test_a_run_without_result_has_no_charts(risks, waiting):
    assert risks.get(f"/entrainements/{waiting.uid}/courbes").status_code == 404


def test_the_menu_leads_there_for_those_who_may(page, world):
    for local_part, shown in (("risques", True), ("comite", True), ("auditeur", True), ("agent", False)):
        body = page(f"{local_part}@horizon.demo").get("/").content.decode()
        assert ('href="/entrainements"' in body) is shown, local_part


def test_groups_have_their_tables(risks, run):
    body = body_of(risks.get(f"/entrainements/{run.uid}/courbes?candidat=scorecard&courbe=groupes"))

    assert "Étalonnage par type de crédit" in body
    assert "Avis favorables parmi les bons payeurs, par groupe" in body
    assert "Femme" in body
