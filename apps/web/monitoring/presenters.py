"""Monitoring in words: where a model stands, what is passed and what to do, the figures as tables."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.monitoring.enums import AlertCode, FigureKind, Severity, Suggestion
from apps.monitoring.models import Alert
from apps.monitoring.queries import Watch, agency_labels, officer_labels
from apps.monitoring.renderers import about_label, alert_title, suggestion_reason
from apps.scoring.enums import Band
from apps.tenancy.cells import harmless
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.registry.presenters import mention_of, segment_label
from apps.web.templatetags.formats import MISSING, percent, whole

OVERVIEW, POPULATION, GROUPS = "", "population", "groupes"
PARTS = (OVERVIEW, POPULATION, GROUPS)
#: Rolling cohorts on the page; the file has them all.
COHORTS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Choice:
    url: str
    label: str
    current: bool


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert: what is passed, by which figures, since when, what to do and why."""

    tone: str
    severity: str
    title: str
    text: str
    since: dt.datetime
    until: dt.datetime | None
    suggestion: str
    reason: str
    url: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where the model stands, in a line, and what was compared with what."""

    uid: UUID
    name: str
    mention: str
    tone: str
    standing: str
    day: dt.date | None
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TableLine:
    name: str
    cells: list[tuple[str, str]]
    verdict: str
    tone: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: the first cell of a row is its name; ``tone`` colours its last one."""

    header: list[str]
    rows: list[tuple[list[str], str]]
    note: str = ""

    @property
    def lines(self) -> list[TableLine]:
        """Return the rows taken apart: name, labelled cells, verdict when there is one."""
        return [_table_line(self.header, cells, tone) for cells, tone in self.rows]


def _table_line(header: Sequence[str], cells: Sequence[str], tone: str) -> TableLine:
    labelled = list(zip(header[1:], cells[1:], strict=True))
    if not tone:
        return TableLine(cells[0], labelled, "", "")
    return TableLine(cells[0], labelled[:-1], cells[-1], tone)


def choices(versions: Iterable[Any], shown: Any) -> list[Choice]:
    """Return the links to the versions that are watched; none when there is only one."""
    found = [
        Choice(
            reverse("web:model_monitoring", args=[version.uid]),
            f"{version.name} {version.version} · {segment_label(version.segment)} · "
            f"{version.get_status_display()}",
            shown is not None and version.pk == shown.pk,
        )
        for version in versions
    ]
    return found if len(found) > 1 else []


def part_asked(text: str) -> str:
    """Return the part of the page that an address names; the first one otherwise."""
    return text if text in PARTS else OVERVIEW


def part_links(version: Any, shown: str) -> list[Choice]:
    """Return the parts of the page."""
    url = reverse("web:model_monitoring", args=[version.uid])
    labels = {
        OVERVIEW: _("Overview"),
        POPULATION: _("Applicants and variables"),
        GROUPS: _("Agencies and groups"),
    }
    return [
        Choice(f"{url}?vue={part}" if part else url, label, part == shown) for part, label in labels.items()
    ]


def part_of(watch: Watch, part: str) -> dict[str, Any]:
    """Return what one part of the page shows."""
    if watch.day is None:
        return {}
    if part == POPULATION:
        return _population(watch)
    return _groups(watch) if part == GROUPS else _overview(watch)


# --- the head -------------------------------------------------------------------------------------


def head_of(watch: Watch) -> Head:
    """Return where a version stands."""
    version, standing = watch.version, watch.standing
    count = len(watch.open)
    words = {
        "alert": ngettext("%(count)s limit passed", "%(count)s limits passed", count) % {"count": count},
        "watch": ngettext("%(count)s point to watch", "%(count)s points to watch", count) % {"count": count},
        "level": _("Within the limits"),
        "unknown": _("Not measured yet"),
    }
    tones = {"alert": "negative", "watch": "caution", "level": "positive", "unknown": "neutral"}
    name = _("%(name)s, version %(version)s") % {"name": version.name, "version": version.version}
    state = watch.figures.get(FigureKind.STATE)
    return Head(
        uid=version.uid,
        name=name,
        mention=mention_of(version),
        tone=tones[standing],
        standing=words[standing],
        day=watch.day,
        facts=_facts(state) if state else [],
    )


