"""The charts of a candidate: each with what one sees, its table, and all its numbers as CSV."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.engine.contracts import PolicyFigures
from apps.engine.variables import Variable
from apps.engine.wording import format_value
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.templatetags.formats import fcfa, percent, signed, whole
from apps.web.training import words

FIRST = "roc"
#: What the code of a variable's effect begins with.
EFFECT = "effet:"
#: The page beside the charts that has tables only.
GROUPS = "groupes"
#: Points drawn on a page, and lines of its table; the CSV file has them all.
DRAWN = 40

type Numbers = Sequence[Mapping[str, Any]]
type Words = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a curve is drawn: the list of points it comes from, its axis, and its series by label."""

    source: str
    x: str
    x_label: Callable[[], str]
    series: Mapping[str, Callable[[], str]]
    finding: Callable[[Numbers, Mapping[str, Any]], str]
    x_words: Words
    y_words: Words
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    label: str
    current: bool


@dataclass(frozen=True, slots=True)
class CurveView:
    title: str
    candidate: str
    chart: charts.Chart
    finding: str
    back: str
    numbers_url: str
    others: list[Link]


def _rate(value: float) -> str:
    return percent(value, 0)


def _fine_rate(value: float) -> str:
    return percent(value, 1)


def _count(value: float) -> str:
    return whole(round(value))


def _score(value: float) -> str:

    return words.decimal(value, 2)


def _money(value: float) -> str:

    return words.millions(value)


def _roc(_points: Numbers, candidate: Mapping[str, Any]) -> str:

    text = _(
        "Of a defaulted and a repaid credit, the defaulted one is found riskier "
        "as often as the AUC says: %(auc)s."
    )
    return text % {"auc": words.figure_text(candidate, "auc")}


def _pr(points: Numbers, _candidate: Mapping[str, Any]) -> str:
    near = min(points, key=lambda point: abs(point["recall"] - 0.5))
    told = {"precision": percent(near["precision"], 0), "recall": percent(near["recall"], 0)}
    return _("To find %(recall)s of the defaults, %(precision)s of the files set aside are defaults.") % told


def _gains(points: Numbers, _candidate: Mapping[str, Any]) -> str:
    near = min(points, key=lambda point: abs(point["share"] - 0.2))
    told = {"share": percent(near["share"], 0), "defaults": percent(near["defaults"], 0)}
    return _("The %(share)s riskiest files hold %(defaults)s of the defaults.") % told


def _calibration(points: Numbers, _candidate: Mapping[str, Any]) -> str:
    outside = sum(not point["low"] <= point["predicted"] <= point["high"] for point in points)
    told = {"inside": whole(len(points) - outside), "groups": whole(len(points))}
    return (
        _("In %(inside)s of %(groups)s groups, what was predicted lies in the interval of what was observed.")
        % told
    )


def _distribution(points: Numbers, _candidate: Mapping[str, Any]) -> str:
    rows = sum(point["good"] + point["bad"] for point in points)
    reached = 0
    for point in points:
        reached += point["good"] + point["bad"]
        if 2 * reached >= rows:
            told = {"limit": percent(point["to"], 1)}
            return _("Half of the files have a probability below %(limit)s.") % told
    return ""


def _best(name: str, shown: Words) -> Callable[[Numbers, Mapping[str, Any]], str]:
    def finding(points: Numbers, _candidate: Mapping[str, Any]) -> str:
        best = max(points, key=lambda point: point[name])
        told = {"value": shown(best[name]), "threshold": percent(best["threshold"], 1)}
        return _("Highest at a threshold of %(threshold)s: %(value)s.") % told

    return finding


DRAWINGS: Mapping[str, Drawing] = {
    "roc": Drawing(
        "roc", "fpr", lambda: _("Repaid credits refused"), {"tpr": lambda: _("Defaults found")},
        _roc, _rate, _rate, diagonal=True,
    ),
    "gains": Drawing(
        "gains", "share", lambda: _("Share of files, the riskiest first"),
        {"defaults": lambda: _("Defaults found")},
        _gains, _rate, _rate, diagonal=True,
    ),
    "calibration": Drawing(
        "calibration", "predicted", lambda: _("Predicted"),
        {"observed": lambda: _("Observed"), "low": lambda: _("Low end"), "high": lambda: _("High end")},
        _calibration, _fine_rate, _fine_rate, diagonal=True,
    ),
    "distribution": Drawing(
        "distribution", "from", lambda: _("Probability from"),
        {"good": lambda: _("Repaid"), "bad": lambda: _("Defaulted")},
        _distribution, _fine_rate, _count,
    ),
    "profit": Drawing(
        "thresholds", "threshold", lambda: _("Threshold"), {"profit_xaf": lambda: _("Expected profit")},
        _best("profit_xaf", fcfa), _rate, _money,
    ),
    "business": Drawing(
        "thresholds", "threshold", lambda: _("Threshold"), {"business_score": lambda: _("Business score")},
        _best("business_score", _score), _rate, _score,
    ),
    "pr": Drawing(
        "pr", "recall", lambda: _("Defaults found"),
        {"precision": lambda: _("Defaults among files set aside")},
        _pr, _rate, _rate,
    ),
}  # fmt: skip


def curves_of(candidate: Mapping[str, Any]) -> list[str]:
    """Return the codes of the charts that a candidate has."""
    return [code for code, drawing in DRAWINGS.items() if _points(candidate, drawing)]


def _points(candidate: Mapping[str, Any], drawing: Drawing) -> Numbers:
    """Return the points that have a place and a value for the first series."""
    first = next(iter(drawing.series))
    found = (candidate.get("curves") or {}).get(drawing.source) or ()
    points = [point for point in found if point.get(drawing.x) is not None and point.get(first) is not None]
    return points if any(point[first] for point in points) else []


