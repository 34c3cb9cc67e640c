"""What is in production, for what scores."""

from apps.registry.enums import ModelStatus
from apps.registry.loader import load_scorer, loads
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for


def variables_in_production() -> frozenset[str]:
    """Return the names that the models in production read, whatever their segment.

    A model that cannot be loaded is left out: it scores nothing.
    """
    champions = ModelVersion.objects.filter(status=ModelStatus.CHAMPION)
    return frozenset(name for each in champions if loads(each) for name in load_scorer(each).variables)


def champion_variables() -> tuple[ModelVersion, frozenset[str]]:
    """Return the champion in production and the names of the variables it uses; raise ``NoApprovedModel``."""
    version = champion_for()
    return version, frozenset(load_scorer(version).variables)


def mean_in_training(version: ModelVersion) -> float | None:
    """Return the mean probability over what a model was trained on, as its card tells it, or ``None``."""
    metrics = load_scorer(version).artefact.manifest.get("metrics") or {}
    rate = metrics.get("predicted_rate")
    return None if rate is None else float(rate)
