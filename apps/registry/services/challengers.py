"""Challengers: versions that score beside the one in production, without any effect on advice."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.registry.enums import ModelStatus
from apps.registry.errors import ModelNotAllowed
from apps.registry.loader import load_scorer
from apps.registry.models import Championship, ModelVersion
from apps.registry.services.versions import locked_segment, refuse_synthetic_outside_demo
from apps.tenancy.actor import Actor
from apps.tenancy.four_eyes import require_member
from apps.tenancy.roles import Verb

#: Each one computes every score again.
MOST = 3


@transaction.atomic
def start_challenger(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """Let a version score in the shadow of its segment's champion; a second demand changes nothing.

    Raises ``NotAllowed``; ``ModelNotAllowed`` for the version in production, for fictional data outside a
    demonstration and beyond three challengers; ``NoApprovedModel`` when the version does not load.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    version, others = locked_segment(version)
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
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    version, _others = locked_segment(version)
    if version.status != ModelStatus.CHALLENGER:
        return version
    served = Championship.objects.filter(model_version=version).exists()
    version.status = ModelStatus.RETIRED if served else ModelStatus.CANDIDATE
    version.save(update_fields=["status"])
    record(by=by, action="model.unchallenge", target=version)
    return version
