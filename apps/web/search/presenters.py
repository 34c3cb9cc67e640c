"""A found file as a line to open."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.engine import reasons
from apps.scoring.models import Prediction
from apps.scoring.queries.search import File
from apps.tenancy.language import current_lang

PAGES = {"client": "web:client", "creditapplication": "web:application", "prediction": "web:score"}


@dataclass(frozen=True, slots=True)
class ScoreMark:
    """The latest score, in three words."""

    grade: str
    points: int
    band: str
    band_label: str
    recommendation: str
    recommendation_label: str
    date: dt.datetime


@dataclass(frozen=True, slots=True)
class FileLine:
    kind: str
    kind_label: str
    title: str
    reference: str
    agency: str
    url: str
    score: ScoreMark | None


def file_lines(files: Iterable[File]) -> list[FileLine]:
    """Return a line per file: who, which reference and agency, the latest score, and where it opens."""
    return [_line(file) for file in files]


def _line(file: File) -> FileLine:
    labels = {"client": _("Client"), "creditapplication": _("Application"), "prediction": _("Score")}
    client = file.subject if file.kind == "client" else file.subject.client
    holder = file.subject if file.kind != "prediction" else file.subject.application
    agency = getattr(holder, "agency", None)
    return FileLine(
        kind=file.kind,
        kind_label=labels[file.kind],
        title=str(client) if client else _("Direct score"),
        reference=getattr(holder, "reference", ""),
        agency=str(agency) if agency else "",
        url=_address(file),
        score=_mark(file.latest) if file.latest else None,
    )


def _address(file: File) -> str:
    """Return the file's own page or, where there is none, its latest score's; empty without either."""
    try:
        return reverse(PAGES[file.kind], args=[file.subject.uid])
    except NoReverseMatch:
        return reverse("web:score", args=[file.latest.uid]) if file.latest else ""


def _mark(prediction: Prediction) -> ScoreMark:
    lang = current_lang()
    return ScoreMark(
        grade=prediction.grade,
        points=prediction.points,
        band=prediction.band,
        band_label=reasons.band_label(prediction.band, lang),  # type: ignore[arg-type]
        recommendation=prediction.recommendation,
        recommendation_label=reasons.recommendation_label(prediction.recommendation, lang),  # type: ignore[arg-type]
        date=prediction.created_at,
    )
