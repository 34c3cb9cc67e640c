"""The portfolio in words: figures, charts with what one sees in them, tables, files."""

import calendar
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.credits.queries.dictionary import known_variables
from apps.decisions.enums import DecisionKind
from apps.engine.dictionary import STANDARD
from apps.reports.enums import BenchmarkFigure
from apps.reports.models import CreditStatistics
from apps.reports.queries.alike import Consistency
from apps.reports.queries.benchmarks import EVERY_TYPE, Compared, months_of, months_of_outcomes
from apps.reports.queries.portfolio import Cell, Portfolio, PortfolioWish
from apps.reports.services.portfolio import NUMBERS
from apps.scoring.enums import Breakdown
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.web import charts
from apps.web.monitoring.presenters import Choice
from apps.web.monitoring.tables import decimal
from apps.web.portfolio.forms import month_name
from apps.web.templatetags.formats import MISSING, fcfa, percent, whole

OVERVIEW, DISTRIBUTIONS = "", "distributions"
PARTS = (OVERVIEW, DISTRIBUTIONS)
#: The tables that can be had as files.
BY_MONTH, BREAKDOWN, POINTS, STATISTICS = TABLES = ("mois", "ventilation", "points", "statistiques")
#: Points that a class of the histogram spans; that of the totals.
POINTS_STEP = 25
_CATEGORIES = {Breakdown.CREDIT_TYPE: "type_credit", Breakdown.CONTRACT: "type_contrat_travail"}
_CATEGORIES[Breakdown.SECTOR] = "secteur"


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart, what one sees in it, and the address of its numbers as a file."""

    id: str
    title: str
    finding: str
    chart: Any
    csv_url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: its name, where its rows are listed, its figures with their labels."""

    name: str
    url: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as people read it, and as a file holds it."""

    title: str
    header: list[str]
    lines: list[Line]
    csv_url: str = ""


# --- all together ---------------------------------------------------------------------------------


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


def days(number: float | None) -> str:
    """Return « 3,2 j »."""
    if number is None:
        return MISSING
    # Translators: days, abbreviated, after a number and a no-break space.
    return _("%(days)s\u00a0d") % {"days": decimal(number, 1)}


# --- months ---------------------------------------------------------------------------------------


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


# --- the breakdown --------------------------------------------------------------------------------


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


# --- distributions --------------------------------------------------------------------------------


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


# --- files ----------------------------------------------------------------------------------------


def file_url(table: str, query: str) -> str:
    """Return the address of one table as a file, within the same limits."""
    return f"{reverse('web:portfolio_csv')}?table={table}{f'&{query}' if query else ''}"


def table_of(found: Portfolio, by: Breakdown, names: Mapping[str, str]) -> tuple[list[str], list[list[Any]]]:
    """Return every figure by the values of a breakdown as a file holds it: numbers, nothing rounded."""
    header = [
        str(by.label),
        *(_("Scores"), _("Mean PD"), _("Mean points"), _("Predicted defaults"), _("Expected loss (FCFA)")),
        *(_("Applications"), _("Amount (FCFA)"), _("Granted"), _("Refused"), _("Acceptance")),
        *(_("Timed decisions"), _("Mean delay (days)"), _("Decisions"), _("Milder than the advice")),
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
        *(files.acceptance, files.timed, files.mean_delay_days, files.decided, files.overrides_favourable),
        *(files.overrides_severe, files.matured, files.defaults, files.observed_default),
        *(files.matured_scored, files.predicted_default),
    ]


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


def points_table(counts: Mapping[str, int]) -> tuple[list[str], list[list[Any]]]:
    """Return the classes of points as a file holds them."""
    rows = sorted((int(start), int(start) + POINTS_STEP, count) for start, count in counts.items())
    return [_("From (points)"), _("To (points)"), _("Scores")], [list(row) for row in rows]


def csv_bytes(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a table as Excel in French opens it: BOM, semicolons, decimal commas, no formula."""
    import tempfile
    from pathlib import Path

    import polars as pl

    from apps.files.writing import FRENCH_EXCEL, CsvWriter

    columns = {
        str(place): pl.Series([row[place] for row in rows], strict=False) for place in range(len(header))
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        with CsvWriter(path, header, FRENCH_EXCEL) as writer:
            if rows:
                writer.append(pl.DataFrame(columns))
        return path.read_bytes()


# --- parts and views ------------------------------------------------------------------------------


def part_asked(text: str) -> str:
    """Return the part of the page that an address names; the first one otherwise."""
    return text if text in PARTS else OVERVIEW


def part_links(asked: Any, shown: str) -> list[Choice]:
    """Return the parts of the page, within the same limits."""
    labels = {OVERVIEW: _("Overview"), DISTRIBUTIONS: _("Distributions and statistics")}
    return [Choice(_same_limits(asked, part), label, part == shown) for part, label in labels.items()]


def _same_limits(asked: Any, part: str) -> str:
    query = asked.copy()
    query.pop("vue", None)
    if part:
        query["vue"] = part
    return f"{reverse('web:portfolio')}{f'?{query.urlencode()}' if query else ''}"


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view that was saved: its address, and whether it is the reader's own."""

    uid: Any
    name: str
    url: str
    own: bool
    shared: bool


def view_links(views: Iterable[Any], actor: Actor) -> list[ViewLink]:
    """Return the saved views as links."""
    to = reverse("web:portfolio")
    return [
        ViewLink(each.uid, each.name, f"{to}?{each.query}", each.owner_id == actor.person_id, each.shared)
        for each in views
    ]


# --- consistency ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """One side of a pair."""

    reference: str
    url: str
    kind: str
    tone: str
    pd: str
    who: str
    agency: str
    on: dt.datetime
    against_advice: bool


@dataclass(frozen=True, slots=True)
class PairLine:
    title: str
    apart: str
    sides: tuple[DecidedLine, DecidedLine]


def consistency_view(found: Consistency) -> dict[str, Any]:
    """Return what the page of alike files shows."""
    share = found.opposed / found.compared if found.compared else None
    return {
        "compared": whole(found.compared),
        "opposed": whole(found.opposed),
        "share": percent(share, 1),
        "pair_count": found.pair_count,
        "is_cut": found.is_cut,
        "pairs": [_pair_line(pair) for pair in found.pairs],
        "by_decider": _share_sheet(_("By who decided"), _("Who decided"), found.by_decider),
        "by_agency": _share_sheet(_("By agency"), _("Agency"), found.by_agency),
    }


def _pair_line(pair: Any) -> PairLine:
    title = _("%(type)s, grade %(grade)s")
    points = decimal(100 * pair.apart, 2)
    return PairLine(
        title % {"type": _type_label(pair.refused.credit_type), "grade": pair.refused.grade},
        # Translators: percentage points between two probabilities.
        _("%(points)s pt apart") % {"points": points},
        (_decided_line(pair.refused, "negative"), _decided_line(pair.granted, "positive")),
    )


def _decided_line(decided: Any, tone: str) -> DecidedLine:
    return DecidedLine(
        reference=decided.reference,
        url=reverse("web:application", args=[decided.application_uid]),
        kind=str(DecisionKind(decided.kind).label),
        tone=tone,
        pd=percent(decided.pd),
        who=decided.decider or _("Not known"),
        agency=decided.agency,
        on=decided.decided_on,
        against_advice=decided.against_advice,
    )


def _type_label(code: str) -> str:
    lang = current_lang()
    labels = {each.code: each.label(lang) for each in STANDARD["type_credit"].categories}
    return labels.get(code, code)


def _share_sheet(title: str, name: str, shares: Iterable[Any]) -> Sheet:
    header = [_("Decisions compared"), _("With an opposite decision"), _("Share")]
    lines = [
        Line(
            each.label or _("Not known"),
            "",
            list(
                zip(
                    header,
                    (whole(each.decisions), whole(each.opposed), percent(each.opposed / each.decisions, 1)),
                    strict=True,
                )
            ),
        )
        for each in shares
    ]
    return Sheet(title, [name, *header], lines)


def pairs_table(found: Consistency) -> tuple[list[str], list[list[Any]]]:
    """Return the pairs as a file holds them: the refused file, then the granted one."""
    side = [_("Reference"), _("Decision"), _("Probability"), _("Who decided"), _("Agency"), _("Decided on")]
    header = [
        _("Type of credit"),
        _("Grade"),
        *(f"{each} (1)" for each in side),
        *(f"{each} (2)" for each in side),
    ]
    return header, [
        [pair.refused.credit_type, pair.refused.grade, *_side(pair.refused), *_side(pair.granted)]
        for pair in found.pairs
    ]


def _side(decided: Any) -> list[Any]:
    kind, day = str(DecisionKind(decided.kind).label), timezone.localdate(decided.decided_on)
    return [decided.reference, kind, decided.pd, decided.decider, decided.agency, day]


# --- prospects ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProspectLine:
    name: str
    reference: str
    agency: str
    city: str
    asked: str
    points: int
    scored_on: dt.date


def prospect_lines(clients: Iterable[Any]) -> list[ProspectLine]:
    """Return the lines of the list: no telephone number, which only the file holds."""
    return [
        ProspectLine(
            name=str(each),
            reference=each.reference,
            agency=each.agency.name,
            city=each.city,
            asked=_type_label(each.asked_type) if each.asked_type else MISSING,
            points=each.score_points,
            scored_on=timezone.localdate(each.scored_at),
        )
        for each in clients
    ]


def prospects_table(clients: Iterable[Any]) -> tuple[list[str], list[list[Any]]]:
    """Return the list as a file holds it, with telephone numbers."""
    header = [_("Reference"), _("Name"), _("Phone"), _("City"), _("Agency"), _("Last credit asked for")]
    header += [_("Points"), _("Scored on")]
    return header, [
        [
            *(each.reference, str(each), each.phone, each.city, each.agency.name),
            *(_type_label(each.asked_type) if each.asked_type else "", each.score_points),
            timezone.localdate(each.scored_at),
        ]
        for each in clients
    ]


# --- benchmarks -----------------------------------------------------------------------------------


def shared_words() -> list[tuple[str, str]]:
    """Return each figure that is compared, with what it is taken over."""
    notes = {
        BenchmarkFigure.ACCEPTANCE: _("granted, among what was granted or refused"),
        BenchmarkFigure.MEAN_PD: _("over the scores given"),
        BenchmarkFigure.OBSERVED_DEFAULT: _("among older applications whose outcome is known"),
        BenchmarkFigure.OVERRIDES: _("decisions against the advice, among all decisions"),
        BenchmarkFigure.MEAN_AMOUNT: _("over the applications"),
        BenchmarkFigure.MEAN_DELAY: _("from sending to decision"),
    }
    return [(str(figure.label), notes[figure]) for figure in BenchmarkFigure]


def benchmark_view(month: dt.date, found: Sequence[Compared], credit_type: str) -> dict[str, Any]:
    """Return the table of one type of credit, over which months it is, and whether anything is published."""
    first, last = months_of(month)
    oldest, latest = months_of_outcomes(month)
    title = _("All types") if credit_type == EVERY_TYPE else _type_label(credit_type)
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
        name = _("All types") if of_all else _type_label(each.credit_type)
        quartiles = each.quartiles
        numbers = [quartiles.low, quartiles.median, quartiles.high] if quartiles else [None] * 3
        count = quartiles.institutions_at_least if quartiles else None
        rows.append([name, str(each.figure.label), each.own, *numbers, _place_words(each), count])
    return header, rows
