"""From a probability of default to points, grades and bands (MODELS.md, « From probability to advice »)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from apps.engine.contracts import Band, PolicyFigures

GRADES = ("A", "B", "C", "D", "E")


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A score taken apart, in whole points: ``base + sum(parts) + rounding + clipping == total``.

    ``parts`` follow the contributions given; ``reached`` is the score before the limits of the scale.
    """

    base: int
    parts: tuple[int, ...]
    rounding: int
    clipping: int
    total: int

    @property
    def reached(self) -> int:
        return self.total - self.clipping


def sigmoid(log_odds: float) -> float:
    """``1 / (1 + exp(-x))`` without overflow."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1 + odds)


def logit(pd: float) -> float:
    """``ln(p / (1 - p))``; minus and plus infinity at 0 and 1."""
    if pd <= 0:
        return -math.inf
    if pd >= 1:
        return math.inf
    return math.log(pd) - math.log1p(-pd)


def points(pd: float, figures: PolicyFigures) -> int:
    """Score in points, more is safer: ``base + pdo / ln 2 * (ln((1 - p) / p) - ln base_odds)``, clipped."""
    good_log_odds = -logit(pd)
    if math.isinf(good_log_odds):
        return figures.points_max if good_log_odds > 0 else figures.points_min
    raw = figures.points_at_base_odds + _points_per_log_odds(figures) * (
        good_log_odds - math.log(figures.base_odds)
    )
    return min(max(round(raw), figures.points_min), figures.points_max)


def points_of_contribution(log_odds: float, figures: PolicyFigures) -> int:
    """Points that one contribution adds (favourable) or takes away (adverse, negative), rounded."""
    return round(-_points_per_log_odds(figures) * log_odds)


def breakdown(base: float, contributions: Sequence[float], total: int, figures: PolicyFigures) -> Breakdown:
    """Take a score of ``total`` points apart: ``base`` and ``contributions`` are log-odds of default.

    Every line is rounded by itself and what that leaves is a line of its own. Sharing the remainder out
    (largest remainder) would hide that line, but then a variable's points would depend on its neighbours
    and differ from those said elsewhere, and the base would change from one application to the next.
    """
    scale = _points_per_log_odds(figures)
    exact_base = figures.points_at_base_odds - scale * (math.log(figures.base_odds) + base)
    shown_base = round(exact_base)
    parts = tuple(points_of_contribution(log_odds, figures) for log_odds in contributions)
    raw = round(exact_base - scale * sum(contributions))
    inside = figures.points_min <= raw <= figures.points_max
    reached = total if inside else raw  # inside, a half may have been rounded the other way from the PD
    return Breakdown(
        base=shown_base,
        parts=parts,
        rounding=reached - shown_base - sum(parts),
        clipping=total - reached,
        total=total,
    )


def grade(pd: float, figures: PolicyFigures) -> str:
    """Grade A to E: A below the first limit, E from the last one on."""
    return GRADES[sum(pd >= limit for limit in figures.grade_limits)]


def band(pd: float, threshold: float) -> Band:
    """Band of risk: ``faible`` below half the threshold, ``modere`` below it, ``eleve`` from it on."""
    if pd >= threshold:
        return "eleve"
    return "modere" if pd >= threshold / 2 else "faible"


def _points_per_log_odds(figures: PolicyFigures) -> float:
    return figures.pdo / math.log(2)
