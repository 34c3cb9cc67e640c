"""What the page of one score says beyond its sheet: every factor, means, position, a replay."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _

from apps.engine import reasons
from apps.engine.contracts import PolicyFigures
from apps.engine.dictionary import STANDARD
from apps.engine.wording import format_value, number
from apps.scoring.models import Prediction
from apps.scoring.queries.factors import breakdown_of, factors_of, household_means
from apps.scoring.queries.positions import Position, position_of
from apps.scoring.services.opinions import Opinion, OpinionLine
from apps.scoring.services.scores import Replay
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import MISSING, fcfa, percent

WIDTH, HEIGHT, BASELINE = 440, 96, 84
GAP = 2
PERSON = (
    "age",
    "situation_familiale",
    "personnes_a_charge",
    "type_contrat_travail",
    "anciennete_travail_mois",
)
REQUEST = ("type_credit", "montant_credit", "duree_mois", "taux_interet")
LEAST_BAR = 2


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the sum: points added, and the total so far."""

    label: str
    value_text: str
    points: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """From the base to the score, line by line; the last total is the score shown."""

    rungs: list[Rung]
    total: int


@dataclass(frozen=True, slots=True)
class MeansView:
    lines: list[tuple[str, str]]
    residual_text: str
    residual_known: bool
    short: bool
    at_most: bool


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    width: int
    height: int
    current: bool


@dataclass(frozen=True, slots=True)
class PositionView:
    """A position in words and as a drawing of ``WIDTH`` by ``HEIGHT``."""

    share_text: str
    others: int
    bars: list[Bar]
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Compared:
    label: str
    stored: str
    recomputed: str
    same: bool


def ladder(prediction: Prediction) -> Ladder:
    """Return the score as a sum of whole points, strongest variable first, rounding and limits said.

    Each line shows the points said of it everywhere else; see ``scorecard.breakdown`` for the reason why
    rounding is a line and not shared out.
    """
    taken = breakdown_of(prediction)
    factors = sorted(factors_of(prediction, lang=current_lang(), every=True), key=lambda f: -abs(f.log_odds))
    lines = [(_("Base of the model"), "", taken.base, _("What every application starts from."))]
    lines += [(each.label, each.value_text, each.points, "") for each in factors]
    if taken.rounding:
        lines.append((_("Rounding"), "", taken.rounding, _("Each line above is rounded to a whole point.")))
    if taken.clipping:
        lines.append((_("Limit of the scale"), "", taken.clipping, _("A score leaves the scale on no side.")))
    totals = accumulate(points for _label, _value, points, _note in lines)
    return Ladder(
        [Rung(*line[:3], total, line[3]) for line, total in zip(lines, totals, strict=True)], taken.total
    )


def file_lines(prediction: Prediction) -> dict[str, list[tuple[str, str]]]:
    """Return what the paper sheet repeats of the file, as it was scored: the person, then the request."""
    application, client = prediction.application, prediction.client
    person = [(_("Client"), str(client) if client else _("Direct score"))]
    request = []
    if client is not None:
        person.append((_("Reference"), client.reference))
    if application is not None:
        request.append((_("Reference"), application.reference))
    person += _known(prediction, PERSON)
    request += _known(prediction, REQUEST)
    if application is not None and application.purpose:
        request.append((_("Purpose"), application.purpose))
    return {"person": person, "request": request}


def _known(prediction: Prediction, names: tuple[str, ...]) -> list[tuple[str, str]]:
    lang = current_lang()
    return [
        (STANDARD[name].label(lang), format_value(STANDARD[name], prediction.inputs.get(name), lang))
        for name in names
        if prediction.inputs.get(name) is not None
    ]


def means_view(prediction: Prediction) -> MeansView:
    """Return what the household has, owes and keeps, in words."""
    means = household_means(prediction)
    lines = [
        (_("Monthly income"), fcfa(means.income)),
        (_("Monthly expenses"), fcfa(means.expenses)),
        (_("Other monthly repayments"), fcfa(means.other_instalments)),
        (_("Instalment of this credit"), fcfa(means.instalment)),
        (_("Debt service ratio"), _rate(means.debt_ratio_percent)),
        (_("Debts in years of income"), _plain(means.debt_to_income)),
    ]
    return MeansView(
        lines=lines,
        residual_text=fcfa(means.residual),
        residual_known=means.residual is not None,
        short=means.residual is not None and means.residual <= 0,
        at_most=means.residual_is_most,
    )


