"""How well scores tell defaults from the others: the area under the ROC curve and its standard error."""

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats

Outcomes = npt.NDArray[np.int8]


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