def curve_view(run: Any, candidate: Mapping[str, Any], code: str) -> CurveView:
    """Return one chart of a candidate; raise ``ObjectNotFound`` for one that it does not have."""
    kind = candidate["kind"]
    title, chart, finding = _effect(candidate, code) if code.startswith(EFFECT) else _curve(candidate, code)
    return CurveView(
        title=title,
        candidate=words.kind_label(kind),
        chart=chart,
        finding=finding,
        back=f"{reverse('web:training', args=[run.uid])}?candidat={kind}#chosen",
        numbers_url=f"{reverse('web:training_numbers', args=[run.uid])}?candidat={kind}&courbe={code}",
        others=curve_links(run, candidate, code),
    )


def _curve(candidate: Mapping[str, Any], code: str) -> tuple[str, charts.Chart, str]:
    drawing, points = _found(candidate, code)
    drawn = _thinned(points)
    series = [
        (label(), [(float(point[drawing.x]), float(point[name])) for point in drawn])
        for name, label in drawing.series.items()
    ]
    chart = charts.lines(
        series,
        x=drawing.x_label(),
        x_words=drawing.x_words,
        y_words=drawing.y_words,
        diagonal=drawing.diagonal,
    )
    return words.curve_label(code), chart, drawing.finding(points, candidate)


def _effect(candidate: Mapping[str, Any], code: str) -> tuple[str, charts.Chart, str]:
    """Draw what a variable adds to the score by its value; a category by its codes."""
    variable, points = _effect_points(candidate, code)
    known = [
        (point["value"], _in_points(point["log_odds"])) for point in points if point["value"] is not None
    ]
    title = _("Effect of “%(variable)s”") % {"variable": variable.label(current_lang())}
    if not known:
        raise ObjectNotFound(_("Not found"))
    best, worst = max(known, key=lambda each: each[1]), min(known, key=lambda each: each[1])
    told = {
        "best": format_value(variable, best[0], current_lang()),
        "best_points": signed(round(best[1])),
        "worst": format_value(variable, worst[0], current_lang()),
        "worst_points": signed(round(worst[1])),
    }
    finding = (
        _("Best at %(best)s (%(best_points)s points), worst at %(worst)s (%(worst_points)s points).") % told
    )
    if variable.type == "category":
        bars = [(format_value(variable, value, current_lang()), points) for value, points in known]
        chart = charts.bars(bars, x=variable.label(current_lang()), y=_("Points"), y_words=_whole_points)
    else:
        chart = charts.lines(
            [(_("Points"), [(float(value), points) for value, points in known])],
            x=variable.label(current_lang()),
            x_words=lambda value: format_value(variable, round(value, 2), current_lang()),
            y_words=_whole_points,
        )
    return title, chart, finding


def _whole_points(value: float) -> str:
    return signed(round(value))


def _in_points(log_odds: float) -> float:
    """Return a contribution as points: more risk is fewer points."""
    return -log_odds * PolicyFigures().pdo / math.log(2)


def _effect_points(candidate: Mapping[str, Any], code: str) -> tuple[Variable, Numbers]:
    name = code.removeprefix(EFFECT)
    told = (candidate.get("dependence") or {}).get(name)
    if not told:
        raise ObjectNotFound(_("Not found"))
    variable = known_variables([name])[name]
    points = [{**point, "value": _decoded(variable, point["value"])} for point in told["points"]]
    return variable, points


def _decoded(variable: Variable, value: Any) -> Any:
    """Return the code of a category, which the engine numbers."""
    if variable.type != "category" or value is None or isinstance(value, str):
        return value
    return variable.codes[int(value)]


def _found(candidate: Mapping[str, Any], code: str) -> tuple[Drawing, Numbers]:
    if code not in DRAWINGS or not _points(candidate, DRAWINGS[code]):
        raise ObjectNotFound(_("Not found"))
    return DRAWINGS[code], _points(candidate, DRAWINGS[code])


def _thinned(points: Numbers) -> Numbers:
    if len(points) <= DRAWN:
        return points
    step = (len(points) - 1) / (DRAWN - 1)
    return [points[round(step * place)] for place in range(DRAWN)]


def curve_links(run: Any, candidate: Mapping[str, Any], code: str) -> list[Link]:
    """Return the way to every chart of a candidate, and to its tables by group."""
    kind = candidate["kind"]
    return [_link(run, kind, each, current=each == code) for each in (*curves_of(candidate), GROUPS)]


def _link(run: Any, kind: str, code: str, *, current: bool) -> Link:
    url = f"{reverse('web:training_curves', args=[run.uid])}?candidat={kind}&courbe={code}"
    return Link(url, words.curve_label(code), current)


def numbers_file(run: Any, candidate: Mapping[str, Any], code: str) -> tuple[str, str]:
    """Return the name and the text of a CSV file with every point; raise as ``curve_view`` does.

    Points, decimals with a point, codes of the engine: it is read by programs and spreadsheets alike.
    """
    if code.startswith(EFFECT):
        source, points = code.removeprefix(EFFECT), _effect_points(candidate, code)[1]
    else:
        drawing, points = _found(candidate, code)
        source = drawing.source
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names = list(dict.fromkeys(name for point in points for name in point))
    writer.writerow(names)
    for point in points:
        writer.writerow(["" if point.get(name) is None else point[name] for name in names])
    kind = candidate["kind"].replace("_", "-")
    return f"entrainement-{run.number}-{kind}-{source}.csv", text.getvalue()
