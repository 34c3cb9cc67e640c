"""The reasons of a score and what the rules said, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.credits.queries.dictionary import known_variables
from apps.engine import reasons, scorecard
from apps.engine.contracts import Contribution, Lang, PolicyFigures, RuleOutcome, ScoringResult, Value
from apps.engine.contracts import Recommendation as Advised
from apps.engine.ratios import Means, means_of
from apps.engine.wording import format_value
from apps.registry.errors import NoApprovedModel
from apps.registry.loader import load_scorer
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import figures_of_policy


@dataclass(frozen=True, slots=True)
class Factor:
    """One variable's part in a score, in words; ``points`` is negative when it raises the risk."""

    variable: str
    label: str
    value: Value
    value_text: str
    log_odds: float
    points: int
    sentence: str
    set_by_officer: bool = False

    @property
    def adverse(self) -> bool:
        return self.log_odds > 0


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What one rule of the policy said, in words."""

    outcome: RuleOutcome
    label: str
    lang: Lang

    @property
    def sentence(self) -> str:
        return reasons.rule_text(self.outcome, self.lang)


def factors_of(prediction: Prediction, *, lang: Lang, every: bool = False) -> tuple[Factor, ...]:
    """Return the strongest factors (at most 6; adverse first unless the advice is to grant), or all."""
    recommendation: Any = prediction.recommendation
    result, figures = _stored_result(prediction), figures_of_policy(prediction.policy)
    return factors_among(result, recommendation, figures, lang=lang, every=every)


def factors_among(
    result: ScoringResult,
    recommendation: Advised,
    figures: PolicyFigures,
    *,
    lang: Lang,
    every: bool = False,
) -> tuple[Factor, ...]:
    """Return the strongest factors of a score that need not be stored, or all."""
    chosen = result.contributions if every else reasons.strongest(result, recommendation)
    variables = known_variables(each.variable for each in chosen)
    return tuple(
        Factor(
            variable=each.variable,
            label=variables[each.variable].label(lang),
            value=each.value,
            value_text=format_value(variables[each.variable], each.value, lang),
            log_odds=each.log_odds,
            points=scorecard.points_of_contribution(each.log_odds, figures),
            sentence=reasons.sentence(variables[each.variable], each.value, each.log_odds, lang),
            set_by_officer=variables[each.variable].source == "officer",
        )
        for each in chosen
    )


def breakdown_of(prediction: Prediction) -> scorecard.Breakdown:
    """Return the score taken apart in points; its parts follow ``prediction.contributions``."""
    result = _stored_result(prediction)
    return scorecard.breakdown(
        result.base,
        [each.log_odds for each in result.contributions],
        prediction.points,
        figures_of_policy(prediction.policy),
    )


def household_means(prediction: Prediction) -> Means:
    """Return what the household has, owes and keeps a month, by the values scored."""
    return means_of(prediction.inputs)


def rules_of(prediction: Prediction, *, lang: Lang) -> tuple[RuleLine, ...]:
    """Return every rule of the policy with what it said of this application."""
    return rules_among([RuleOutcome(**stored) for stored in prediction.rules], lang=lang)


def rules_among(outcomes: Iterable[RuleOutcome], *, lang: Lang) -> tuple[RuleLine, ...]:
    """Return the rules of a score that need not be stored, each with its label."""
    return tuple(RuleLine(outcome, reasons.rule_label(outcome.code, lang), lang) for outcome in outcomes)


def _stored_result(prediction: Prediction) -> ScoringResult:
    return ScoringResult(
        pd=prediction.pd,
        base=prediction.base,
        contributions=tuple(Contribution(**stored) for stored in prediction.contributions),
    )


def outside_of(prediction: Prediction) -> tuple[str, ...]:
    """Name the variables of a score that lie outside what its model has seen; none where it does not load."""
    if "hors_domaine" not in prediction.warnings:
        return ()
    try:
        return load_scorer(prediction.model_version).outside(prediction.inputs)
    except NoApprovedModel:
        return ()


#: So near the threshold, as a share of it, that an error of the file could change the advice.
NEAR = 0.1


def is_near_threshold(prediction: Prediction) -> bool:
    """Say whether the probability lies within a tenth of the threshold, on either side."""
    return abs(prediction.pd - prediction.threshold) <= NEAR * prediction.threshold
