"""The portfolio by the values of one property: chart, table, file."""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.engine.dictionary import STANDARD
from apps.reports.queries.portfolio import Cell, Portfolio, PortfolioWish
from apps.scoring.enums import Breakdown
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.web import charts
from apps.web.portfolio.forms import month_name
from apps.web.portfolio.sheets import BREAKDOWN, Drawn, Line, Sheet, days, file_url
from apps.web.templatetags.formats import MISSING, fcfa, percent, whole

_CATEGORIES = {
    Breakdown.CREDIT_TYPE: "type_credit",
    Breakdown.CONTRACT: "type_contrat_travail",
    Breakdown.SECTOR: "secteur",
}


def breakdown_chart(found: Portfolio, by: Breakdown, names: Mapping[str, str], query: str) -> Drawn | None:
    """Return the mean probability by the values of the breakdown, the riskiest first; None by months."""
    if by == Breakdown.MONTH:
        return None
    measured = [
        (names.get(key) or _bare(key), value)
        for key, cell in found.by_value.items()
        if (value := cell.files.acceptance if by == Breakdown.DECIDER else cell.scores.mean_pd) is not None
    ]
    if not measured:
        return None
    measured.sort(key=lambda each: -each[1])
    (first, most), (last, least) = measured[0], measured[-1]
    by_people = by == Breakdown.DECIDER
    text = _("From %(least)s (%(last)s) to %(most)s (%(first)s).")
    return Drawn(
        "breakdown",
        _("Acceptance by who decided")
        if by_people
        else _("Mean probability of default: %(by)s") % {"by": by.label},
        text % {"least": percent(least, 1), "last": last, "most": percent(most, 1), "first": first},
        charts.ranks(
            measured,
            x=str(by.label),
            y=_("Acceptance") if by_people else _("Mean probability of default"),
            y_words=lambda value: percent(value, 1),
        ),
        file_url(BREAKDOWN, query),
    )


def breakdown_sheet(
    found: Portfolio, by: Breakdown, names: Mapping[str, str], urls: Mapping[str, str], query: str
) -> Sheet:
    """Return every figure by the values of the breakdown."""
    lines = [
        Line(names.get(key) or _bare(key), urls.get(key, ""), list(zip(_labels(), _cells(cell), strict=True)))
        for key, cell in ordered(found, by, names)
    ]
    return Sheet(str(by.label), [str(by.label), *_labels()], lines, file_url(BREAKDOWN, query))


def _labels() -> list[str]:
    return [
        _("Scores"),
        _("Mean PD"),
        _("Expected loss"),
        _("Applications"),
        _("Acceptance"),
        _("Delay"),
        _("Against the advice"),
        _("Observed default"),
    ]


def _cells(cell: Cell) -> list[str]:
    scores, files = cell.scores, cell.files
    return [
        whole(scores.scores),
        percent(scores.mean_pd, 1),
        fcfa(scores.expected_loss_xaf) if scores.scores else MISSING,
        whole(files.files),
        percent(files.acceptance, 0),
        days(files.mean_delay_days),
        percent(files.override_share, 0),
        percent(files.observed_default, 1),
    ]


def ordered(found: Portfolio, by: Breakdown, names: Mapping[str, str]) -> list[tuple[str, Cell]]:
    """Return the values of a breakdown in order: months and grades in theirs, others by size."""
    if by == Breakdown.MONTH:
        return [(f"{month:%Y-%m}", cell) for month, cell in found.by_month.items()]
    cells = list(found.by_value.items())
    if by == Breakdown.GRADE:
        return sorted(cells)
    return sorted(
        cells, key=lambda each: (-each[1].scores.scores, -each[1].files.files, names.get(each[0], ""))
    )


def names_of(
    found: Portfolio, by: Breakdown, *, agencies: Iterable[Any], people: Mapping[str, str]
) -> dict[str, str]:
    """Return the words of the values of a breakdown."""
    unknown = {"": _("Not known")}
    if by == Breakdown.MONTH:
        return {f"{month:%Y-%m}": month_name(month) for month in found.by_month}
    if by == Breakdown.AGENCY:
        return {"": _("Files and scores without a client"), **{str(each.pk): each.name for each in agencies}}
    if by in _CATEGORIES:
        lang = current_lang()
        categories = STANDARD[_CATEGORIES[by]].categories
        return {**unknown, **{each.code: each.label(lang) for each in categories}}
    if by == Breakdown.GRADE:
        return {"": _("Not scored")}
    return {"": _("Nobody"), **{key: people.get(key, _("Former member")) for key in found.by_value if key}}


def _bare(code: str) -> str:
    """Return a code that no list holds as words."""
    return capfirst(code.replace("_", " "))


def urls_of(
    actor: Actor, wish: PortfolioWish, by: Breakdown, agencies: Iterable[Any], found: Portfolio
) -> dict[str, str]:
    """Return where the applications of a line are listed, for who reads files."""
    if not actor.may(Verb.READ_FILES):
        return {}
    days = {"date_from": wish.first.isoformat(), "date_to": end_of(wish.last).isoformat()}
    known = {each.pk: each for each in agencies}
    chosen = known.get(wish.agency_id or 0)
    to = reverse("web:applications")
    if by == Breakdown.AGENCY:
        return {
            str(key): f"{to}?{urlencode({**days, 'agency': str(each.uid)})}"
            for key, each in known.items()
            if each.is_active
        }
    if by == Breakdown.MONTH:
        agency = {"agency": str(chosen.uid)} if chosen else {}
        return {
            f"{month:%Y-%m}": f"{to}?"
            + urlencode({"date_from": month.isoformat(), "date_to": end_of(month).isoformat(), **agency})
            for month in found.by_month
        }
    return {}


def end_of(month: dt.date) -> dt.date:
    """Return the last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def table_of(found: Portfolio, by: Breakdown, names: Mapping[str, str]) -> tuple[list[str], list[list[Any]]]:
    """Return every figure by the values of a breakdown as a file holds it: numbers, nothing rounded."""
    header = [
        str(by.label),
        *(_("Scores"), _("Mean PD"), _("Mean points"), _("Predicted defaults"), _("Expected loss (FCFA)")),
        *(_("Applications"), _("Amount (FCFA)"), _("Granted"), _("Refused"), _("Acceptance")),
        *(
            _("Timed decisions"),
            _("Mean delay (days)"),
            _("Decisions"),
            _("Decisions on a firm advice"),
            _("Milder than the advice"),
        ),
        *(_("Stricter than the advice"), _("Known outcomes"), _("Defaults"), _("Observed default")),
        *(_("Scored, with a known outcome"), _("Predicted on the same credits")),
    ]
    return header, [_numbers(names.get(key) or _bare(key), cell) for key, cell in ordered(found, by, names)]


def _numbers(name: str, cell: Cell) -> list[Any]:
    scores, files = cell.scores, cell.files
    return [
        name,
        *(scores.scores, scores.mean_pd, scores.mean_points, scores.predicted_defaults),
        *(scores.expected_loss_xaf, files.files, files.amount_xaf, files.granted, files.refused),
        *(files.acceptance, files.timed, files.mean_delay_days, files.decided, files.advised),
        *(
            files.overrides_favourable,
            files.overrides_severe,
            files.matured,
            files.defaults,
            files.observed_default,
        ),
        *(files.matured_scored, files.predicted_default),
    ]
