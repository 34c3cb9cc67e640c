"""How scores and the data of applications are spread."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.reports.models import CreditStatistics
from apps.reports.services.portfolio import NUMBERS
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.monitoring.tables import decimal
from apps.web.portfolio.sheets import (
    POINTS,
    STATISTICS,
    Drawn,
    Line,
    Sheet,
    file_url,
)
from apps.web.templatetags.formats import MISSING, percent, whole

#: Points that a class of the histogram spans; that of the totals.
POINTS_STEP = 25


def points_chart(counts: Mapping[str, int], query: str) -> Drawn | None:
    """Return how many scores lie in each class of points."""
    found = {int(start): count for start, count in counts.items()}
    if not found:
        return None
    starts = range(min(found), max(found) + 1, POINTS_STEP)
    total = sum(found.values())
    top = max(found, key=lambda start: found[start])
    text = _(
        "%(count)s scores; the most frequent class, %(low)d to %(high)d points, holds %(share)s of them."
    )
    return Drawn(
        "points",
        _("Scores by points"),
        text
        % {
            "count": whole(total),
            "low": top,
            "high": top + POINTS_STEP,
            "share": percent(found[top] / total, 0),
        },
        charts.histogram(
            [found.get(start, 0) for start in starts],
            start=min(found),
            step=POINTS_STEP,
            x=_("Points"),
            x_words=lambda value: whole(round(value)),
            y_words=lambda value: whole(round(value)),
        ),
        file_url(POINTS, query),
    )


def statistics_sheet(found: CreditStatistics, query: str) -> Sheet:
    """Return the descriptive statistics of the numbers of applications."""
    variables, lang = known_variables(found.figures), current_lang()
    header = [_("Known"), _("Mean"), _("Deviation"), _("Least"), "5 %", "25 %", _("Median"), "75 %", "95 %"]
    header += [_("Most"), _("Mean, repaid"), _("Mean, in default")]
    lines = [
        Line(variables[name].label(lang), "", list(zip(header, statistic_cells(told), strict=True)))
        for name, told in _in_order(found)
    ]
    return Sheet(_("Data of applications"), [_("Variable"), *header], lines, file_url(STATISTICS, query))


def _in_order(found: CreditStatistics) -> list[tuple[str, Any]]:
    return [(name, found.figures[name]) for name in NUMBERS if name in found.figures]


def statistic_cells(told: Mapping[str, Any]) -> list[str]:
    """Return the numbers of one variable in words."""
    known = percent(told["known"] / told["rows"], 0) if told["rows"] else MISSING
    parts = told["parts"] or [None] * 7
    numbers = [told["mean"], told["deviation"], *parts, told["repaid"], told["defaulted"]]
    return [known, *(_number(each) for each in numbers)]


def _number(value: float | None) -> str:
    if value is None:
        return MISSING
    return whole(round(value)) if abs(value) >= 1_000 else decimal(value, 2 if abs(value) < 10 else 1)  # noqa: PLR2004  digits that are read


def points_table(counts: Mapping[str, int]) -> tuple[list[str], list[list[Any]]]:
    """Return the classes of points as a file holds them."""
    rows = sorted((int(start), int(start) + POINTS_STEP, count) for start, count in counts.items())
    return [_("From (points)"), _("To (points)"), _("Scores")], [list(row) for row in rows]


def statistics_table(found: CreditStatistics | None) -> tuple[list[str], list[list[Any]]]:
    """Return the statistics as a file holds them."""
    header = [_("Variable"), _("Applications"), _("Known"), _("Mean"), _("Deviation"), _("Least")]
    header += [
        "5 %",
        "25 %",
        _("Median"),
        "75 %",
        "95 %",
        _("Most"),
        _("Mean, repaid"),
        _("Mean, in default"),
    ]
    rows = [
        [
            *(name, told["rows"], told["known"], told["mean"], told["deviation"]),
            *(told["parts"] or [None] * 7),
            *(told["repaid"], told["defaulted"]),
        ]
        for name, told in (_in_order(found) if found else [])
    ]
    return header, rows
