import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.api.fields import AmountField, DayField, PlainBoolean, StrictSerializer, line
from apps.api.schema import CREDIT_TYPES
from apps.api.v1.pages import ListSerializer
from apps.engine.contracts import PolicyFigures, RuleSetting
from apps.scoring.enums import ProposalStatus
from apps.scoring.queries.policies import InForce, draft_of
from apps.scoring.validators import (
    RULE_UNITS,
    SEVERITIES,
    PolicyCosts,
    PolicyDraft,
    TypeCosts,
    costs_to_json,
    differences,
    figures_to_json,
    worked_threshold,
)
from apps.tenancy.cursors import Order

_RULES = [(code, code) for code in RULE_UNITS]


class NumberField(serializers.FloatField):
    """A number, and a finite one."""

    def to_internal_value(self, data: Any) -> float:
        number = super().to_internal_value(data)
        if isinstance(data, bool | str) or not math.isfinite(number):
            self.fail("invalid")
        return number


class ByTypeField(serializers.DictField):
    """Values by credit type."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(dict(CREDIT_TYPES)) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError(
                {name: [_("This credit type is not known.")] for name in unknown}
            )
        return super().to_internal_value(data)


class PolicyListSerializer(ListSerializer):
    """Filters of the policies."""

    orders = {
        "-created_at": Order("created_at"),
        "created_at": Order("created_at", descending=False),
    }

    status = serializers.ChoiceField(choices=ProposalStatus.choices, required=False, help_text="État")


class PolicyRuleSerializer(StrictSerializer):
    """Une règle appliquée avant le score."""

    code = serializers.ChoiceField(choices=_RULES)
    severity = serializers.ChoiceField(choices=SEVERITIES)
    limit = NumberField(min_value=0, allow_null=True, default=None)
    limit_by_type = ByTypeField(child=NumberField(min_value=0), default=dict)


class PolicyFiguresSerializer(StrictSerializer):
    """Les chiffres d'une politique ; seuils, notes, pertes et expositions sont des fractions."""

    default_threshold = NumberField(min_value=0, max_value=1, help_text="Seuil des types sans seuil propre")
    thresholds = ByTypeField(child=NumberField(min_value=0, max_value=1), help_text="Seuil par type")
    grade_limits = serializers.ListField(
        child=NumberField(min_value=0, max_value=1), min_length=4, max_length=4
    )
    points_at_base_odds = serializers.IntegerField(min_value=0, max_value=10_000)
    base_odds = NumberField(min_value=0.01, max_value=1_000_000)
    pdo = NumberField(min_value=1, max_value=1_000)
    points_min = serializers.IntegerField(min_value=0, max_value=10_000)
    points_max = serializers.IntegerField(min_value=1, max_value=10_000)
    lgd = NumberField(min_value=0, max_value=1)
    lgd_secured = NumberField(min_value=0, max_value=1)
    ead_amortised = NumberField(min_value=0, max_value=1)
    ead_in_fine = NumberField(min_value=0, max_value=1)
    rules = PolicyRuleSerializer(many=True)


class TypeCostsSerializer(StrictSerializer):
    """Ce que rapporte et coûte un type de crédit, à son prêt médian."""

    amount_xaf = AmountField()
    months = serializers.IntegerField(min_value=1, max_value=600)
    rate_percent = NumberField(min_value=0, max_value=200)
    cost_of_funds_percent = NumberField(min_value=0, max_value=200)
    fee_percent = NumberField(min_value=0, max_value=100, default=0.0)
    file_cost_xaf = AmountField(default=0)
    computed = PlainBoolean(default=True, help_text="vrai : le seuil du type en est calculé")


class PolicyCostsSerializer(StrictSerializer):
    """Ce dont les seuils calculés viennent ; aucun ne dépasse le plafond."""

    prudence_cap = NumberField(min_value=0, max_value=1)
    by_type = ByTypeField(child=TypeCostsSerializer())


class FiguresWishSerializer(PolicyFiguresSerializer):
    """Les chiffres qui changent ; `thresholds`, `grade_limits` et `rules` se donnent en entier."""

    def get_fields(self) -> dict[str, Any]:
        return _optional(super().get_fields())


class CostsWishSerializer(PolicyCostsSerializer):
    """Les données des seuils qui changent ; `by_type` se donne en entier."""

    def get_fields(self) -> dict[str, Any]:
        return _optional(super().get_fields())