def _rate(value: float | None) -> str:
    return MISSING if value is None else percent(value / 100, 1)


def _plain(value: float | None) -> str:
    return MISSING if value is None else number(value, current_lang(), 2)


def position_view(prediction: Prediction) -> PositionView:
    """Return where the score stands among the institution's latest ones."""
    position = position_of(prediction)
    share = position.share
    return PositionView(
        share_text="" if share is None else percent(share, 0),
        others=position.others,
        bars=_bars(position),
        lowest=position.lowest,
        highest=position.highest,
    )


def _bars(position: Position) -> list[Bar]:
    step = WIDTH // len(position.counts)
    largest = max(position.counts) or 1
    heights = [max(LEAST_BAR, round((BASELINE - 12) * count / largest)) for count in position.counts]
    return [
        Bar(step * index, BASELINE - height, step - GAP, height, current=index == position.place)
        for index, height in enumerate(heights)
    ]


def compared(replay: Replay) -> list[Compared]:
    """Return stored and recomputed figures side by side, in full precision."""
    return [
        Compared(
            label,
            _shown(name, replay.stored),
            _shown(name, replay.recomputed),
            same=replay.stored[name] == replay.recomputed[name],
        )
        for name, label in _figure_labels().items()
    ]


def _figure_labels() -> dict[str, str]:
    return {
        "pd": _("Probability of default"),
        "threshold": _("Decision threshold"),
        "points": _("Score"),
        "grade": _("Grade"),
        "band": _("Risk"),
        "recommendation": _("Recommendation"),
        "predicted_default": _("By the model alone"),
        "expected_loss_xaf": _("Expected loss"),
        "max_amount_xaf": _("Maximal advised amount"),
        "max_amount_reason": _("Why no amount is advised"),
        "base": _("Base value (log-odds)"),
        "contributions": _("Sum of the contributions (log-odds)"),
        "rules": _("Rules kept, broken, not checked"),
        "warnings": _("Warnings"),
    }


def _shown(name: str, figures: Mapping[str, Any]) -> str:
    value, lang = figures[name], current_lang()
    if value in (None, "", []):
        return MISSING
    words = {
        "pd": lambda: percent(value, 10),
        "threshold": lambda: percent(value, 4),
        "band": lambda: reasons.band_label(value, lang),
        "recommendation": lambda: reasons.recommendation_label(value, lang),
        "predicted_default": lambda: _("Not eligible at this stage") if value else _("Eligible"),
        "expected_loss_xaf": lambda: fcfa(value),
        "max_amount_xaf": lambda: fcfa(value),
        "max_amount_reason": lambda: reasons.amount_reason_text(value, lang),
        "base": lambda: number(value, lang, 12),
        "contributions": lambda: number(sum(each["log_odds"] for each in value), lang, 12),
        "rules": lambda: _verdicts(value),
        "warnings": lambda: " ".join(reasons.warning_text(code, lang) for code in value),
    }
    return words[name]() if name in words else str(value)


def _verdicts(rules: list[dict[str, Any]]) -> str:
    heard = [rule["verdict"] for rule in rules]
    return " / ".join(str(heard.count(verdict)) for verdict in ("respectee", "violee", "non_evaluable"))


@dataclass(frozen=True, slots=True)
class OpinionRow:
    label: str
    value: str
    exact: int
    second: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class OpinionView:
    """Two explanations of one score in points, and how far the second may be believed."""

    rows: list[OpinionRow]
    fit: str
    agreement: str


def opinion_view(opinion: Opinion) -> OpinionView:
    """Return a second opinion in points."""
    rows = [_opinion_row(line) for line in opinion.lines]
    told = {"same": sum(row.agrees for row in rows), "all": len(rows)}
    return OpinionView(
        rows=rows,
        fit=percent(max(opinion.fit, 0.0), 0),
        agreement=_("The two methods pull the same way for %(same)s variables of %(all)s.") % told,
    )


def _opinion_row(line: OpinionLine) -> OpinionRow:
    variable = STANDARD[line.name]
    exact, second = (_as_points(log_odds) for log_odds in (line.exact, line.second))
    return OpinionRow(
        label=variable.label(current_lang()),
        value=format_value(variable, line.value, current_lang()),
        exact=exact,
        second=second,
        agrees=exact * second > 0 or abs(exact) <= 1 or abs(second) <= 1,
    )


def _as_points(log_odds: float) -> int:
    return round(-log_odds * PolicyFigures().pdo / math.log(2))
