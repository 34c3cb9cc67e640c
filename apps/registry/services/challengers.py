"""Challengers: versions that score beside the one in production, without any effect on advice."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.registry.enums import ModelStatus
from apps.registry.errors import ModelNotAllowed
from apps.registry.loader import load_scorer
from apps.registry.models import Championship, ModelVersion
from apps.registry.services.versions import refuse_synthetic_outside_demo
from apps.tenancy.actor import Actor
from apps.tenancy.errors import NotAllowed
from apps.tenancy.roles import Verb

#: Each one computes every score again.
MOST = 3


@transaction.atomic
def start_challenger(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """Let a version score in the shadow of its segment's champion; a second demand changes nothing.

    Raises ``NotAllowed``; ``ModelNotAllowed`` for the version in production, for fictional data outside a
    demonstration and beyond three challengers; ``NoApprovedModel`` when the version does not load.
    """
    _require(by)
    version, others = _locked(version)
    if version.status == ModelStatus.CHALLENGER:
        return version
    if version.status == ModelStatus.CHAMPION:
        raise ModelNotAllowed(_("This version is in production already."))
    if sum(each.status == ModelStatus.CHALLENGER for each in others) >= MOST:
        raise ModelNotAllowed(_("Three challengers at most: stop another one first."))
    refuse_synthetic_outside_demo(version)
    load_scorer(version)
    version.status = ModelStatus.CHALLENGER
    version.save(update_fields=["status"])
    record(by=by, action="model.challenge", target=version, after={"sha256": version.sha256})
    return version


@transaction.atomic
def stop_challenger(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """End the comparison; what was computed stays. Raises ``NotAllowed``."""
    _require(by)
    version, _others = _locked(version)
    if version.status != ModelStatus.CHALLENGER:
        return version
    served = Championship.objects.filter(model_version=version).exists()
    version.status = ModelStatus.RETIRED if served else ModelStatus.CANDIDATE
    version.save(update_fields=["status"])
    record(by=by, action="model.unchallenge", target=version)
    return version


def _require(by: Actor) -> None:
    if by.kind != "user" or not by.may(Verb.PROPOSE_MODEL):
        raise NotAllowed(_("Your role does not allow this."))


def _locked(version: ModelVersion) -> tuple[ModelVersion, list[ModelVersion]]:
    """Return the version and the others of its segment as they are now, locked in the order of promotions."""
    rows = list(ModelVersion.objects.filter(segment=version.segment).select_for_update().order_by("pk"))
    return next(row for row in rows if row.pk == version.pk), [row for row in rows if row.pk != version.pk]
