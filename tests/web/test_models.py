"""Pages of models: who sees what, the way into production by two people, the editor, the import."""

import io
import json
import shutil
import zipfile
from html import unescape
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import override

from apps.jobs.services import claim_job, fail_job, finish_job
from apps.registry.enums import ModelSignature
from apps.registry.models import ModelVersion, PlatformModel, Promotion
from apps.registry.queries import champion_for
from apps.registry.services.importing import import_scorecard
from apps.registry.services.recalibrating import last_recalibration, recalibrate
from apps.scoring.services.shadow import shadow_next
from tests.registry.grids import DOCUMENT, changed
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

COMMITTEE = "comite@horizon.demo"
MENTION = "Grille experte, non étalonnée"


def grid_of(world, **changes):
    with world.scope():
        return import_scorecard(document=changed(**changes), by=world.actor(world.risk_manager))


def url(name, version):
    return reverse(f"web:{name}", args=[version.uid])


def text(answer):
    return " ".join(answer.content.decode().split())


def champion(world):
    with world.scope():
        return champion_for()


def propose(page, world, version, **more):
    client = page(world.risk_manager)
    return client.post(url("model_propose", version), {"reason": "Départ", **more})


def test_the_list_says_what_is_in_production_since_when_and_by_whom(page, world):
    body = text(page(world.auditor).get("/modeles"))

    assert "defaut-imf, version 1" in body
    assert "proposée par Serge Kamdem" in body
    assert "approuvée par Jean-Paul Essomba" in body
    assert "Modèle de démonstration, données fictives" in body
    assert "Écrire une grille" not in body


def test_the_list_takes_few_statements(page, world):
    client = page(world.risk_manager)
    for number in range(1, 6):
        grid_of(world, version=str(number), declared_default_rate=0.05 + number / 100)
    client.get("/modeles")

    with own_statements() as statements:
        client.get("/modeles")
    assert len(statements) <= 6, statements


@pytest.mark.parametrize(
    ("local_part", "listed"),
    [("risques", True), ("comite", True), ("admin", True), ("auditeur", True), ("dpo", True),
     ("analyste", False), ("agent", False), ("commercial", False)],
)  # fmt: skip
def test_the_menu_names_models_to_those_who_have_to_do_with_them(page, local_part, listed):
    body = page(f"{local_part}@horizon.demo").get("/").content.decode()

    assert ('href="/modeles"' in body) is listed


def test_two_people_put_a_scorecard_in_production_on_pages(page, world):
    grid = grid_of(world)
    risks, committee = page(world.risk_manager), page(COMMITTEE)

    assert "Proposer à la production" in text(risks.get(url("model", grid)))
    answer = propose(page, world, grid)
    assert answer.status_code == 302
    waiting = text(committee.get(url("model", grid)))
    assert "Proposée par Serge Kamdem" in waiting
    assert "Approuver" in waiting
    assert "une autre personne doit décider" in text(risks.get(url("model", grid)))
    assert "attend une autre personne" in text(committee.get("/modeles"))

    committee.post(url("model_approve", grid))

    assert champion(world) == grid
    shown = text(committee.get(url("model", grid)))
    assert MENTION in shown
    assert "Revenir à la version précédente" in shown


def test_a_score_of_a_scorecard_says_so(page, world, api):
    from tests.predict import BODY

    grid = grid_of(world)
    propose(page, world, grid)
    page(COMMITTEE).post(url("model_approve", grid))
    score = api(world.analyst).post("/api/v1/predict", BODY, content_type="application/json").json()
    assert score["modele"]["mention"] == MENTION
    english = {"HTTP_ACCEPT_LANGUAGE": "en"}
    again = api(world.analyst).post("/api/v1/predict", BODY, content_type="application/json", **english)
    assert again.json()["modele"]["mention"] == "Expert scorecard, not calibrated"

    for path in (f"/scores/{score['id']}", f"/scores/{score['id']}/fiche"):
        body = text(page(world.analyst).get(path))
        assert MENTION in body, path
        assert "grille-agence" in body


def test_the_proposer_cannot_approve_on_a_page(page, world):
    grid = grid_of(world)
    propose(page, world, grid)

    answer = page(world.risk_manager).post(url("model_approve", grid), follow=True)

    assert "Une autre personne doit contrôler" in text(answer)
    assert champion(world) != grid


