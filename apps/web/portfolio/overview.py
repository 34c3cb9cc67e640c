"""The portfolio as a whole and over the months: figures, and curves with what one sees in them."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.reports.queries.portfolio import Cell, Portfolio
from apps.web import charts
from apps.web.portfolio.sheets import (
    BY_MONTH,
    Drawn,
    Figure,
    days,
    file_url,
)
from apps.web.templatetags.formats import fcfa, percent, whole


def figures_of(whole_cell: Cell) -> list[Figure]:
    """Return the figures of the period, those of scores first."""
    scores, files = whole_cell.scores, whole_cell.files
    return [
        Figure(_("Scores given"), whole(scores.scores)),
        Figure(_("Mean probability of default"), percent(scores.mean_pd)),
        Figure(_("Expected loss"), fcfa(scores.expected_loss_xaf)),
        Figure(_("Applications"), whole(files.files), fcfa(files.amount_xaf)),
        Figure(_("Acceptance"), percent(files.acceptance, 1), _decided_note(files)),
        Figure(_("Mean delay of decision"), days(files.mean_delay_days), _timed_note(files.timed)),
        Figure(_("Against the advice"), percent(files.override_share, 1), _overrides_note(files)),
        Figure(_("Defaults observed"), percent(files.observed_default), _matured_note(files.matured)),
        Figure(
            _("Predicted on the same credits"),
            percent(files.predicted_default),
            _matured_note(files.matured_scored),
        ),
    ]


def _decided_note(files: Any) -> str:
    return _("%(granted)s granted, %(refused)s refused") % {
        "granted": whole(files.granted),
        "refused": whole(files.refused),
    }


def _timed_note(count: int) -> str:
    return ngettext("%(count)s decision", "%(count)s decisions", count) % {"count": whole(count)}


def _overrides_note(files: Any) -> str:
    return _("%(milder)s milder, %(stricter)s stricter") % {
        "milder": whole(files.overrides_favourable),
        "stricter": whole(files.overrides_severe),
    }


def _matured_note(count: int) -> str:
    text = ngettext("%(count)s credit with a known outcome", "%(count)s credits with a known outcome", count)
    return text % {"count": whole(count)}


def month_charts(found: Portfolio, query: str) -> list[Drawn]:
    """Return the curves over the months, where there are two points at least: defaults, decisions."""
    whole_cell = found.whole
    predicted = (_("Predicted, scores of the month"), _points(found, lambda cell: cell.scores.mean_pd))
    observed = (
        _("Observed, applications of the month"),
        _points(found, lambda cell: cell.files.observed_default),
    )
    accepted = (_("Acceptance"), _points(found, lambda cell: cell.files.acceptance))
    titles = _("Probability of default and observed defaults"), _("Acceptance by month of application")
    share = percent(whole_cell.files.acceptance, 1)
    told = _("%(share)s of what was decided was granted.") % {"share": share}
    return [
        *_curves("defaults", titles[0], _defaults_words(whole_cell), [predicted, observed], query),
        *_curves("acceptance", titles[1], told, [accepted], query),
    ]


def _defaults_words(whole_cell: Cell) -> str:
    pd, observed = whole_cell.scores.mean_pd, whole_cell.files.observed_default
    sentences = []
    if pd is not None:
        text = _("%(pd)s predicted on average over the scores of the period.")
        sentences.append(text % {"pd": percent(pd)})
    if observed is not None:
        text = _("%(observed)s of the credits with a known outcome defaulted.")
        sentences.append(text % {"observed": percent(observed)})
    return " ".join(sentences)


def _curves(
    name: str, title: str, finding: str, series: Iterable[tuple[str, list[charts.Point]]], query: str
) -> list[Drawn]:
    """Return the chart of the series that have two points at least, in a list; none without such a one."""
    drawn = [each for each in series if len(each[1]) > 1]
    if not drawn:
        return []
    chart = charts.lines(
        drawn, x=_("Month"), x_words=_month_words, y_words=lambda value: percent(value, 0), exact=True
    )
    return [Drawn(name, title, finding, chart, file_url(BY_MONTH, query))]


def _points(found: Portfolio, figure: Callable[[Cell], float | None]) -> list[tuple[float, float]]:
    values = ((_place(month), figure(cell)) for month, cell in found.by_month.items())
    return [(place, value) for place, value in values if value is not None]


def _place(month: dt.date) -> float:
    return month.year * 12 + month.month - 1


def _month_words(place: float) -> str:
    number = round(place)
    return f"{number % 12 + 1:02d}/{number // 12}" if number == place else ""
