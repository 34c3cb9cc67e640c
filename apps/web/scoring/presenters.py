"""A stored score as a page shows it: words, rounded figures, widths of bars."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.engine import reasons, scorecard
from apps.engine.contracts import Lang
from apps.engine.variables import Variable
from apps.engine.wording import format_value, number
from apps.scoring.models import Prediction
from apps.scoring.queries.factors import (
    Factor,
    RuleLine,
    factors_of,
    is_near_threshold,
    outside_of,
    rules_of,
)
from apps.scoring.validators import figures_from_json
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import fcfa, percent


@dataclass(frozen=True, slots=True)
class FactorView:
    label: str
    value_text: str
    log_odds: float
    points: int
    adverse: bool
    sentence: str
    width: int


@dataclass(frozen=True, slots=True)
class RuleView:
    label: str
    verdict: str
    verdict_label: str
    value_text: str
    limit_text: str
    severity_label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class WarningView:
    text: str
    check: str


@dataclass(frozen=True, slots=True)
class ModelView:
    name: str
    version: str
    status_label: str
    synthetic: bool
    expert: bool
    date: dt.datetime


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """What a list shows of a score."""

    uid: UUID
    created_at: dt.datetime
    client_label: str
    agency_label: str
    author_label: str
    source_label: str
    amount_xaf: int | None
    duration_months: int | None
    points: int
    grade: str
    band: str
    band_label: str
    recommendation: str
    recommendation_label: str


@dataclass(frozen=True, slots=True)
class ScoreSheet(ScoreLine):
    """What the page of a score shows."""

    pd: float
    pd_text: str
    threshold: float
    threshold_text: str
    threshold_points: int
    prediction: int
    expected_loss_xaf: int
    max_amount_xaf: int | None
    max_amount_text: str
    factors: list[FactorView]
    rules: list[RuleView]
    warnings: list[WarningView]
    model: ModelView
    policy_version: int
    application_reference: str
    application_uid: UUID | None
    client_uid: UUID | None


def score_lines(predictions: Iterable[Prediction]) -> list[ScoreLine]:
    """Return the lines of a list."""
    return [ScoreLine(**_line(prediction, current_lang())) for prediction in predictions]


def score_sheet(prediction: Prediction) -> ScoreSheet:
    """Return the whole sheet of a score, in the reader's language."""
    lang = current_lang()
    return ScoreSheet(
        **_line(prediction, lang),
        pd=prediction.pd,
        pd_text=percent(prediction.pd),
        threshold=prediction.threshold,
        threshold_text=percent(prediction.threshold),
        threshold_points=scorecard.points(prediction.threshold, figures_from_json(prediction.policy.figures)),
        prediction=int(prediction.predicted_default),
        expected_loss_xaf=prediction.expected_loss_xaf,
        max_amount_xaf=prediction.max_amount_xaf,
        max_amount_text=_max_amount_text(prediction, lang),
        factors=factor_views(factors_of(prediction, lang=lang)),
        rules=[_rule_view(line, lang) for line in rules_of(prediction, lang=lang)],
        warnings=_warning_views(prediction, lang),
        model=_model_view(prediction),
        policy_version=prediction.policy.version,
        application_reference=prediction.application.reference if prediction.application else "",
        application_uid=prediction.application.uid if prediction.application else None,
        client_uid=prediction.client.uid if prediction.client else None,
    )


def _line(prediction: Prediction, lang: Lang) -> dict[str, Any]:
    return {
        "uid": prediction.uid,
        "created_at": prediction.created_at,
        "client_label": str(prediction.client) if prediction.client else _("Direct score"),
        "agency_label": str(prediction.agency or ""),
        "author_label": str(prediction.author or ""),
        "source_label": prediction.get_source_display(),
        "amount_xaf": prediction.inputs.get("montant_credit"),
        "duration_months": prediction.inputs.get("duree_mois"),
        "points": prediction.points,
        "grade": prediction.grade,
        "band": prediction.band,
        "band_label": reasons.band_label(prediction.band, lang),  # type: ignore[arg-type]
        "recommendation": prediction.recommendation,
        "recommendation_label": reasons.recommendation_label(prediction.recommendation, lang),  # type: ignore[arg-type]
    }


def _max_amount_text(prediction: Prediction, lang: Lang) -> str:
    if prediction.max_amount_xaf is not None:
        return fcfa(prediction.max_amount_xaf)
    return reasons.amount_reason_text(prediction.max_amount_reason, lang)


def _warning_views(prediction: Prediction, lang: Lang) -> list[WarningView]:
    told = [
        WarningView(reasons.warning_text(code, lang, prediction.facts), reasons.warning_check(code, lang))
        for code in prediction.warnings
    ]
    outside = [
        _named_value(each, prediction, lang) for each in known_variables(outside_of(prediction)).values()
    ]
    if outside:
        text = _("Outside what the model has seen: %(names)s.") % {"names": ", ".join(outside)}
        told.append(WarningView(text, ""))
    if is_near_threshold(prediction):
        text = _("The probability is close to the threshold: a small error would change the advice.")
        told.append(WarningView(text, _("Check the income, the debts and the delays before anything else.")))
    unknown = [each["variable"] for each in prediction.contributions if each["value"] is None]
    absent = [each.label(lang) for each in known_variables(unknown).values()]
    if absent:
        text = _("Not known: %(names)s.") % {"names": ", ".join(absent)}
        told.append(WarningView(text, _("The score does without; complete the file for a surer one.")))
    return told


def _named_value(variable: Variable, prediction: Prediction, lang: Lang) -> str:
    shown = format_value(variable, prediction.inputs.get(variable.name), lang)
    return f"{variable.label(lang)} ({shown})"


def factor_views(factors: Iterable[Factor]) -> list[FactorView]:
    listed = list(factors)
    largest = max((abs(each.log_odds) for each in listed), default=0) or 1
    return [
        FactorView(
            label=_("%(label)s (set by the officer)") % {"label": each.label}
            if each.set_by_officer
            else each.label,
            value_text=each.value_text,
            log_odds=each.log_odds,
            points=each.points,
            adverse=each.adverse,
            sentence=each.sentence,
            width=max(2, round(100 * abs(each.log_odds) / largest)),
        )
        for each in listed
    ]


def _rule_view(line: RuleLine, lang: Lang) -> RuleView:
    outcome = line.outcome
    verdicts = {
        "respectee": _("Kept"),
        "violee": _("Broken"),
        "non_evaluable": _("Not checked"),
    }
    severities = {"bloquante": _("Blocking"), "a_revoir": _("To be reviewed")}
    return RuleView(
        label=line.label,
        verdict=outcome.verdict,
        verdict_label=verdicts[outcome.verdict],
        value_text=_figure(outcome.value, lang) if outcome.limit is not None else "",
        limit_text=_figure(outcome.limit, lang),
        severity_label=severities[outcome.severity],
        sentence=line.sentence,
    )


def _figure(value: float | None, lang: Lang) -> str:
    return "" if value is None else number(value, lang, 0 if float(value).is_integer() else 1)


def _model_view(prediction: Prediction) -> ModelView:
    version = prediction.model_version
    return ModelView(
        name=version.name,
        version=version.version,
        status_label=version.get_status_display(),
        synthetic=version.is_synthetic,
        expert=version.is_expert,
        date=version.trained_at,
    )