def test_a_refusal_needs_a_reason_and_is_kept(page, world):
    grid = grid_of(world)
    propose(page, world, grid)
    committee = page(COMMITTEE)

    assert "Donnez un motif." in text(committee.post(url("model_decline", grid), {}, follow=True))
    committee.post(url("model_decline", grid), {"reason": "Pas encore"})

    with world.scope():
        assert Promotion.objects.get(model_version=grid).decision_reason == "Pas encore"


def test_a_proposal_can_be_withdrawn(page, world):
    grid = grid_of(world)
    propose(page, world, grid)

    page(world.risk_manager).post(url("model_withdraw", grid))

    with world.scope():
        assert Promotion.objects.get(model_version=grid).status == "withdrawn"


@pytest.mark.parametrize("name", ["model_approve", "model_decline", "model_withdraw"])
def test_what_nobody_proposed_is_not_found(page, world, name):
    person = world.risk_manager

    assert page(person).post(url(name, grid_of(world)), {"reason": "x"}).status_code == 404


def test_a_proposal_says_what_is_missing(page, world):
    grid = grid_of(world, declared_default_rate=0.38)

    without = propose(page, world, grid)
    assert (without.status_code, "explanation" in without.context["form"].errors) == (422, True)
    empty = page(world.risk_manager).post(url("model_propose", grid), {})
    assert (empty.status_code, list(empty.context["form"].errors)) == (422, ["reason"])
    hour = propose(page, world, grid, hour="10:00")
    assert list(hour.context["form"].errors) == ["day"]
    past = propose(page, world, grid, explanation="Crise", day="01/01/2020")
    assert list(past.context["form"].errors) == ["day"]


def test_a_rollback_is_one_press_with_a_reason(page, world):
    former = champion(world)
    grid = grid_of(world)
    propose(page, world, grid)
    committee = page(COMMITTEE)
    committee.post(url("model_approve", grid))

    committee.post(url("model_rollback", grid), {"reason": "Trop sévère à Garoua"})

    assert champion(world) == former
    body = text(page(world.auditor).get("/modeles"))
    assert "Retour arrière" in body
    assert "Trop sévère à Garoua" in body


def test_what_was_in_production_at_a_moment_is_two_clicks_away(page, world):
    from django.utils import timezone

    client = page(world.auditor)
    now = timezone.localtime()

    found = client.get("/modeles", {"day": f"{now:%d/%m/%Y}", "hour": "23:59"})
    assert [time.version for time in found.context["found"]] == ["defaut-imf, version 1"]
    assert found.context["found"][0].gates
    before = client.get("/modeles", {"day": "03/03/2020", "hour": "10 h 00"})
    assert before.context["found"] == []
    assert client.get("/modeles", {"day": "hier"}).status_code == 422
    assert client.get("/modeles", {"day": "03/03/2020", "hour": "25:00"}).status_code == 422


# --- the editor -----------------------------------------------------------------------------------------

TYPED = {
    "variable": ["nb_retards_30j", "type_contrat_travail"],
    "name": "grille-experte",
    "version": "1",
    "segment": "tous",
    "rate": "9,5",
    "nb_retards_30j-points-0": "20",
    "nb_retards_30j-cut-1": "1",
    "nb_retards_30j-points-1": "-20",
    "nb_retards_30j-cut-2": "3",
    "nb_retards_30j-points-2": "-70",
    "type_contrat_travail-points-0": "25",
    "type_contrat_travail-points-2": "-15",
    "type_contrat_travail-missing": "-5",
}


def test_a_scorecard_written_on_a_page_is_the_one_in_json(page, world):
    client = page(world.risk_manager)

    answer = client.post("/modeles/grille", TYPED)

    assert answer.status_code == 302
    with world.scope():
        version = ModelVersion.objects.get(name="grille-experte")
    assert (version.origin, version.status, version.created_by.email) == (
        "written", "candidate", world.risk_manager,
    )  # fmt: skip
    told = client.get(url("model_scorecard", version))
    assert json.loads(told.content) == {
        "format": "scorecard-1",
        "name": "grille-experte",
        "version": "1",
        "declared_default_rate": 0.095,
        "variables": [
            {
                "name": "type_contrat_travail",
                "points": {"CDI": 25, "CDD": 0, "Informel": -15, "Indépendant": 0},
                "missing": -5,
            },
            {"name": "nb_retards_30j", "cuts": [1, 3], "points": [20, -20, -70], "missing": 0},
        ],
    }
    body = text(client.get(url("model", version)))
    assert "Moins de 1" in body
    assert MENTION in body


