"""Publishing and installing models."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record, record_platform
from apps.institutions.queries import get_institution
from apps.registry import loader
from apps.registry.enums import GENERAL_SEGMENT, ModelOrigin, ModelStatus, TrainingData
from apps.registry.errors import ModelNotAllowed
from apps.registry.loader import loads
from apps.registry.models import ModelVersion, PlatformModel
from apps.tenancy.actor import Actor
from apps.tenancy.context import PLATFORM_ALIAS, current_institution_id
from apps.tenancy.four_eyes import require_member
from apps.tenancy.roles import Verb


def load_champions() -> None:
    """Load the models in production of all institutions, so that no request waits for one.

    What does not load is a log line and a line of ``refused_models``.
    """
    champions = ModelVersion.objects.db_manager(PLATFORM_ALIAS).filter(status=ModelStatus.CHAMPION)
    for version in champions.order_by("sha256", "name", "version").distinct("sha256", "name", "version"):
        loads(version)


def refused_models() -> list[str]:
    """Return the models that this process tried to load and could not; institutions are not named."""
    return loader.not_loaded()


@transaction.atomic
def publish_platform_model(
    *,
    name: str,
    version: str,
    sha256: str,
    training_data: str,
    trained_at: dt.datetime,
    metrics: Mapping[str, Any],
    by: Actor,
    period: Mapping[str, Any] | None = None,
) -> PlatformModel:
    """Write or refresh the shared row of a platform model whose folder stands in place."""
    model, _created = PlatformModel.objects.update_or_create(
        name=name,
        version=version,
        defaults={
            "sha256": sha256,
            "training_data": training_data,
            "trained_at": trained_at,
            "metrics": dict(metrics),
            "period": dict(period or {}),
        },
    )
    record_platform(by=by, action="model.publish", institution_id=None, reason=f"{name} v{version}")
    return model


@transaction.atomic
def install_platform_model(*, model: PlatformModel, by: Actor) -> ModelVersion:
    """Give the institution in scope its own row of a platform model (same sha256); idempotent."""
    version, created = ModelVersion.objects.update_or_create(
        name=model.name,
        version=model.version,
        segment=GENERAL_SEGMENT,
        defaults={
            "platform_model": model,
            "sha256": model.sha256,
            "training_data": model.training_data,
            "trained_at": model.trained_at,
            "metrics": model.metrics,
            "period": model.period,
        },
        create_defaults={
            "platform_model": model,
            "sha256": model.sha256,
            "training_data": model.training_data,
            "trained_at": model.trained_at,
            "metrics": model.metrics,
            "period": model.period,
            "origin": ModelOrigin.PLATFORM,
            "status": ModelStatus.CANDIDATE,
        },
    )
    if created:
        record(by=by, action="model.install", target=version, after={"sha256": model.sha256})
    return version


def install_offered_model(*, model: PlatformModel, by: Actor) -> ModelVersion:
    """Install a model of the platform, as a person of the institution decides; it becomes a candidate.

    Raises ``NotAllowed``, and ``ModelNotAllowed`` for fictional data outside a demonstration or a folder that
    is not in place.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    refuse_synthetic_outside_demo(model)
    if not platform_folder_stands(model):
        raise ModelNotAllowed(_("The files of this model are missing on the platform: tell its operator."))
    return install_platform_model(model=model, by=by)


def locked_segment(version: ModelVersion) -> tuple[ModelVersion, list[ModelVersion]]:
    """Return the version and the others of its segment as they are now, locked, always in the same order."""
    rows = list(ModelVersion.objects.filter(segment=version.segment).select_for_update().order_by("pk"))
    return next(row for row in rows if row.pk == version.pk), [row for row in rows if row.pk != version.pk]


def refuse_synthetic_outside_demo(version: ModelVersion | PlatformModel) -> None:
    """Raise ``ModelNotAllowed`` unless fictional data serve a fictional institution in demonstration mode."""
    if version.training_data != TrainingData.SYNTHETIC:
        return
    if not settings.DEMO_MODE or not get_institution(current_institution_id()).is_demo:
        raise ModelNotAllowed(_("A model trained on synthetic data serves demonstrations only."))


def platform_folder(name: str, version: str) -> Path:
    """Return where the folder of a platform model stands or will stand."""
    return Path(settings.PLATFORM_MODELS_DIR) / name / version


def platform_folder_stands(model: PlatformModel) -> bool:
    """Say whether the folder of a platform model is there with the manifest that its row names."""
    manifest = platform_folder(model.name, model.version) / "manifest.json"
    return manifest.is_file() and hashlib.sha256(manifest.read_bytes()).hexdigest() == model.sha256
