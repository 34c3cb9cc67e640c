"""Where a score stands among the latest ones of the institution."""

from dataclasses import dataclass
from uuid import UUID

from apps.engine import scorecard
from apps.engine.contracts import PolicyFigures
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import figures_of_policy

#: The latest scores of the institution that one score is compared to: a bounded read, whatever the years.
COMPARED = 5_000
#: Fewer others than this say nothing of a position.
FEWEST_COMPARED = 20
_BARS = 22


@dataclass(frozen=True, slots=True)
class Position:
    """Where a score stands among the ``others`` scored lately: ``riskier`` of them have a higher probability.

    ``counts`` are the others by steps of the points' scale from ``lowest`` to ``highest``, all of them
    turned into points by the policy of this score; ``place`` is the step of this score.
    """

    others: int
    riskier: int
    counts: tuple[int, ...]
    place: int
    lowest: int
    highest: int

    @property
    def share(self) -> float | None:
        """The fraction of the others that is riskier, ``None`` when they are too few to say."""
        return self.riskier / self.others if self.others >= FEWEST_COMPARED else None


def position_of(prediction: Prediction) -> Position:
    """Compare a score with the latest 5,000 of the institution, all agencies, one per application.

    It is a figure about the institution and no file: whoever sees the score sees it. Scores without an
    application count one by one; other scores of the same application are left out.
    """
    latest = Prediction.objects.order_by("-created_at", "-uid").values_list("application_id", "uid", "pd")
    by_file: dict[int | UUID, float] = {}
    for application_id, uid, pd in latest[:COMPARED]:
        by_file.setdefault(application_id or uid, pd)
    by_file.pop(prediction.application_id or prediction.uid, None)
    figures = figures_of_policy(prediction.policy)
    counts = [0] * _BARS
    for pd in by_file.values():
        counts[_step(scorecard.points(pd, figures), figures)] += 1
    return Position(
        others=len(by_file),
        riskier=sum(pd > prediction.pd for pd in by_file.values()),
        counts=tuple(counts),
        place=_step(prediction.points, figures),
        lowest=figures.points_min,
        highest=figures.points_max,
    )


def _step(points: int, figures: PolicyFigures) -> int:
    width = figures.points_max - figures.points_min
    return min(max((points - figures.points_min) * _BARS // width, 0), _BARS - 1)