def test_a_scorecard_is_taken_up_again_as_the_next_version(page, world):
    grid = grid_of(world)

    form = page(world.risk_manager).get(f"/modeles/grille?depuis={grid.uid}").context["form"]

    assert form["version"].value() == "2"
    assert form["taux_endettement-cut-2"].value() == "33"
    assert form["taux_endettement-points-3"].value() == -40


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"rate": "0"}, "rate"),
        ({"rate": "neuf"}, "rate"),
        ({"rate": ""}, "rate"),
        ({"name": "Grille Agence"}, "name"),
        ({"nb_retards_30j-cut-2": "1"}, "nb_retards_30j-points-0"),
        ({"nb_retards_30j-cut-2": "1e400"}, "nb_retards_30j-cut-2"),
        ({"nb_retards_30j-points-0": "900"}, "nb_retards_30j-points-0"),
        ({"segment": "../x"}, "segment"),
    ],
)
def test_the_editor_says_where_it_is_wrong(page, world, change, place):
    answer = page(world.risk_manager).post("/modeles/grille", {**TYPED, **change})

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [place])
    with world.scope():
        assert ModelVersion.objects.count() == 1


def test_the_editor_opens_with_usual_variables_or_with_those_chosen(page, world):
    client = page(world.risk_manager)

    usual = client.get("/modeles/grille").context["form"]
    chosen = client.get("/modeles/grille?variable=secteur&variable=sexe&variable=x").context["form"]

    assert len(usual.variables) == 8
    assert [variable.name for variable in chosen.variables] == ["secteur"]


@pytest.mark.parametrize("given", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_scorecard_that_is_not_there_is_not_taken_up(page, world, given):
    assert page(world.risk_manager).get(f"/modeles/grille?depuis={given}").status_code == 404


# --- in and out -----------------------------------------------------------------------------------------


def test_a_model_goes_out_as_a_zip_and_a_scorecard_comes_in(page, world):
    client = page(world.risk_manager)
    out = client.get(url("model_export", champion(world)))
    names = zipfile.ZipFile(io.BytesIO(out.content)).namelist()

    assert out["Content-Disposition"] == 'attachment; filename="defaut-imf-1.zip"'
    assert {"manifest.json", "card.md", "golden.csv"} <= set(names)
    file = SimpleUploadedFile("grille.json", json.dumps(DOCUMENT).encode())
    answer = client.post("/modeles/importer", {"file": file, "segment": "tous"})
    assert answer.status_code == 302
    assert "grille-agence, version 1" in text(client.get(answer.url))


@pytest.mark.parametrize("signature", list(ModelSignature))
def test_the_page_of_an_imported_version_says_who_signed_it(page, world, signature):
    version = grid_of(world)
    with world.scope():
        ModelVersion.objects.filter(pk=version.pk).update(signature=signature)

    shown = unescape(text(page(world.risk_manager).get(url("model", version))))

    with override("fr"):
        labels = {each: str(each.label) for each in ModelSignature}
    assert {each for each, label in labels.items() if label in shown} == {signature}


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("modele.pkl", b"\x80\x04K\x01.", "peut exécuter leur code"),
        ("modele.zip", b"PK\x03\x04", "abîmé"),
        ("grille.json", b"{}", "scorecard-1"),
    ],
)
def test_a_refused_file_says_what_to_do(page, world, name, content, word):
    file = SimpleUploadedFile(name, content)

    answer = page(world.risk_manager).post("/modeles/importer", {"file": file, "segment": "tous"})

    assert answer.status_code == 422
    assert word in text(answer)


def test_the_platform_model_has_no_json_of_points(page, world):
    answer = page(world.risk_manager).get(url("model_scorecard", champion(world)), follow=True)

    assert "Seule une grille écrite par des personnes" in text(answer)


def test_a_model_that_does_not_load_still_has_its_page(page, world):
    grid = grid_of(world)
    with world.scope():
        ModelVersion.objects.filter(pk=grid.pk).update(sha256="f" * 64)

    body = text(page(world.risk_manager).get(url("model", grid)))

    assert "Le dossier du modèle manque ou a été modifié" in body


@pytest.mark.parametrize("path", ["/modeles/importer", "/modeles/grille"])
def test_an_analyst_reads_and_does_not_write(page, world, path):
    client = page(world.analyst)

    assert client.get("/modeles").status_code == 200
    assert client.get(path).status_code == 403


