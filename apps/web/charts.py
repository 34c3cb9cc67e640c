"""Geometry of the charts: lines, bars and histograms as SVG paths and the table of their numbers.

Coordinates are written with a point whatever the language; what people read goes through formatters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10

from django.utils.translation import gettext as _

WIDTH, HEIGHT = 480, 270
LEFT, RIGHT, TOP, BOTTOM = 56, 28, 12, 36
TICKS = 5
MOST_LABELS = 6
#: Share of its step that a bar fills; a histogram's bars touch.
BAR = 0.64

type Words = Callable[[float], str]
type Point = tuple[float, float]
#: A value, and the bounds of its interval.
type Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, as an SVG number, and its words."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """One curve; ``rank`` gives its colour and its dashes."""

    rank: int
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Span:
    """A value with its interval: a dot on an upright line."""

    x: str
    y: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What ``components/chart.html`` draws, and the table that says the same."""

    x_ticks: list[Tick]
    y_ticks: list[Tick]
    strokes: list[Stroke]
    bars: list[Bar]
    diagonal: str
    header: list[str]
    rows: list[list[str]]
    spans: list[Span] = field(default_factory=list)
    span_label: str = ""

    width, height = WIDTH, HEIGHT
    left, top, right, bottom = LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM


def lines(
    series: Sequence[tuple[str, Sequence[Point]]],
    *,
    x: str,
    x_words: Words = str,
    y_words: Words = str,
    diagonal: bool = False,
    exact: bool = False,
) -> Chart:
    """Draw each ``(label, points)`` as a curve over common axes; ``diagonal`` adds where y equals x.

    ``exact`` lets the level axis begin with the first point and end with the last.
    """
    points = [point for _label, each in series for point in each]
    across = _Scale([point[0] for point in points], LEFT, WIDTH - RIGHT, exact=exact)
    up = _Scale([0.0, *(point[1] for point in points)], HEIGHT - BOTTOM, TOP)
    strokes = [
        Stroke(rank, label, "M" + " L".join(f"{across.at(px)} {up.at(py)}" for px, py in each))
        for rank, (label, each) in enumerate(series, start=1)
        if each
    ]
    low, high = max(across.low, up.low), min(across.high, up.high)
    found = {label: dict(each) for label, each in series}
    places = sorted({point[0] for point in points})
    return Chart(
        x_ticks=across.ticks(x_words),
        y_ticks=up.ticks(y_words),
        strokes=strokes,
        bars=[],
        diagonal=f"M{across.at(low)} {up.at(low)} L{across.at(high)} {up.at(high)}" if diagonal else "",
        header=[x, *found],
        rows=[
            [x_words(place), *(_cell(values.get(place), y_words) for values in found.values())]
            for place in places
        ],
    )


def intervals(
    values: Sequence[tuple[str, Interval]],
    line: Sequence[float],
    *,
    names: tuple[str, str, str, str],
    y_words: Words = str,
) -> Chart:
    """Draw each ``(label, (value, low, high))`` as a dot with its interval, ``line`` over the same labels.

    ``names`` are those of the labels, the values, the intervals and the line.
    """
    up = _Scale([0.0, *(high for _label, (_value, _low, high) in values), *line], HEIGHT - BOTTOM, TOP)
    step = (WIDTH - RIGHT - LEFT) / max(len(values), 1)
    places = [_svg(LEFT + step * (rank + 0.5)) for rank in range(len(values))]
    kept = max(1, ceil(len(values) / MOST_LABELS))
    path = "M" + " L".join(f"{x} {up.at(value)}" for x, value in zip(places, line, strict=True))
    return Chart(
        x_ticks=[Tick(x, label) for x, (label, _each) in list(zip(places, values, strict=True))[::kept]],
        y_ticks=up.ticks(y_words),
        strokes=[Stroke(2, names[3], path)] if values else [],
        bars=[],
        diagonal="",
        header=list(names),
        rows=[
            [label, y_words(value), f"{y_words(low)} – {y_words(high)}", y_words(over)]
            for (label, (value, low, high)), over in zip(values, line, strict=True)
        ],
        spans=[
            Span(x, up.at(value), up.at(low), up.at(high))
            for x, (_label, (value, low, high)) in zip(places, values, strict=True)
        ],
        span_label=names[1],
    )


def bars(values: Sequence[tuple[str, float]], *, x: str, y: str, y_words: Words = str) -> Chart:
    """Draw one bar per ``(label, value)``, apart from each other."""
    return _columns(values, x=x, y=y, y_words=y_words, share=BAR)


