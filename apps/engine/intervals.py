"""Intervals of shares, in plain numbers."""

from math import sqrt
from statistics import NormalDist

WIDE = NormalDist().inv_cdf(0.975)


def wilson(count: int, rows: int) -> tuple[float, float]:
    """Give the interval of a share at 95 % (Wilson 1927)."""
    share, square = count / rows, WIDE**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = WIDE / (1 + square / rows) * sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)
