"""Where the institution stands among those that share their figures: table, and its file."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.reports.enums import BenchmarkFigure
from apps.reports.queries.benchmarks import EVERY_TYPE, Compared, months_of, months_of_outcomes
from apps.web.portfolio.forms import month_name
from apps.web.portfolio.sheets import Line, Sheet, days, type_label
from apps.web.templatetags.formats import MISSING, fcfa, percent, whole


def shared_words() -> list[tuple[str, str]]:
    """Return each figure that is compared, with what it is taken over."""
    notes = {
        BenchmarkFigure.ACCEPTANCE: _("granted, among what was granted or refused"),
        BenchmarkFigure.MEAN_PD: _("over the scores given"),
        BenchmarkFigure.OBSERVED_DEFAULT: _("among older applications whose outcome is known"),
        BenchmarkFigure.OVERRIDES: _("decisions against the advice, among those on a firm advice"),
        BenchmarkFigure.MEAN_AMOUNT: _("over the applications"),
        BenchmarkFigure.MEAN_DELAY: _("from sending to decision"),
    }
    return [(str(figure.label), notes[figure]) for figure in BenchmarkFigure]


def benchmark_view(month: dt.date, found: Sequence[Compared], credit_type: str) -> dict[str, Any]:
    """Return the table of one type of credit, over which months it is, and whether anything is published."""
    first, last = months_of(month)
    oldest, latest = months_of_outcomes(month)
    title = _("All types") if credit_type == EVERY_TYPE else type_label(credit_type)
    labels = benchmark_labels()
    lines = [
        Line(str(each.figure.label), "", list(zip(labels[1:], _compared_cells(each), strict=True)))
        for each in found
        if each.credit_type == credit_type
    ]
    return {
        "sheet": Sheet(title, labels, lines, reverse("web:benchmarks_csv")),
        "is_published": any(each.quartiles for each in found),
        "months": (month_name(first), month_name(last)),
        "outcome_months": (month_name(oldest), month_name(latest)),
        "month": month_name(month),
    }


def benchmark_labels() -> list[str]:
    """Return the header of the table."""
    return [
        _("Figure"),
        _("Your institution"),
        _("1st quartile"),
        _("Median"),
        _("3rd quartile"),
        _("Where you stand"),
        _("Institutions"),
    ]


def _compared_cells(each: Compared) -> list[str]:
    quartiles = each.quartiles
    if quartiles is None:
        return [_benchmark_text(each.figure, each.own, 2), *[MISSING] * 5]
    numbers = (quartiles.low, quartiles.median, quartiles.high)
    return [
        _benchmark_text(each.figure, each.own, 2),
        *(_benchmark_text(each.figure, number, 1) for number in numbers),
        _place_words(each),
        _("%(count)s or more") % {"count": whole(quartiles.institutions_at_least)},
    ]


def _benchmark_text(figure: BenchmarkFigure, value: float | None, places: int) -> str:
    if value is None:
        return MISSING
    if figure == BenchmarkFigure.MEAN_AMOUNT:
        return fcfa(value)
    return days(value) if figure == BenchmarkFigure.MEAN_DELAY else percent(value, places)


def _place_words(each: Compared) -> str:
    if each.own is None or each.quartiles is None:
        return MISSING
    if each.own < each.quartiles.low:
        return _("Lowest quarter")
    return _("Highest quarter") if each.own > each.quartiles.high else _("Middle half")


def benchmark_table(found: Iterable[Compared]) -> tuple[list[str], list[list[Any]]]:
    """Return every cell as bare numbers."""
    header = [_("Type of credit"), *benchmark_labels()]
    rows = []
    for each in found:
        of_all = each.credit_type == EVERY_TYPE
        name = _("All types") if of_all else type_label(each.credit_type)
        quartiles = each.quartiles
        numbers = [quartiles.low, quartiles.median, quartiles.high] if quartiles else [None] * 3
        count = quartiles.institutions_at_least if quartiles else None
        rows.append([name, str(each.figure.label), each.own, *numbers, _place_words(each), count])
    return header, rows
