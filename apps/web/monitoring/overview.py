"""The first part of the page: alerts, observed against predicted defaults, early signs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.monitoring.enums import FigureKind
from apps.monitoring.queries import Watch
from apps.web import charts
from apps.web.monitoring.alerts import alert_lines
from apps.web.monitoring.tables import Table, between, month_words
from apps.web.templatetags.formats import MISSING, percent, whole

#: Rolling cohorts on the page; the file has them all.
COHORTS_SHOWN = 12


def overview_part(watch: Watch) -> dict[str, Any]:
    """Return the alerts, the months, the cohorts and the early signs."""
    months, cohorts = (watch.figures.get(kind) or [] for kind in (FigureKind.MONTH, FigureKind.COHORT))
    return {
        "alerts": alert_lines(watch.open),
        "over": alert_lines(watch.over),
        "chart": months_chart(months) if months else None,
        "finding": _finding(months, cohorts),
        "cohorts": cohort_table(cohorts[-COHORTS_SHOWN:]) if cohorts else None,
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


def cohort_table(cohorts: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rolling cohorts, the latest first."""
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
        between(cohort["ratio"], cohort["ratio_low"], cohort["ratio_high"]),
        between(cohort["auc"], cohort["auc_low"], cohort["auc_high"], 3),
        words[_cohort_tone(cohort)],
    ]


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
