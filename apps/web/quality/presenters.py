"""Scores of quality in words and bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.credits.queries.quality import BEST, PARTS, AgencyQuality, FileQuality
from apps.web import charts
from apps.web.templatetags.formats import MISSING, percent, whole

GOOD, FAIR = 80, 60


@dataclass(frozen=True, slots=True)
class QualityView:
    """The score of one file: its tone and word, and what lowers it."""

    score: int
    tone: str
    label: str
    causes: list[tuple[str, int]]


def quality_view(found: FileQuality) -> QualityView:
    """Return the quality of a client's file in words."""
    score = found.score
    return QualityView(
        score=score,
        tone=_tone(score),
        label=_part_label(max(place for place, start in enumerate(PARTS) if score >= start)),
        causes=[(str(fault.label), fault.points) for fault in found.faults],
    )


def _tone(score: float) -> str:
    return "positive" if score >= GOOD else "caution" if score >= FAIR else "negative"


def _part_label(place: int) -> str:
    return [_("Insufficient"), _("Weak"), _("Fair"), _("Good")][place]


@dataclass(frozen=True, slots=True)
class CauseLine:
    """What lowers the quality of many files: how many have it, which share, what it costs each."""

    label: str
    files: str
    share: str
    points: int


@dataclass(frozen=True, slots=True)
class WholeView:
    clients: str
    mean: str
    good: str
    chart: charts.Chart | None
    finding: str
    causes: list[CauseLine]


def whole_view(found: AgencyQuality) -> WholeView:
    """Return the quality of all files together."""
    good = percent(found.parts[-1] / found.clients, 0) if found.clients else MISSING
    return WholeView(
        clients=whole(found.clients),
        mean=_mean(found),
        good=good,
        chart=_chart(found) if found.clients else None,
        finding=_("%(share)s of the files have a good score, of %(least)d or more.")
        % {"share": good, "least": PARTS[-1]},
        causes=[
            CauseLine(
                label=str(fault.label),
                files=whole(count),
                share=percent(count / found.clients, 0),
                points=fault.points,
            )
            for fault, count in found.causes
        ],
    )


def _mean(found: AgencyQuality) -> str:
    return MISSING if found.mean is None else whole(round(found.mean))


def _chart(found: AgencyQuality) -> charts.Chart:
    ends = [*(start - 1 for start in PARTS[1:]), BEST]
    names = [f"{start}-{end}" for start, end in zip(PARTS, ends, strict=True)]
    values = [(name, float(count)) for name, count in zip(names, found.parts, strict=True)]
    return charts.bars(values, x=_("Score of quality"), y=_("Clients"), y_words=_count)


def _count(value: float) -> str:
    return whole(round(value))


@dataclass(frozen=True, slots=True)
class AgencyLine:
    name: str
    clients: str
    mean: str
    tone: str
    label: str
    good: str
    worst: str


def agency_lines(agencies: Iterable[AgencyQuality]) -> list[AgencyLine]:
    """Return a line per agency with its heaviest cause."""
    return [_agency_line(each) for each in agencies]


def _agency_line(found: AgencyQuality) -> AgencyLine:
    mean: Any = round(found.mean or 0)
    worst = found.causes[:1]
    return AgencyLine(
        name=found.name,
        clients=whole(found.clients),
        mean=_mean(found),
        tone=_tone(mean),
        label=_part_label(max(place for place, start in enumerate(PARTS) if mean >= start)),
        good=percent(found.parts[-1] / found.clients, 0),
        worst=str(worst[0][0].label) if worst else MISSING,
    )