def test_a_candidate_is_tried_in_the_shadow_and_stopped_again(page, world):
    grid, client = grid_of(world), page(world.risk_manager)

    assert "Essayer dans l'ombre" in text(client.get(url("model", grid)))
    started = client.post(url("model_challenge", grid), follow=True)
    assert "Arrêter l'essai" in text(started)
    with world.scope():
        shadow_next(version=ModelVersion.objects.get(pk=grid.pk), size=10_000)
    compared = text(client.get(url("model", grid)))
    stopped = text(client.post(url("model_unchallenge", grid), follow=True))

    assert "des 90 derniers jours recalculé" in compared
    assert "Probabilité de défaut moyenne" in compared
    assert "Essayer dans l'ombre" in stopped


def test_the_champion_is_not_offered_a_trial_and_an_auditor_sees_no_button(page, world):
    assert "Dans l'ombre" not in text(page(world.risk_manager).get(url("model", champion(world))))
    grid = grid_of(world)
    assert "Essayer dans l'ombre" in text(page(world.risk_manager).get(url("model", grid)))
    assert "Essayer dans l'ombre" not in text(page(world.auditor).get(url("model", grid)))


def offered(tmp_path, settings, *, training_data="pooled"):
    """Publish the demonstration's folder once more, as another model."""
    source = Path(settings.PLATFORM_MODELS_DIR)
    model = PlatformModel.objects.order_by("-pk").first()
    folder = tmp_path / "autre" / "1"
    shutil.copytree(source / model.name / model.version, folder)
    settings.PLATFORM_MODELS_DIR = tmp_path
    return PlatformModel.objects.create(
        name="autre", version="1", sha256=model.sha256, training_data=training_data,
        trained_at=model.trained_at, metrics=model.metrics,
    )  # fmt: skip


def test_a_model_of_the_platform_is_installed_by_the_institutions_own_decision(
    page, world, tmp_path, settings
):
    model, client = offered(tmp_path, settings), page(world.risk_manager)

    listed = text(client.get("/modeles"))
    client.post("/modeles/installer", {"model": str(model.uid)})
    after = text(client.get("/modeles"))

    assert "Proposés par la plateforme" in listed
    assert "Proposés par la plateforme" not in after
    with world.scope():
        version = ModelVersion.objects.get(name="autre")
        assert (version.status, version.origin, version.platform_model) == ("candidate", "platform", model)
        assert champion_for().name == "defaut-imf"
    with world.scope("ngwa"):
        assert not ModelVersion.objects.filter(name="autre").exists()


def test_an_offer_that_is_no_offer_changes_nothing(page, world, tmp_path, settings):
    model, client = offered(tmp_path, settings), page(world.risk_manager)
    (tmp_path / "autre" / "1" / "manifest.json").unlink()

    for sent in (
        {"model": str(model.uid)},
        {"model": "x"},
        {"model": str(PlatformModel.objects.first().uid)},
        {},
    ):
        answer = client.post("/modeles/installer", sent, follow=True)
        assert answer.redirect_chain[0][0] == "/modeles"
    assert page(world.auditor).post("/modeles/installer", {"model": str(model.uid)}).status_code == 403
    with world.scope():
        assert not ModelVersion.objects.filter(name="autre").exists()


def test_a_level_is_set_behind_the_page_which_says_how_far_it_is(page, world):
    version, client = champion(world), page(world.risk_manager)

    answer = client.post(url("model_recalibrate", version))
    body = text(client.get(url("model", version)))
    piece = client.get(url("model", version), headers={"HX-Request": "true"})

    assert answer.status_code == 302
    assert url("model_recalibrate", version) not in body
    assert 'id="recalibration"' in piece.content.decode()
    assert "<h1" not in piece.content.decode()
    assert "déjà en cours" in text(client.post(url("model_recalibrate", version), follow=True))

    with world.scope():
        job = last_recalibration(version)
        finish_job(claim=(claim := claim_job(uid=job.uid)), result=recalibrate(claim))
        made = ModelVersion.objects.get(version=f"{version.version}-r1")
    ended = client.get(url("model", version), headers={"HX-Request": "true"})

    assert ended["HX-Refresh"] == "true"
    assert url("model", made) in ended.content.decode()
    assert url("model_recalibrate", version) in text(ended)


def test_a_level_that_cannot_be_set_says_why(page, world):
    version, client = champion(world), page(world.risk_manager)
    client.post(url("model_recalibrate", version))

    with world.scope():
        claim = claim_job(uid=last_recalibration(version).uid)
        fail_job(claim=claim, error="49 défauts échus", again=False)

    assert "49 défauts échus" in text(client.get(url("model", version)))
