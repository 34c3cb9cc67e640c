from typing import Any

from rest_framework import serializers

from apps.api.fields import AmountField, StrictSerializer, text
from apps.credits.enums import ApplicationStatus
from apps.decisions.enums import DecisionKind, Direction, OverrideReason, OverrideStatus
from apps.decisions.models import LONGEST_TEXT, Decision, OverrideRequest
from apps.decisions.services.deciding import LONGEST_MONTHS
from apps.scoring.enums import Recommendation


class DecideSerializer(StrictSerializer):
    """Une décision : sa nature, un motif de l'institution, et ce que la nature demande.

    Sans `amount_xaf` ni `duration_months`, ce sont ceux de la demande ; un refus et un ajournement les
    ignorent. `override_reason` et `override_text` sont obligatoires contre l'avis, et refusés sinon.
    """

    decision = serializers.ChoiceField(choices=DecisionKind.choices, help_text="Nature de la décision")
    motive = serializers.CharField(max_length=40, help_text="Code d'un motif de l'institution")
    comment = text(LONGEST_TEXT, help_text="Obligatoire pour un accord sous réserve : ce qui reste à réunir")
    amount_xaf = AmountField(required=False, help_text="Montant décidé, au plus celui qui est demandé")
    duration_months = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_MONTHS, help_text="Durée d'une contre-proposition"
    )
    override_reason = serializers.ChoiceField(
        choices=OverrideReason.choices, required=False, help_text="Pourquoi aller contre l'avis"
    )
    override_text = text(LONGEST_TEXT, help_text="Ce qui a été vérifié, pour la seconde personne")


class OverrideSerializer(serializers.Serializer[Any]):
    """Pourquoi la décision est allée contre l'avis, et qui l'a demandé."""

    direction = serializers.ChoiceField(choices=Direction.choices)
    reason = serializers.ChoiceField(choices=OverrideReason.choices)
    text = serializers.CharField()
    requested_by = serializers.UUIDField(allow_null=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """Une décision prise : on n'en change rien."""

    id = serializers.UUIDField()
    application_id = serializers.UUIDField()
    application_status = serializers.ChoiceField(choices=ApplicationStatus.choices)
    decision = serializers.ChoiceField(choices=DecisionKind.choices)
    prediction_id = serializers.UUIDField(allow_null=True, help_text="Le score qui a été vu")
    recommendation = serializers.ChoiceField(choices=Recommendation.choices, allow_blank=True)
    amount_xaf = serializers.IntegerField()
    duration_months = serializers.IntegerField()
    motive = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    override = OverrideSerializer(allow_null=True)
    decided_by = serializers.UUIDField(allow_null=True)
    role = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField()


class OverrideRequestSerializer(serializers.Serializer[Any]):
    """Une décision contre l'avis, en attente d'une seconde personne : rien n'est encore décidé."""

    id = serializers.UUIDField()
    application_id = serializers.UUIDField()
    decision = serializers.ChoiceField(choices=DecisionKind.choices)
    direction = serializers.ChoiceField(choices=Direction.choices)
    reason = serializers.ChoiceField(choices=OverrideReason.choices)
    text = serializers.CharField()
    status = serializers.ChoiceField(choices=OverrideStatus.choices)
    requested_at = serializers.DateTimeField()


class DecisionsSerializer(serializers.Serializer[Any]):
    """Les décisions d'une demande, la dernière d'abord."""

    results = DecisionSerializer(many=True)


def decision_body(decision: Decision) -> dict[str, Any]:
    """Return a decision; its application, score and people must have been loaded."""
    prediction, motive = decision.prediction, decision.motive
    return {
        "id": str(decision.uid),
        "application_id": str(decision.application.uid),
        "application_status": decision.application.status,
        "decision": decision.kind,
        "prediction_id": str(prediction.uid) if prediction else None,
        "recommendation": decision.recommendation,
        "amount_xaf": decision.amount_xaf,
        "duration_months": decision.duration_months,
        "motive": motive.code if motive else "",
        "comment": decision.comment,
        "override": _override_body(decision) if decision.is_override else None,
        "decided_by": _uid_of(decision.decided_by),
        "role": decision.role,
        "decided_at": decision.decided_at,
    }


def _override_body(decision: Decision) -> dict[str, Any]:
    return {
        "direction": decision.override_direction,
        "reason": decision.override_reason,
        "text": decision.override_text,
        "requested_by": _uid_of(decision.requested_by),
    }


def _uid_of(person: Any) -> str | None:
    return str(person.uid) if person is not None else None


def override_request_body(request: OverrideRequest) -> dict[str, Any]:
    """Return an override that awaits a second person."""
    return {
        "id": str(request.uid),
        "application_id": str(request.application.uid),
        "decision": request.kind,
        "direction": request.direction,
        "reason": request.reason,
        "text": request.text,
        "status": request.status,
        "requested_at": request.requested_at,
    }


def taken_body(taken: Decision | OverrideRequest) -> tuple[dict[str, Any], int]:
    """Return the body and the status of what deciding gave: 202 while a second person is awaited."""
    if isinstance(taken, Decision):
        return decision_body(taken), 201
    return override_request_body(taken), 202
