"""Which model is in production, and since when."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.registry.enums import GENERAL_SEGMENT, ModelStatus, TrainingData
from apps.registry.errors import NoApprovedModel
from apps.registry.models import ModelVersion
from apps.tenancy.prepared import Prepared


def _champions(*, credit_type: str) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(
        status=ModelStatus.CHAMPION, segment__in=[credit_type, GENERAL_SEGMENT]
    )


_CHAMPIONS = Prepared(_champions, tenant=True, credit_type=str)


def champion_for(credit_type: str = GENERAL_SEGMENT) -> ModelVersion:
    """Return the champion of a credit type: its own, else the institution's general one.

    Raises ``NoApprovedModel`` when there is none. A model trained on synthetic data counts in
    demonstration mode only, whatever its row says.
    """
    return champion_among(_CHAMPIONS.rows(credit_type=credit_type), credit_type)


def champion_among(versions: Iterable[ModelVersion], credit_type: str = GENERAL_SEGMENT) -> ModelVersion:
    """Choose as ``champion_for`` does among the champions of an institution; raise ``NoApprovedModel``."""
    champions = {
        version.segment: version
        for version in versions
        if settings.DEMO_MODE or version.training_data != TrainingData.SYNTHETIC
    }
    champion = champions.get(credit_type) or champions.get(GENERAL_SEGMENT)
    if champion is None:
        raise NoApprovedModel(_("No approved model: no score can be given for the moment."))
    return champion
