"""Benchmarks: what an institution would give, what it gave, and the quartiles of the month."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Sum

from apps.engine.dictionary import STANDARD
from apps.reports.enums import BenchmarkFigure
from apps.reports.models import (
    BenchmarkContribution,
    BenchmarkParticipation,
    BenchmarkQuartiles,
    FileTotal,
)
from apps.reports.queries.portfolio import FileSums, ScoreSums
from apps.scoring.models import ScoreTotal

#: A figure over fewer files takes no part.
LEAST_FILES = 30
#: Months that figures are taken over; those of outcomes end so many months earlier, when they are known.
MONTHS, UNTIL_KNOWN = 12, 13
EVERY_TYPE = ScoreTotal.EVERY_TYPE

#: Type of credit, figure.
CellKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """A figure of one institution, and over how many files it is taken."""

    value: float
    base: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One's own figure beside the quartiles; either may be missing."""

    credit_type: str
    figure: BenchmarkFigure
    own: float | None
    quartiles: BenchmarkQuartiles | None


def months_of(month: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last month that the figures of a publication are taken over."""
    return _back(month, MONTHS), _back(month, 1)


def months_of_outcomes(month: dt.date) -> tuple[dt.date, dt.date]:
    """Return the same for outcomes: those of applications so old that theirs are known."""
    return tuple(_back(each, UNTIL_KNOWN) for each in months_of(month))  # type: ignore[return-value]


def _back(month: dt.date, count: int) -> dt.date:
    place = month.year * 12 + month.month - 1 - count
    return dt.date(place // 12, place % 12 + 1, 1)


def figures_for(month: dt.date) -> dict[CellKey, Given]:
    """Return the figures of the institution in scope, all types together and by standard type of credit.

    By three statements, from totals. A figure over fewer than ``LEAST_FILES`` is left out.
    """
    return {
        (credit_type, figure.value): Given(value, base)
        for credit_type, figure, value, base in _measured(month)
        if value is not None and base >= LEAST_FILES
    }


def _measured(month: dt.date) -> Iterator[tuple[str, BenchmarkFigure, float | None, int]]:
    recent, older = months_of(month), months_of_outcomes(month)
    for code, scores in _sums(ScoreTotal, ScoreSums, recent):
        yield code, BenchmarkFigure.MEAN_PD, scores.mean_pd, scores.scores
    for code, files in _sums(FileTotal, FileSums, recent):
        yield code, BenchmarkFigure.ACCEPTANCE, files.acceptance, files.granted + files.refused
        yield code, BenchmarkFigure.OVERRIDES, files.override_share, files.advised
        yield code, BenchmarkFigure.MEAN_DELAY, files.mean_delay_days, files.timed
        mean = files.amount_xaf / files.files if files.files else None
        yield code, BenchmarkFigure.MEAN_AMOUNT, mean, files.files
    for code, files in _sums(FileTotal, FileSums, older):
        yield code, BenchmarkFigure.OBSERVED_DEFAULT, files.observed_default, files.matured


def _sums(model: Any, kind: Any, months: tuple[dt.date, dt.date]) -> Iterator[tuple[str, Any]]:
    names = [each.name for each in fields(kind)]
    rows = (
        model.objects.filter(
            every_agency=True,
            dimension="",
            month__range=months,
            credit_type__in=[EVERY_TYPE, *STANDARD["type_credit"].codes],
        )
        .values_list("credit_type")
        .annotate(**{f"sum_{name}": Sum(name) for name in names})
        .order_by()
    )
    for credit_type, *sums in rows:
        yield credit_type, kind(*map(int, sums))


def current_participation() -> BenchmarkParticipation | None:
    """Return since when and why the institution takes part; None when it does not."""
    return BenchmarkParticipation.objects.filter(stopped_at=None).select_related("started_by").first()


def given_in(month: dt.date) -> dict[CellKey, float]:
    """Return what the institution in scope gave to the benchmarks of a month."""
    rows = BenchmarkContribution.objects.filter(month=month)
    return {(row.credit_type, row.figure): row.value for row in rows}


def compared_in(month: dt.date) -> list[Compared]:
    """Return every cell of a month that is published or that the institution gave; two statements.

    All types together first, types as the dictionary lists them, figures in their own order.
    """
    own = given_in(month)
    published = {(row.credit_type, row.figure): row for row in BenchmarkQuartiles.objects.filter(month=month)}
    return [
        Compared(credit_type, figure, own.get(key), published.get(key))
        for credit_type in (EVERY_TYPE, *STANDARD["type_credit"].codes)
        for figure in BenchmarkFigure
        if (key := (credit_type, figure.value)) in own or key in published
    ]


def is_published(month: dt.date) -> bool:
    """Say whether the benchmarks of a month stand, for good."""
    return BenchmarkQuartiles.objects.filter(month=month).exists()


def as_values(given: Mapping[CellKey, Given]) -> dict[CellKey, float]:
    """Return the bare figures."""
    return {key: each.value for key, each in given.items()}
