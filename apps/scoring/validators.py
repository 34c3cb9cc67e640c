"""A policy's figures: from JSON to the engine's dataclass and back, refusing what cannot be a policy."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.engine.contracts import PolicyFigures, RuleSetting, Severity
from apps.engine.dictionary import STANDARD
from apps.engine.policy import CostThreshold, threshold_from_costs

SEVERITIES = ("bloquante", "a_revoir")
FRACTIONS = ("default_threshold", "lgd", "lgd_secured", "ead_amortised", "ead_in_fine")


def figures_to_json(figures: PolicyFigures) -> dict[str, Any]:
    """Return a JSON-ready copy of every figure and rule."""
    return asdict(figures)


def figures_from_json(raw: Mapping[str, Any]) -> PolicyFigures:
    """Return the figures of a stored policy; raise ``ValidationError`` naming the field at fault."""
    known = {field.name for field in fields(PolicyFigures)}
    if unknown := set(raw) - known:
        raise ValidationError({name: _("Unknown figure.") for name in sorted(unknown)})
    figures = PolicyFigures(
        **{
            **raw,
            "grade_limits": cast("tuple[float, float, float, float]", tuple(raw["grade_limits"])),
            "rules": tuple(_rule(rule) for rule in raw["rules"]),
        }
    )
    _check(figures)
    return figures


def _rule(raw: Mapping[str, Any]) -> RuleSetting:
    if raw.get("severity") not in SEVERITIES:
        raise ValidationError({"rules": _("A rule is either blocking or to be reviewed.")})
    return RuleSetting(
        code=str(raw["code"]),
        severity=cast("Severity", raw["severity"]),
        limit=raw.get("limit"),
        limit_by_type=dict(raw.get("limit_by_type") or {}),
    )


def _check(figures: PolicyFigures) -> None:
    named = {name: getattr(figures, name) for name in FRACTIONS} | {
        f"thresholds.{name}": value for name, value in figures.thresholds.items()
    }
    if wrong := [name for name, value in named.items() if not 0 < value <= 1]:
        raise ValidationError({name: _("A fraction between 0 and 1 is expected.") for name in wrong})
    limits = figures.grade_limits
    if list(limits) != sorted(set(limits)) or not (limits[0] > 0 and limits[-1] < 1):
        raise ValidationError({"grade_limits": _("Grade limits must rise, between 0 and 1.")})


CREDIT_TYPES = tuple(category.code for category in STANDARD["type_credit"].categories)
PRUDENCE_CAP = 0.20
#: Rule -> the unit of its limit, ``None`` for a rule that has none.
RULE_UNITS: Mapping[str, str | None] = {
    "age_demande": "years",
    "age_fin": "years",
    "endettement_max": "percent",
    "montant_max": "xaf",
    "duree_max": "months",
    "interdiction_credit": None,
    "arrieres_en_cours": "days",
    "doublon_probable": None,
    "consentement": None,
}
#: Rules whose limit may differ by credit type.
BY_TYPE = ("age_demande", "age_fin", "endettement_max", "montant_max", "duree_max")
_MOST_LIMIT = 10**12


@dataclass(frozen=True, slots=True)
class TypeCosts:
    """What a credit type earns and costs, at its median loan; rates and fee in percent, amounts in XAF.

    ``computed`` says whether the type's threshold comes from them; the profit that is expected does anyway.
    """

    amount_xaf: int
    months: int
    rate_percent: float
    cost_of_funds_percent: float
    fee_percent: float
    file_cost_xaf: int
    computed: bool = True


@dataclass(frozen=True, slots=True)
class PolicyCosts:
    """What credit types earn and cost, where it is known; no threshold computed is above the cap."""

    prudence_cap: float = PRUDENCE_CAP
    by_type: Mapping[str, TypeCosts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """Everything that a policy says: its figures, and what its thresholds come from."""

    figures: PolicyFigures
    costs: PolicyCosts = field(default_factory=PolicyCosts)


#: Figure of a type's costs -> the least and the most that can be meant.
COST_LIMITS: Mapping[str, tuple[float, float]] = {
    "amount_xaf": (1, 10**12),
    "months": (1, 600),
    "rate_percent": (0, 200),
    "cost_of_funds_percent": (0, 200),
    "fee_percent": (0, 100),
    "file_cost_xaf": (0, 10**12),
}


def costs_to_json(costs: PolicyCosts) -> dict[str, Any]:
    """Return a JSON-ready copy of the threshold inputs."""
    return asdict(costs)


def costs_from_json(raw: Mapping[str, Any]) -> PolicyCosts:
    """Return stored threshold inputs; a policy from before they were kept has none."""
    return PolicyCosts(
        prudence_cap=raw.get("prudence_cap", PRUDENCE_CAP),
        by_type={name: TypeCosts(**each) for name, each in (raw.get("by_type") or {}).items()},
    )


def worked_threshold(costs: TypeCosts, figures: PolicyFigures, prudence_cap: float) -> CostThreshold:
    """Return the threshold of one credit type from its costs, with M and L (MODELS.md)."""
    return threshold_from_costs(
        amount_xaf=costs.amount_xaf,
        rate_percent=costs.rate_percent,
        cost_of_funds_percent=costs.cost_of_funds_percent,
        months=costs.months,
        fee_percent=costs.fee_percent,
        file_cost_xaf=costs.file_cost_xaf,
        lgd=figures.lgd,
        ead=figures.ead_amortised,
        prudence_cap=prudence_cap,
    )


def settled(draft: PolicyDraft) -> PolicyDraft:
    """Return the draft with the thresholds that come from costs computed from them.

    Raises ``ValidationError`` naming every figure that cannot be used.
    """
    if wrong := dict(_wrong(draft)):
        raise ValidationError(wrong)
    costs, figures = draft.costs, draft.figures
    computed = {
        name: worked_threshold(each, figures, costs.prudence_cap).threshold
        for name, each in costs.by_type.items()
        if each.computed
    }
    thresholds = {**figures.thresholds, **computed}
    ordered = {name: thresholds[name] for name in CREDIT_TYPES if name in thresholds}
    return replace(draft, figures=replace(figures, thresholds=ordered))


def _wrong(draft: PolicyDraft) -> Iterator[tuple[str, str]]:
    figures, costs = draft.figures, draft.costs
    try:
        _check(figures)
    except ValidationError as refusal:
        for name, messages in refusal.message_dict.items():
            yield name, messages[0]
    yield from _wrong_scale(figures)
    if not _within(costs.prudence_cap, (0, 1)) or costs.prudence_cap == 0:
        yield "prudence_cap", _("A fraction between 0 and 1 is expected.")
    for name in (*figures.thresholds, *costs.by_type):
        if name not in CREDIT_TYPES:
            yield f"thresholds.{name}", _("This credit type is not known.")
    for name, each in costs.by_type.items():
        for figure, limits in COST_LIMITS.items():
            if not _within(getattr(each, figure), limits):
                yield (
                    f"costs.{name}.{figure}",
                    _("Enter a number between %(low)s and %(high)s.")
                    % {
                        "low": limits[0],
                        "high": limits[1],
                    },
                )
    yield from _wrong_rules(figures)


def _wrong_scale(figures: PolicyFigures) -> Iterator[tuple[str, str]]:
    if not all(map(math.isfinite, (*figures.grade_limits, figures.base_odds, figures.pdo))):
        yield "grade_limits", _("Grade limits must rise, between 0 and 1.")
    if not (figures.pdo > 0 and figures.base_odds > 0 and figures.points_min < figures.points_max):
        yield "points_min", _("The scale of points cannot be used.")


def _wrong_rules(figures: PolicyFigures) -> Iterator[tuple[str, str]]:
    for code, times in Counter(rule.code for rule in figures.rules).items():
        if code not in RULE_UNITS:
            yield f"rules.{code}", _("This rule is not known.")
        elif times > 1:
            yield f"rules.{code}", _("This rule stands twice.")
    for rule in figures.rules:
        unit = RULE_UNITS.get(rule.code)
        limits = [*([] if rule.limit is None else [rule.limit]), *rule.limit_by_type.values()]
        if unit and rule.limit is None:
            yield f"rules.{rule.code}.limit", _("This rule needs a limit.")
        if unit is None and limits:
            yield f"rules.{rule.code}.limit", _("This rule has no limit.")
        if not all(_within(limit, (0, _MOST_LIMIT)) for limit in limits):
            yield f"rules.{rule.code}.limit", _("A positive number is expected.")
        if rule.limit_by_type and rule.code not in BY_TYPE:
            yield f"rules.{rule.code}.limit_by_type", _("The limit of this rule is the same for every type.")
        for name in set(rule.limit_by_type) - set(CREDIT_TYPES):
            yield f"rules.{rule.code}.limit_by_type.{name}", _("This credit type is not known.")


def _within(value: float, limits: tuple[float, float]) -> bool:
    return math.isfinite(value) and limits[0] <= value <= limits[1]


def differences(before: PolicyDraft, after: PolicyDraft) -> list[tuple[str, Any, Any]]:
    """Return ``(figure, before, after)`` for each figure that differs; ``None`` where one has none."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [*old, *(name for name in new if name not in old)]
    return [(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _flat(draft: PolicyDraft) -> Iterator[tuple[str, Any]]:
    figures, costs = draft.figures, draft.costs
    yield "default_threshold", figures.default_threshold
    for name, threshold in figures.thresholds.items():
        yield f"thresholds.{name}", threshold
    yield "prudence_cap", costs.prudence_cap
    for name, each in costs.by_type.items():
        for figure in (*COST_LIMITS, "computed"):
            yield f"costs.{name}.{figure}", getattr(each, figure)
    for place, limit in enumerate(figures.grade_limits):
        yield f"grade_limits.{place}", limit
    for figure in ("points_at_base_odds", "base_odds", "pdo", "points_min", "points_max"):
        yield figure, getattr(figures, figure)
    for figure in ("lgd", "lgd_secured", "ead_amortised", "ead_in_fine"):
        yield figure, getattr(figures, figure)
    for rule in figures.rules:
        yield f"rules.{rule.code}.severity", rule.severity
        if rule.limit is not None:
            yield f"rules.{rule.code}.limit", rule.limit
        for name, limit in rule.limit_by_type.items():
            yield f"rules.{rule.code}.limit.{name}", limit