#: Geometry of a chart of ranks: a line each, its words before the bar and its number behind.
RANK_STEP, RANK_WORDS, RANK_END = 30, 180, 400
LONGEST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Rank:
    """One line: where it stands, its words (cut) and number, how long its bar is."""

    at: str
    label: str
    text: str
    width: str


@dataclass(frozen=True, slots=True)
class Ranks:
    """What ``components/chart_ranks.html`` draws, and the table that says the same."""

    height: int
    ranks: list[Rank]
    header: list[str]
    rows: list[list[str]]

    width, start = WIDTH, RANK_WORDS


def ranks(values: Sequence[tuple[str, float]], *, x: str, y: str, y_words: Words = str) -> Ranks:
    """Draw one level bar per ``(label, value)``, one under the other: labels may be long."""
    most = max((value for _label, value in values), default=0.0) or 1.0
    drawn = [
        Rank(
            at=_svg(RANK_STEP * place + 6),
            label=label if len(label) <= LONGEST_WORDS else f"{label[: LONGEST_WORDS - 1].rstrip()}…",
            text=y_words(value),
            width=_svg((RANK_END - RANK_WORDS) * value / most),
        )
        for place, (label, value) in enumerate(values)
    ]
    rows = [[label, y_words(value)] for label, value in values]
    return Ranks(RANK_STEP * len(values) + 4, drawn, [x, y], rows)


def histogram(
    counts: Sequence[int], *, start: float, step: float, x: str, x_words: Words = str, y_words: Words = str
) -> Chart:
    """Draw touching bars: ``counts`` of the classes of width ``step`` from ``start`` on."""
    edges = [start + step * rank for rank in range(len(counts) + 1)]
    named = [
        (_("%(low)s to %(high)s") % {"low": x_words(low), "high": x_words(high)}, float(count))
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    drawn = _columns(named, x=x, y=_("Number"), y_words=y_words, share=1.0)
    across = _Scale(edges, LEFT, WIDTH - RIGHT, exact=True)
    kept = ceil(len(edges) / MOST_LABELS)
    ticks = [Tick(across.at(edge), x_words(edge)) for edge in edges[::kept]]
    return Chart(ticks, drawn.y_ticks, [], drawn.bars, "", drawn.header, drawn.rows)


def _columns(values: Sequence[tuple[str, float]], *, x: str, y: str, y_words: Words, share: float) -> Chart:
    up = _Scale([0.0, *(value for _label, value in values)], HEIGHT - BOTTOM, TOP)
    step = (WIDTH - RIGHT - LEFT) / max(len(values), 1)
    ground = float(up.at(0))
    drawn, ticks = [], []
    for rank, (label, value) in enumerate(values):
        top = float(up.at(value))
        start = LEFT + step * (rank + (1 - share) / 2)
        size = abs(ground - top)
        drawn.append(Bar(_svg(start), _svg(min(top, ground)), _svg(step * share), _svg(size)))
        if rank % ceil(len(values) / MOST_LABELS) == 0:
            ticks.append(Tick(_svg(LEFT + step * (rank + 0.5)), label))
    rows = [[label, y_words(value)] for label, value in values]
    return Chart(ticks, up.ticks(y_words), [], drawn, "", [x, y], rows)


class _Scale:
    """An axis: from values to places, with round marks around the values unless ``exact``."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, exact: bool = False) -> None:
        low, high = min(values, default=0.0), max(values, default=1.0)
        high = high if high > low else low + 1
        self.step = _round_step((high - low) / TICKS)
        self.low = low if exact else floor(low / self.step) * self.step
        self.high = high if exact else ceil(high / self.step) * self.step
        self.start, self.end = start, end

    def at(self, value: float) -> str:
        share = (value - self.low) / (self.high - self.low)
        return _svg(self.start + (self.end - self.start) * share)

    def ticks(self, words: Words) -> list[Tick]:
        count = floor((self.high - self.low) / self.step + 1e-9)
        marks = (round(self.low + self.step * rank, 10) for rank in range(count + 1))
        return [Tick(self.at(mark), words(mark)) for mark in marks]


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 and 10 times a power of ten that is not below ``least``."""
    power: float = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _svg(number: float) -> str:
    return f"{number:.1f}"


def _cell(value: float | None, words: Words) -> str:
    return "—" if value is None else words(value)