def _facts(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    reference = _("training period") if state["trained"] else _("the year before the model came")
    facts = [
        (_("Compared with"), f"{reference}, {_days(state['reference'])}"),
        (_("Today's applications"), _days(state["current"])),
        (
            _("Outcomes"),
            _("known for applications up to %(month)s, %(horizon)s months after disbursement")
            % {"month": month_words(state["matured_until"]), "horizon": state["horizon_months"]},
        ),
    ]
    if state["every"] > 1:
        facts.append((_("Sample"), _("one application in %(count)s") % {"count": state["every"]}))
    return facts


def _days(period: Mapping[str, Any]) -> str:
    first, last = (dt.date.fromisoformat(period[name]) for name in ("from", "to"))
    count = ngettext("%(count)s application", "%(count)s applications", period["rows"])
    return f"{_day(first)} – {_day(last)} ({count % {'count': whole(period['rows'])}})"


def _day(day: dt.date) -> str:
    return date_format(day, "d/m/Y")


def month_words(text: str) -> str:
    """Return « 03/2026 » of « 2026-03 »."""
    year, month = text.split("-")
    return f"{month}/{year}"


def decimal(number: float | None, places: int = 2) -> str:
    """Return a number with the mark of the language; a dash when unknown."""
    if number is None:
        return MISSING
    text = f"{number:.{places}f}"
    return text.replace(".", ",") if current_lang() == "fr" else text


# --- alerts ---------------------------------------------------------------------------------------


def alert_lines(alerts: Iterable[Alert]) -> list[AlertLine]:
    """Return alerts in words."""
    return [_alert_line(alert) for alert in alerts]


def _alert_line(alert: Alert) -> AlertLine:
    return AlertLine(
        tone="negative" if alert.severity == Severity.ALERT else "caution",
        severity=alert.get_severity_display(),
        title=alert_title(alert.code, alert.about),
        text=_text_of(alert),
        since=alert.opened_at,
        until=alert.closed_at,
        suggestion=str(Suggestion(alert.suggestion).label),
        reason=suggestion_reason(alert.code, alert.suggestion),
        url=_where(alert.suggestion),
    )


def _where(suggestion: str) -> str:
    if suggestion in {Suggestion.RETRAIN, Suggestion.RECALIBRATE}:
        return reverse("web:models")
    return reverse("web:quality") if suggestion == Suggestion.CHECK_SOURCE else ""


def _calibration_text(told: Mapping[str, Any]) -> str:
    return _(
        "Applications of %(first)s to %(last)s: %(defaults)s defaults among %(rows)s credits, %(expected)s "
        "were predicted (%(ratio)s times as many, from %(low)s to %(high)s at 95%%)."
    ) % {
        "first": month_words(told["from"]),
        "last": month_words(told["to"]),
        "defaults": whole(told["defaults"]),
        "rows": whole(told["rows"]),
        "expected": decimal(told["expected"], 0),
        "ratio": decimal(told["ratio"]),
        "low": decimal(told["ratio_low"]),
        "high": decimal(told["ratio_high"]),
    }


def _order_text(told: Mapping[str, Any]) -> str:
    return _(
        "Applications of %(first)s to %(last)s: AUC %(auc)s, from %(low)s to %(high)s; "
        "%(reference)s in training."
    ) % {
        "first": month_words(told["from"]),
        "last": month_words(told["to"]),
        "auc": decimal(told["auc"], 3),
        "low": decimal(told["auc_low"], 3),
        "high": decimal(told["auc_high"], 3),
        "reference": decimal(told["reference_auc"], 3),
    }


def _early_text(told: Mapping[str, Any]) -> str:
    (before, of_before), (now, of_now) = told["before"], told["now"]
    return _("%(now)s of the %(rows)s latest credits, against %(before)s of those of the reference.") % {
        "now": percent(now / of_now if of_now else None, 1),
        "rows": whole(of_now),
        "before": percent(before / of_before if of_before else None, 1),
    }


def _shift_text(told: Mapping[str, Any]) -> str:
    return _("PSI %(psi)s; the limit for %(rows)s applications is %(limit)s.") % {
        "psi": decimal(told["psi"]),
        "limit": decimal(told["limit"]),
        "rows": whole(told["current"]),
    }


def _rate_text(told: Mapping[str, Any]) -> str:
    return _("%(now)s of today's applications, against %(before)s in the reference.") % {
        "now": percent(told["now"], 1),
        "before": percent(told["before"], 1),
    }


def _treatment_text(told: Mapping[str, Any], by: str) -> str:
    names = agency_labels() if by == "agence" else {}
    return _(
        "%(group)s: a favourable score %(ratio)s times as often as the best group, under four fifths."
    ) % {
        "group": _group_name(by, told["group"], names),
        "ratio": decimal(told["ratio"]),
    }


def _text_of(alert: Alert) -> str:
    if alert.code == AlertCode.TREATMENT:
        return _treatment_text(alert.figures, alert.about)
    return _TEXTS[AlertCode(alert.code)](alert.figures)


_TEXTS: Mapping[AlertCode, Callable[[Mapping[str, Any]], str]] = {
    AlertCode.CALIBRATION: _calibration_text,
    AlertCode.ORDER: _order_text,
    AlertCode.LATE: _early_text,
    AlertCode.FIRST_MISSED: _early_text,
    AlertCode.SCORE_SHIFT: _shift_text,
    AlertCode.VARIABLE_SHIFT: _shift_text,
    AlertCode.MISSING: _rate_text,
    AlertCode.OUT_OF_RANGE: _rate_text,
}


# --- the parts ------------------------------------------------------------------------------------


def _overview(watch: Watch) -> dict[str, Any]:
    months, cohorts = (watch.figures.get(kind) or [] for kind in (FigureKind.MONTH, FigureKind.COHORT))
    return {
        "alerts": alert_lines(watch.open),
        "over": alert_lines(watch.over),
        "chart": months_chart(months) if months else None,
        "finding": _finding(months, cohorts),
        "cohorts": _cohort_table(cohorts[-COHORTS_SHOWN:]) if cohorts else None,
        "early": _early_table(watch.figures.get(FigureKind.EARLY)),
    }


def months_chart(months: Sequence[Mapping[str, Any]]) -> charts.Chart:
    """Return the observed rates by month with their intervals, and the predicted ones as a line."""
    return charts.intervals(
        [(month_words(each["to"]), (each["observed_rate"], each["low"], each["high"])) for each in months],
        [each["predicted_rate"] for each in months],
        names=(_("Month"), _("Observed"), _("95% interval"), _("Predicted")),
        y_words=lambda rate: percent(rate, 1),
    )


def _finding(months: Sequence[Mapping[str, Any]], cohorts: Sequence[Mapping[str, Any]]) -> str:
    if not months:
        return ""
    rows, defaults = (sum(each[name] for each in months) for name in ("rows", "defaults"))
    expected = sum(each["expected"] for each in months)
    said = _("%(observed)s of %(rows)s credits defaulted; %(predicted)s were predicted.") % {
        "observed": percent(defaults / rows, 1),
        "rows": whole(rows),
        "predicted": percent(expected / rows, 1),
    }
    if cohorts and all(each["seen"] for each in cohorts):
        said += " " + _("The model was taught by all of them: no alert can come of these months.")
    return said


def _cohort_table(cohorts: Sequence[Mapping[str, Any]]) -> Table:
    header = [_("Cohort"), _("Credits"), _("Observed"), _("Predicted"), _("Ratio"), _("AUC"), _("Verdict")]
    return Table(
        header,
        [(_cohort_cells(each), _cohort_tone(each)) for each in reversed(cohorts)],
        _("Three months of applications together. In brackets: the 95% interval."),
    )


def _cohort_tone(cohort: Mapping[str, Any]) -> str:
    if cohort["seen"]:
        return "neutral"
    return "negative" if cohort["alarming"] else "positive"


def _cohort_cells(cohort: Mapping[str, Any]) -> list[str]:
    words = {
        "neutral": _("Taught the model"),
        "negative": _("Too many defaults"),
        "positive": _("As predicted"),
    }
    return [
        f"{month_words(cohort['from'])} – {month_words(cohort['to'])}",
        whole(cohort["rows"]),
        percent(cohort["observed_rate"], 1),
        percent(cohort["predicted_rate"], 1),
        _between(cohort["ratio"], cohort["ratio_low"], cohort["ratio_high"]),
        _between(cohort["auc"], cohort["auc_low"], cohort["auc_high"], 3),
        words[_cohort_tone(cohort)],
    ]


def _between(value: float | None, low: float | None, high: float | None, places: int = 2) -> str:
    if value is None:
        return MISSING
    return f"{decimal(value, places)} [{decimal(low, places)} ; {decimal(high, places)}]"


def _early_table(early: Mapping[str, Any] | None) -> Table | None:
    if not early or not early["months"]:
        return None
    labels = {"late": _("30 days late at three months"), "first_missed": _("First instalment missed")}
    rows = []
    for name, label in labels.items():
        sign = early[name]
        (before, of_before), (now, of_now) = sign["before"], sign["now"]
        known = bool(of_before and of_now)
        tone = "neutral" if not known else "negative" if sign["passed"] else "positive"
        verdict = MISSING if not known else _("Risen") if sign["passed"] else _("As before")
        cells = [
            label,
            percent(before / of_before if of_before else None, 1),
            percent(now / of_now if of_now else None, 1),
            whole(of_now),
            verdict,
        ]
        rows.append((cells, tone))
    header = [_("Sign"), _("Reference"), _("Latest credits"), _("Credits"), _("Verdict")]
    return Table(header, rows, _("By repayments; by monthly balances for a credit without any."))


def _population(watch: Watch) -> dict[str, Any]:
    score = watch.figures.get(FigureKind.SCORE)
    volumes = watch.figures.get(FigureKind.VOLUME) or []
    return {
        "score_chart": _score_chart(score) if score else None,
        "score_finding": _score_finding(score) if score else "",
        "variables": _variable_table(watch.figures.get(FigureKind.VARIABLE) or []),
        "volumes": Table(
            [_("Month"), _("Applications"), _("Scores given by this model")],
            [
                ([month_words(each["month"]), whole(each["applications"]), whole(each["scores"])], "")
                for each in reversed(volumes)
            ],
        ),
    }


def _score_chart(score: Mapping[str, Any]) -> charts.Chart:
    sides = []
    for label, counts in ((_("Reference"), score["before"]), (_("Today"), score["now"])):
        total = sum(counts) or 1
        sides.append((label, [(float(rank + 1), count / total) for rank, count in enumerate(counts)]))
    return charts.lines(
        sides,
        x=_("Tenth of the reference, by rising probability"),
        x_words=lambda rank: f"{rank:.0f}",
        y_words=lambda share: percent(share, 0),
    )


def _score_finding(score: Mapping[str, Any]) -> str:
    text = (
        _("Scores have moved: PSI %(psi)s, above the limit of %(limit)s.")
        if score["passed"]
        else _("Scores have not moved beyond chance: PSI %(psi)s, limit %(limit)s.")
    )
    return text % {"psi": decimal(score["psi"]), "limit": decimal(score["limit"])}


def _variable_table(variables: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for each in variables:
        passed = each["passed"] or each["missing"]["passed"] or each["outside"]["passed"]
        cells = [
            about_label(each["variable"]),
            decimal(each["psi"]),
            decimal(each["limit"]),
            _moved(each["missing"]),
            _moved(each["outside"]),
            _("To watch") if passed else _("Stable"),
        ]
        rows.append((cells, "caution" if passed else "positive"))
    header = [
        _("Variable"),
        _("PSI"),
        _("Limit"),
        _("Missing"),
        _("Outside what was learnt"),
        _("Verdict"),
    ]
    return Table(header, rows, _("From the reference to today."))


def _moved(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['before'], 1)} → {percent(rate['now'], 1)}"


def _groups(watch: Watch) -> dict[str, Any]:
    agencies = _agency_names(watch)
    names = {
        FigureKind.BAND: {code: str(label) for code, label in Band.choices},
        FigureKind.AGENCY: agencies,
        FigureKind.OFFICER: _officer_names(watch),
    }
    titles = {
        FigureKind.BAND: _("By risk band"),
        FigureKind.AGENCY: _("By agency"),
        FigureKind.OFFICER: _("By officer"),
    }
    state = watch.figures.get(FigureKind.STATE) or {}
    return {
        "slices": [
            (titles[kind], _slice_table(watch.figures[kind], names[kind]))
            for kind in titles
            if watch.figures.get(kind)
        ],
        "slices_seen": state.get("sliced", {}).get("seen", False),
        "treatments": [
            (about_label(each["by"]), _treatment_table(each, agencies))
            for each in watch.figures.get(FigureKind.TREATMENT) or []
        ],
    }


def _agency_names(watch: Watch) -> dict[str, str]:
    if FigureKind.AGENCY not in watch.figures:
        return {}
    return agency_labels()


def _officer_names(watch: Watch) -> dict[str, str]:
    document = watch.figures.get(FigureKind.OFFICER) or {"lines": []}
    return officer_labels(line["slice"] for line in document["lines"])


def _slice_table(document: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    words = {
        "above": _("More than predicted"),
        "below": _("Fewer than predicted"),
        "level": _("As predicted"),
    }
    tones = {"above": "negative", "below": "caution", "level": "positive"}
    rows = [
        (
            [
                names.get(line["slice"], MISSING),
                whole(line["rows"]),
                percent(line["observed_rate"], 1),
                percent(line["predicted_rate"], 1),
                _between(line["ratio"], line["ratio_low"], line["ratio_high"]),
                words[line["verdict"]],
            ],
            tones[line["verdict"]],
        )
        for line in document["lines"]
    ]
    header = [_("Slice"), _("Credits"), _("Observed"), _("Predicted"), _("Ratio"), _("Verdict")]
    return Table(header, rows, hidden_text(document["hidden"]))


def hidden_text(hidden: int) -> str:
    """Return how many groups are too small to be shown."""
    if not hidden:
        return ""
    text = ngettext(
        "%(count)s group under 30 is not shown.", "%(count)s groups under 30 are not shown.", hidden
    )
    return text % {"count": hidden}


def _treatment_table(line: Mapping[str, Any], agencies: Mapping[str, str]) -> Table:
    good = {group["code"]: group for group in line["good_payers"]["groups"]}
    rows = []
    for group in line["advice"]["groups"]:
        other = good.get(group["code"])
        cells = [
            _group_name(line["by"], group["code"], agencies),
            whole(group["rows"]),
            percent(group["share"], 1),
            decimal(group["ratio"]),
            percent(other["share"] if other else None, 1),
            _("Under 4/5") if group["unequal"] else _("Within the rule"),
        ]
        rows.append((cells, "caution" if group["unequal"] else "positive"))
    header = [
        _("Group"),
        _("Applications"),
        _("Favourable score"),
        _("Ratio to the best"),
        _("Among good payers"),
        _("Verdict"),
    ]
    gap = _("Gap among good payers: %(gap)s.") % {"gap": percent(line["good_payers"]["gap"], 1)}
    note = hidden_text(line["advice"]["hidden"])
    return Table(header, rows, f"{gap} {note}".strip())


def _group_name(by: str, code: str, agencies: Mapping[str, str]) -> str:
    if by == "sexe":
        return {"F": _("Women"), "M": _("Men")}.get(code, code)
    if by == "age":
        return {"<26": _("Under 26"), ">55": _("Over 55")}.get(code, code.replace("-", "–"))
    return agencies.get(code, MISSING) if by == "agence" else code


# --- the file -------------------------------------------------------------------------------------


def file_name(watch: Watch) -> str:
    """Return the name of the file of figures."""
    day = f"-{watch.day:%Y-%m-%d}" if watch.day else ""
    return f"{watch.version.name}-{watch.version.version}{day}.csv"


def csv_file(watch: Watch) -> str:
    """Return every table, one under the other, as a French spreadsheet opens it: BOM, semicolons."""
    file = io.StringIO()
    file.write("\ufeff")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    for row in _csv_rows(watch):
        writer.writerow([harmless(cell) for cell in row])
    return file.getvalue()


def _csv_rows(watch: Watch) -> Iterator[list[str]]:
    head = head_of(watch)
    yield [head.name, head.standing, "" if head.day is None else _day(head.day)]
    yield from ([label, text] for label, text in head.facts)
    if watch.day is None:
        return
    overview, population, groups = _overview(watch), _population(watch), _groups(watch)
    yield from _csv_alerts([*overview["alerts"], *overview["over"]])
    if overview["chart"]:
        yield from _csv_table(
            _("Observed and predicted by month"), overview["chart"].header, overview["chart"].rows
        )
    named = [
        (_("Rolling cohorts"), _cohort_table(watch.figures.get(FigureKind.COHORT) or [])),
        (_("Early signs"), overview["early"]),
        (_("Variables"), population["variables"]),
        (_("Volumes"), population["volumes"]),
        *groups["slices"],
        *groups["treatments"],
    ]
    for title, table in named:
        if table is not None and table.rows:
            yield from _csv_table(title, table.header, [cells for cells, _tone in table.rows])


def _csv_alerts(alerts: Sequence[AlertLine]) -> Iterator[list[str]]:
    rows = [
        [
            each.title,
            each.severity,
            each.text,
            each.suggestion,
            f"{each.since:%Y-%m-%d}",
            f"{each.until:%Y-%m-%d}" if each.until else "",
        ]
        for each in alerts
    ]
    header = [_("Alert"), _("Severity"), _("Figures"), _("Suggestion"), _("Since"), _("Until")]
    if rows:
        yield from _csv_table(_("Alerts"), header, rows)


def _csv_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    yield []
    yield [title]
    yield list(header)
    yield from (list(row) for row in rows)
