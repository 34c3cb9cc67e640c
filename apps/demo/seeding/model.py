"""The demonstration's model: trained once, by the real pipeline, on the pooled synthetic history."""

from collections.abc import Callable, Sequence

from apps.demo.seeding.people import seed_operator
from apps.institutions.models import Institution
from apps.registry.enums import TrainingData
from apps.registry.models import PlatformModel
from apps.registry.services.training import train_platform_model
from apps.registry.services.versions import platform_folder_stands

NAME, VERSION = "defaut-imf", "1"


def seed_model(institutions: Sequence[Institution], *, say: Callable[[str], None]) -> PlatformModel:
    """Return the platform model, training it when its row or its folder is missing."""
    model = PlatformModel.objects.filter(name=NAME, version=VERSION).first()
    if model is not None and platform_folder_stands(model):
        say(f"Modèle {NAME} v{VERSION} : déjà entraîné")
        return model
    model = train_platform_model(
        institution_ids=[institution.pk for institution in institutions],
        name=NAME,
        version=VERSION,
        training_data=TrainingData.SYNTHETIC,
        by=seed_operator(),
        say=say,
    )
    say(f"Modèle {NAME} v{VERSION} : AUC {model.metrics['auc']:.3f} en validation croisée imbriquée")
    return model
