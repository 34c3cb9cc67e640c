import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from apps.api.fields import StrictSerializer, line
from apps.api.v1.pages import ListSerializer
from apps.credits.validators import check_line
from apps.engine.dictionary import STANDARD
from apps.registry.enums import GENERAL_SEGMENT, ModelOrigin, ModelStatus, StartOrigin, TrainingData, Verdict
from apps.registry.enums import PromotionStatus as Promoted
from apps.registry.models import Championship, ModelVersion, Promotion
from apps.registry.queries import promotions_of, times_in_production
from apps.registry.renderers import gate_label, gate_text
from apps.tenancy.cursors import Order

SEGMENTS = [
    (GENERAL_SEGMENT, GENERAL_SEGMENT),
    *((each.code, each.code) for each in STANDARD["type_credit"].categories),
]


class ModelListSerializer(ListSerializer):
    """Filtres des versions."""

    orders = {"-created_at": Order("created_at"), "created_at": Order("created_at", descending=False)}

    status = serializers.ChoiceField(choices=ModelStatus.choices, required=False, help_text="État")


class GateSerializer(serializers.Serializer[Any]):
    """Un contrôle avant la production : son chiffre, ses bornes, ce qu'il en dit."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    figure = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    text = serializers.CharField(allow_blank=True)


class PromotionSerializer(serializers.Serializer[Any]):
    """Une mise en production, proposée par une personne et décidée par une autre."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Promoted.choices)
    reason = serializers.CharField()
    explanation = serializers.CharField(allow_blank=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    proposed_by = serializers.CharField()
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    gates = GateSerializer(many=True)


class TimeSerializer(serializers.Serializer[Any]):
    """Un temps en production, à la seconde ; `until` est nul tant qu'il dure."""

    started_at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    origin = serializers.ChoiceField(choices=StartOrigin.choices)
    proposed_by = serializers.CharField(allow_null=True)
    started_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class ModelLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.CharField()
    segment = serializers.ChoiceField(choices=SEGMENTS)
    status = serializers.ChoiceField(choices=ModelStatus.choices)
    training_data = serializers.ChoiceField(choices=TrainingData.choices)
    origin = serializers.ChoiceField(choices=ModelOrigin.choices)
    calibrated = serializers.BooleanField(help_text="Faux pour une grille experte, non étalonnée")
    sha256 = serializers.CharField()
    created_at = serializers.DateTimeField()


class ModelLinksSerializer(serializers.Serializer[Any]):
    self = serializers.CharField()
    export = serializers.CharField()
    promote = serializers.CharField()
    approve = serializers.CharField()
    rollback = serializers.CharField()


class ModelVersionSerializer(ModelLineSerializer):
    """Une version : ses chiffres, ses contrôles, ses temps en production."""

    metrics = serializers.DictField(child=serializers.JSONField())
    period = serializers.DictField(child=serializers.CharField())
    promotion = PromotionSerializer(allow_null=True, help_text="La dernière, décidée ou non")
    times = TimeSerializer(many=True)
    links = ModelLinksSerializer()


class ModelFileSerializer(StrictSerializer):
    """Le zip d'un dossier de modèle, ou une grille en JSON."""

    file = serializers.FileField(help_text="ZIP ou JSON, 16 Mo au plus")
    segment = serializers.ChoiceField(
        choices=SEGMENTS, default=GENERAL_SEGMENT, help_text="Tous les crédits par défaut"
    )


class ScorecardEntrySerializer(serializers.Serializer[Any]):
    """Les points d'une variable : par tranche (`cuts`, un point de plus) ou par code."""

    name = serializers.CharField()
    cuts = serializers.ListField(child=serializers.FloatField(), required=False)
    points = serializers.JSONField(help_text="Liste d'entiers, ou entier par code")
    missing = serializers.IntegerField(required=False, help_text="Valeur non connue ; 0 par défaut")


class ScorecardSerializer(serializers.Serializer[Any]):
    """Une grille experte écrite à la main."""

    format = serializers.ChoiceField(choices=["scorecard-1"])
    name = serializers.CharField()
    version = serializers.CharField()
    declared_default_rate = serializers.FloatField()
    variables = ScorecardEntrySerializer(many=True)
    segment = serializers.ChoiceField(choices=SEGMENTS, required=False)


class PromoteSerializer(StrictSerializer):
    """Pourquoi, et quand ; sans `starts_at`, dès l'approbation."""

    reason = serializers.CharField(max_length=500, validators=[check_line])
    explanation = line(1000, help_text="Exigée quand un contrôle est à expliquer")
    starts_at = serializers.DateTimeField(required=False, help_text="Dans les 90 jours")


class RollbackSerializer(StrictSerializer):
    """Le motif du retour à la version précédente."""

    reason = serializers.CharField(max_length=500, validators=[check_line])


def model_line(version: ModelVersion) -> dict[str, Any]:
    """Return a version as a list has it."""
    return {
        "id": str(version.uid),
        "name": version.name,
        "version": version.version,
        "segment": version.segment,
        "status": version.status,
        "training_data": version.training_data,
        "origin": version.origin,
        "calibrated": not version.is_expert,
        "sha256": version.sha256,
        "created_at": _moment(version.created_at),
    }


def model_body(version: ModelVersion) -> dict[str, Any]:
    """Return everything of a version."""
    promotion = promotions_of(version).first()
    links = ("export", "promote", "approve", "rollback")
    return {
        **model_line(version),
        "metrics": version.metrics,
        "period": version.period,
        "promotion": promotion_body(promotion) if promotion is not None else None,
        "times": [_time(time) for time in times_in_production(version)],
        "links": {
            "self": reverse("api:model", args=[version.uid]),
            **{name: reverse(f"api:model_{name}", args=[version.uid]) for name in links},
        },
    }


def promotion_body(promotion: Promotion) -> dict[str, Any]:
    """Return where a promotion stands, with its checklist."""
    return {
        "id": str(promotion.uid),
        "status": promotion.status,
        "reason": promotion.reason,
        "explanation": promotion.explanation,
        "starts_at": _moment(promotion.starts_at),
        "proposed_by": str(promotion.proposed_by),
        "proposed_at": _moment(promotion.proposed_at),
        "decided_by": _who(promotion.decided_by),
        "decided_at": _moment(promotion.decided_at),
        "gates": [_gate(gate) for gate in promotion.gates],
    }


def _gate(gate: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": gate["code"],
        "label": gate_label(gate["code"]),
        "verdict": gate["verdict"],
        "figure": gate["figure"],
        "low": gate["low"],
        "high": gate["high"],
        "text": gate_text(gate),
    }


def _time(time: Championship) -> dict[str, Any]:
    following = next(iter(time.next.all()), None)
    return {
        "started_at": _moment(time.started_at),
        "until": _moment(following.started_at) if following else None,
        "origin": time.origin,
        "proposed_by": _who(time.proposed_by),
        "started_by": _who(time.started_by),
        "reason": time.reason,
    }


def _who(person: Any) -> str | None:
    return None if person is None else str(person)


def _moment(moment: dt.datetime | None) -> str | None:
    return None if moment is None else timezone.localtime(moment).isoformat(timespec="seconds")