def _optional(found: dict[str, Any]) -> dict[str, Any]:
    for each in found.values():
        each.required = False
    return found


class NewPolicySerializer(StrictSerializer):
    """Une politique proposée ; un chiffre non donné reste celui de la politique en vigueur."""

    effective_from = DayField(help_text="Premier jour, aujourd'hui ou plus tard")
    reason = line(300, help_text="Motif, gardé dans l'historique")
    figures = FiguresWishSerializer(required=False)
    costs = CostsWishSerializer(required=False)


class PolicyDecisionSerializer(StrictSerializer):
    """Une décision et son motif, facultatif pour approuver."""

    reason = line(300)


class PolicyPeriodSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)


class WorkedSerializer(serializers.Serializer[Any]):
    """M, L et le seuil qui en vient, plafonné."""

    margin_xaf = serializers.FloatField()
    loss_xaf = serializers.FloatField()
    threshold = serializers.FloatField()
    profitable = serializers.BooleanField(help_text="faux : non rentable même sans défaut")


class PolicyDifferenceSerializer(serializers.Serializer[Any]):
    figure = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ScoringPolicySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ProposalStatus.choices)
    version = serializers.IntegerField(allow_null=True, help_text="null tant qu'elle n'est pas approuvée")
    effective_from = serializers.DateField()
    in_force = PolicyPeriodSerializer(allow_null=True, help_text="null : jamais en vigueur à ce jour")
    figures = PolicyFiguresSerializer()
    costs = PolicyCostsSerializer()
    worked = serializers.DictField(child=WorkedSerializer())
    differences = PolicyDifferenceSerializer(many=True, help_text="Avec la politique qu'elle remplace")
    reason = serializers.CharField()
    proposed_by = serializers.UUIDField(allow_null=True)
    decided_by = serializers.UUIDField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


def policy_body(proposal: Any, times: Mapping[int, InForce]) -> dict[str, Any]:
    """Return a policy, proposed or decided."""
    draft, policy = draft_of(proposal), proposal.policy
    base = draft_of(proposal.based_on) if proposal.based_on else draft
    return {
        "id": str(proposal.uid),
        "status": proposal.status,
        "version": policy.version if policy else None,
        "effective_from": (policy or proposal).effective_from.isoformat(),
        "in_force": _period(times.get(policy.pk) if policy else None),
        "figures": figures_to_json(draft.figures),
        "costs": costs_to_json(draft.costs),
        "worked": {name: _worked(each, draft) for name, each in draft.costs.by_type.items()},
        "differences": [
            {"figure": name, "before": before, "after": after}
            for name, before, after in differences(base, draft)
        ],
        "reason": proposal.reason,
        "proposed_by": _person(proposal.proposed_by),
        "decided_by": _person(proposal.decided_by),
        "decided_at": proposal.decided_at and proposal.decided_at.isoformat(),
        "decision_reason": proposal.decision_reason,
        "created_at": proposal.created_at.isoformat(),
    }


def _person(person: Any) -> str | None:
    return None if person is None else str(person.uid)


def _period(time: InForce | None) -> dict[str, Any] | None:
    if time is None or time.never:
        return None
    return {"since": time.start.isoformat(), "until": time.end and time.end.isoformat()}


def _worked(costs: TypeCosts, draft: PolicyDraft) -> dict[str, Any]:
    found = worked_threshold(costs, draft.figures, draft.costs.prudence_cap)
    names = ("margin_xaf", "loss_xaf", "threshold", "profitable")
    return {name: getattr(found, name) for name in names}


def draft_asked(base: PolicyDraft, given: Mapping[str, Any]) -> PolicyDraft:
    """Return the policy in force with the figures that were sent in place of its own."""
    figures = dict(given.get("figures") or {})
    if "rules" in figures:
        figures["rules"] = tuple(RuleSetting(**rule) for rule in figures["rules"])
    if "grade_limits" in figures:
        limits = tuple(figures["grade_limits"])
        figures["grade_limits"] = cast("tuple[float, float, float, float]", limits)
    costs = dict(given.get("costs") or {})
    if "by_type" in costs:
        costs["by_type"] = {name: TypeCosts(**each) for name, each in costs["by_type"].items()}
    known = {each.name for each in fields(PolicyFigures)}
    kept: PolicyCosts = replace(base.costs, **costs)
    return PolicyDraft(replace(base.figures, **{k: v for k, v in figures.items() if k in known}), kept)
