"""The second part of the page: who applies today, variable by variable, and how many."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.monitoring.enums import FigureKind
from apps.monitoring.queries import Watch
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.monitoring.tables import Table, decimal, month_words
from apps.web.templatetags.formats import percent, whole


def population_part(watch: Watch) -> dict[str, Any]:
    """Return how far the score and each variable moved, and the volumes."""
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
    known, lang = known_variables(each["variable"] for each in variables), current_lang()
    rows = []
    for each in variables:
        passed = each["passed"] or each["missing"]["passed"] or each["outside"]["passed"]
        cells = [
            known[each["variable"]].label(lang),
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


def variable_line(watch: Watch, about: str) -> Table | None:
    """Return how one variable moved; None for an alert about something else."""
    lines = watch.figures.get(FigureKind.VARIABLE) or []
    found = [each for each in lines if each["variable"] == about]
    return _variable_table(found) if found else None


def _moved(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['before'], 1)} → {percent(rate['now'], 1)}"
