"""What may be in production, and what happens when its folder is not what the row says."""

import json
import logging

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.demo.seeding.everything import seed
from apps.engine.artifacts import read
from apps.registry.errors import NoApprovedModel
from apps.registry.loader import load_scorer, model_folder
from apps.registry.models import ModelVersion, PlatformModel
from apps.registry.queries import champion_for
from apps.registry.services.versions import install_platform_model
from apps.tenancy.actor import task_actor
from apps.tenancy.errors import NotAllowed
from tests.predict import BODY

pytestmark = pytest.mark.django_db


def test_the_demonstration_model_is_honest(world):
    model = PlatformModel.objects.get()
    with world.scope():
        folder = model_folder(champion_for())
    manifest = json.loads((folder / "manifest.json").read_text())

    assert 0.70 < model.metrics["auc"] < 0.85
    assert manifest["training_data"] == model.training_data == "synthetic"
    card = (folder / "card.md").read_text()
    assert "Modèle de démonstration, données fictives" in card
    assert f"{model.metrics['auc']:.3f}".replace(".", ",") in card
    assert read(folder, expected_sha256=model.sha256).name == "defaut-imf"


def test_only_data_stand_in_a_model_folder(world):
    with world.scope():
        folder = model_folder(champion_for())

    assert {file.suffix for file in folder.iterdir()} <= {".json", ".ubj", ".md", ".csv"}


def test_outside_demonstration_a_synthetic_champion_does_not_count(world, settings):
    settings.DEMO_MODE = False

    with world.scope(), pytest.raises(NoApprovedModel):
        champion_for()


def test_outside_demonstration_nothing_is_seeded(settings):
    settings.DEMO_MODE = False

    with pytest.raises(NotAllowed):
        seed()
    with pytest.raises(CommandError):
        call_command("seed_demo")


def test_installing_twice_is_one_row(world):
    with world.scope():
        actor = task_actor(world.institution_id("horizon"))
        install_platform_model(model=PlatformModel.objects.get(), by=actor)

        assert ModelVersion.objects.count() == 1


def test_an_altered_folder_is_refused_with_a_log_and_503(world, api, page, caplog):
    with world.scope():
        ModelVersion.objects.update(sha256="f" * 64)
        with pytest.raises(NoApprovedModel):
            load_scorer(ModelVersion.objects.get())

    with caplog.at_level(logging.ERROR):
        answer = api(world.analyst).post("/api/v1/predict", BODY, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (503, "no_approved_model")
    assert any("refused at load" in record.getMessage() for record in caplog.records)
    assert page(world.analyst).get("/scores").status_code == 200
