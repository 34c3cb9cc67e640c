"""Scores of challengers: computed afterwards, from the stored inputs, so that no request waits for them."""

import datetime as dt

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from apps.registry.enums import GENERAL_SEGMENT, ModelStatus
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.scoring.models import Prediction, ShadowScore
from apps.scoring.queries.shadows import SHADOWED
from apps.tenancy.locks import take_lock

#: A score may be committed so long after the moment it bears.
LATE = dt.timedelta(minutes=10)


def challengers() -> QuerySet[ModelVersion]:
    """Return the versions of the institution that score in the shadow."""
    rows: QuerySet[ModelVersion] = ModelVersion.objects.filter(status=ModelStatus.CHALLENGER).order_by("pk")
    return rows


def shadow_next(*, version: ModelVersion, size: int) -> int:
    """Score with a challenger the next ``size`` scores of its segment; return how many it scored.

    Those of the last 90 days, the oldest first. Runs alone in an institution: a second one finds nothing to
    do. Raises ``NoApprovedModel`` when the version does not load.
    """
    if not take_lock("scoring.shadow"):
        return 0
    found = list(_missing(version)[:size])
    if not found:
        return 0
    scorer = load_scorer(version)
    columns = {name: [each.inputs.get(name) for each in found] for name in scorer.variables}
    pd = scorer.score_columns(columns, len(found)).pd.tolist()
    ShadowScore.objects.bulk_create(
        ShadowScore(prediction=each, model_version=version, pd=value, scored_at=each.created_at)
        for each, value in zip(found, pd, strict=True)
    )
    return len(found)


def _missing(version: ModelVersion) -> QuerySet[Prediction]:
    done = ShadowScore.objects.filter(model_version=version)
    since = timezone.now() - SHADOWED
    last = done.order_by("-scored_at").values_list("scored_at", flat=True).first()
    if last is not None:
        since = max(since, last - LATE)
    rows = Prediction.objects.filter(created_at__gte=since)
    if version.segment != GENERAL_SEGMENT:
        rows = rows.filter(inputs__type_credit=version.segment)
    rows = rows.exclude(Exists(done.filter(prediction=OuterRef("pk"))))
    return rows.only("inputs", "created_at", "institution_id").order_by("created_at", "uid")
