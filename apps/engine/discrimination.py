"""How well scores tell defaults from the others: the area under the ROC curve and its interval."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats

Outcomes = npt.NDArray[np.int8]

#: Standard errors on each side of a figure that make its interval at 95 %.
WIDE = NormalDist().inv_cdf(0.975)
#: A spread needs two of each; fewer than ten say nothing that people should read.
TWO_OF_EACH, FEWEST_OF_EACH = 2, 10


def auc(scores: Floats, y: Outcomes) -> float:
    """Area under the ROC curve: the chance that a default scores above a good one, ties counting half."""
    ranks = mid_ranks(scores)
    bad = int(y.sum())
    good = len(y) - bad
    return float((ranks[y == 1].sum() - bad * (bad + 1) / 2) / (bad * good))


def auc_standard_error(scores: Floats, y: Outcomes) -> float:
    """Give DeLong's standard error (DeLong 1988, by mid-ranks as Sun and Xu 2014)."""
    ranks = mid_ranks(scores)
    bad, good = scores[y == 1], scores[y == 0]
    above = (ranks[y == 1] - mid_ranks(bad)) / len(good)
    below = 1 - (ranks[y == 0] - mid_ranks(good)) / len(bad)
    return float(np.sqrt(above.var(ddof=1) / len(bad) + below.var(ddof=1) / len(good)))


def mid_ranks(scores: Floats) -> Floats:
    """Give the ranks from 1, the mean rank to equal scores."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks: Floats = middle[place]
    return ranks


@dataclass(frozen=True, slots=True)
class Discrimination:
    """How well defaults are told from the others: the area, its standard error and its interval at 95 %."""

    auc: float
    standard_error: float
    low: float
    high: float

    def has_fallen(self, reference: float, chance: float) -> bool:
        """Say whether the area is below ``reference`` by more than ``chance``, one-sided, explains."""
        return self.auc + NormalDist().inv_cdf(1 - chance) * self.standard_error < reference


def discrimination(
    scores: Floats, y: Outcomes, *, fewest: int = FEWEST_OF_EACH, middle: float | None = None
) -> Discrimination | None:
    """Return the area with DeLong's interval; ``None`` under ``fewest`` defaults or others.

    ``middle`` stands in its centre where the area was measured otherwise, as the mean of some folds is.
    """
    defaults = int(y.sum())
    if min(defaults, len(y) - defaults) < fewest:
        return None
    area, error = auc(scores, y) if middle is None else middle, auc_standard_error(scores, y)
    half = WIDE * error
    return Discrimination(area, error, max(0.0, area - half), min(1.0, area + half))
