"""Geometry of the score gauge: a half circle from the lowest score (left) to the highest (right)."""

import math
from dataclasses import dataclass

CENTRE_X = 120.0
CENTRE_Y = 116.0
RADIUS = 92.0
TICK_INNER = RADIUS - 13
TICK_OUTER = RADIUS + 11
LABEL_RADIUS = RADIUS + 16
MIDDLE_BAND = 0.06  # within this share of the top, a mark's label is centred above it
SHORTEST_ARC = 0.004  # a score at the lower limit still shows as a dot


@dataclass(frozen=True, slots=True)
class Mark:
    """A tick across the arc; texts are SVG numbers, so no language changes their decimal point."""

    path: str
    label_x: str
    label_y: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Dial:
    """SVG paths in a 240 by 134 view box: the whole track, the part up to the score, the threshold."""

    track: str
    value: str
    threshold: Mark | None


def dial(points: int, threshold_points: int | None = None, lowest: int = 300, highest: int = 850) -> Dial:
    """Paths for a score in points, clipped to ``lowest``..``highest``."""
    share = _share(points, lowest, highest)
    return Dial(
        track=_arc(1.0),
        value=_arc(max(share, SHORTEST_ARC)),
        threshold=None if threshold_points is None else _mark(_share(threshold_points, lowest, highest)),
    )


def _share(points: int, lowest: int, highest: int) -> float:
    return min(max((points - lowest) / (highest - lowest), 0.0), 1.0)


def _arc(share: float) -> str:
    start, end = _place(0.0, RADIUS), _place(share, RADIUS)
    return f"M{start} A{RADIUS:.0f} {RADIUS:.0f} 0 0 1 {end}"


def _mark(share: float) -> Mark:
    label_x, label_y = _place(share, LABEL_RADIUS).split()
    away = share - 0.5
    anchor = "middle" if abs(away) <= MIDDLE_BAND else "start" if away > 0 else "end"
    return Mark(f"M{_place(share, TICK_INNER)} L{_place(share, TICK_OUTER)}", label_x, label_y, anchor)


def _place(share: float, radius: float) -> str:
    angle = math.pi * (1.0 - share)
    return f"{CENTRE_X + radius * math.cos(angle):.2f} {CENTRE_Y - radius * math.sin(angle):.2f}"
