"""A challenger beside what was in production."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, F
from django.utils import timezone

from apps.credits.enums import Outcome
from apps.credits.models import CreditApplication
from apps.registry.models import ModelVersion
from apps.scoring.models import ShadowScore

if TYPE_CHECKING:
    from apps.engine.discrimination import Discrimination

#: How far back a challenger is compared with what was in production.
SHADOWED = dt.timedelta(days=90)
#: The latest scores that a comparison looks at.
MOST_SHADOWED = 20_000


@dataclass(frozen=True, slots=True)
class Shadow:
    """A challenger beside what was in production, on the same scores of the last 90 days.

    ``moves[old][new]`` counts scores by band, that of production first, at the threshold each was given with.
    The AUCs, with their intervals, are on the matured applications among them; ``None`` below ten
    defaults or ten others.
    """

    scores: int
    latest: dt.datetime | None
    mean_pd: float
    mean_pd_production: float
    moves: tuple[tuple[int, ...], ...]
    matured: int
    defaults: int
    auc: "Discrimination | None"
    auc_production: "Discrimination | None"

    @property
    def changed(self) -> int:
        return sum(count for old, row in enumerate(self.moves) for new, count in enumerate(row) if old != new)


def shadow_of(version: ModelVersion) -> Shadow | None:
    """Return what a challenger makes of the latest scores, two statements; ``None`` before its first one."""
    rows = ShadowScore.objects.filter(model_version=version, scored_at__gte=timezone.now() - SHADOWED)
    latest = rows.order_by("-scored_at").values("pk")[:MOST_SHADOWED]
    known = ShadowScore.objects.filter(pk__in=latest)
    band = models.Case(
        models.When(pd__gte=F("prediction__threshold"), then=models.Value("eleve")),
        models.When(pd__gte=F("prediction__threshold") / 2, then=models.Value("modere")),
        default=models.Value("faible"),
    )
    groups = list(
        known.annotate(new=band)
        .values_list("prediction__band", "new")
        .annotate(Count("pk"), models.Sum("pd"), models.Sum("prediction__pd"), models.Max("scored_at"))
        .order_by()
    )
    if not groups:
        return None
    bands = ("faible", "modere", "eleve")
    counts = {(old, new): count for old, new, count, *_sums in groups}
    total = sum(counts.values())
    outcomes = list(
        known.filter(prediction__application__in=CreditApplication.objects.matured()).values_list(
            "pd", "prediction__pd", "prediction__application__outcome"
        )
    )
    own, production, defaults = _orders(outcomes)
    return Shadow(
        scores=total,
        latest=max(each[5] for each in groups),
        mean_pd=sum(each[3] for each in groups) / total,
        mean_pd_production=sum(each[4] for each in groups) / total,
        moves=tuple(tuple(counts.get((old, new), 0) for new in bands) for old in bands),
        matured=len(outcomes),
        defaults=defaults,
        auc=own,
        auc_production=production,
    )


def _orders(
    outcomes: list[tuple[float, float, str]],
) -> tuple["Discrimination | None", "Discrimination | None", int]:
    import numpy as np

    from apps.engine.discrimination import discrimination

    y = np.array([outcome == Outcome.DEFAULT for _own, _production, outcome in outcomes], dtype=np.int8)
    own, production = (
        discrimination(np.array([each[place] for each in outcomes], dtype=np.float64), y) for place in (0, 1)
    )
    return own, production, int(y.sum())
