from typing import Any

from rest_framework import serializers

from apps.api.fields import StrictSerializer, text
from apps.api.v1.clients.serializers import AgencyKeySerializer
from apps.api.v1.pages import PeriodSerializer
from apps.api.v1.scoring.serializers import dictionary_fields
from apps.credits.enums import ApplicationStatus, CancelReason, Piece
from apps.credits.models import CreditApplication
from apps.credits.queries.applications import piece_requests_of
from apps.credits.services.applications import stored_values
from apps.tenancy.cursors import Order


class ApplicationListSerializer(PeriodSerializer):
    """Filters of the applications."""

    orders = {
        "-applied_on": Order("applied_on"),
        "applied_on": Order("applied_on", descending=False),
    }

    client = serializers.UUIDField(required=False, help_text="Identifiant du client")
    agency = serializers.UUIDField(required=False, help_text="Identifiant de l'agence")
    status = serializers.ChoiceField(choices=ApplicationStatus.choices, required=False, help_text="État")
    reference = serializers.CharField(max_length=40, required=False, help_text="Référence exacte")


class NewApplicationSerializer(serializers.Serializer[Any]):
    """Une demande : le client, l'objet et les variables du dictionnaire à côté.

    Ce que le dossier du client dit déjà (âge, revenu…) n'a pas à être redonné. Les variables propres à
    l'institution (`features-names`, `own`) s'ajoutent à celles-ci.
    """

    client_id = serializers.UUIDField(required=False, help_text="Identifiant du client")
    client_reference = serializers.CharField(
        required=False, max_length=40, help_text="Ou votre référence du client"
    )
    purpose = text(200, help_text="Objet du crédit")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **dictionary_fields()}


class ApplicationChangeSerializer(serializers.Serializer[Any]):
    """Les variables à changer ; `null` en rend une inconnue, les autres restent."""

    purpose = text(200, help_text="Objet du crédit")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **dictionary_fields()}


class SubmitSerializer(StrictSerializer):
    answer = text(500, help_text="Ce qui a été ajouté à un dossier renvoyé")


class ReturnSerializer(StrictSerializer):
    pieces = serializers.ListField(
        child=serializers.ChoiceField(choices=Piece.choices), min_length=1, help_text="Ce qui manque"
    )
    note = text(500, help_text="Ce qui est attendu ; obligatoire avec « autre »")


class CancelSerializer(StrictSerializer):
    reason = serializers.ChoiceField(choices=CancelReason.choices, help_text="Motif")


class ClientKeySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()


class ApplicationLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=ApplicationStatus.choices)
    client = ClientKeySerializer()
    agency = AgencyKeySerializer()
    applied_on = serializers.DateField()
    purpose = serializers.CharField(allow_blank=True)
    montant_credit = serializers.IntegerField()
    duree_mois = serializers.IntegerField()
    type_credit = serializers.CharField()


class PieceRequestSerializer(serializers.Serializer[Any]):
    pieces = serializers.ListField(child=serializers.ChoiceField(choices=Piece.choices))
    note = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    answer = serializers.CharField(allow_blank=True)
    answered_at = serializers.DateTimeField(allow_null=True)


class ApplicationSerializer(ApplicationLineSerializer):
    """Une demande. La lire s'inscrit à la piste d'audit."""

    variables = serializers.DictField(help_text="Variables du dictionnaire, comme connues ce jour-là")
    submitted_at = serializers.DateTimeField(allow_null=True)
    cancel_reason = serializers.CharField(allow_blank=True)
    piece_requests = PieceRequestSerializer(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def application_line(application: CreditApplication) -> dict[str, Any]:
    """Return an application as a list shows it."""
    client, agency = application.client, application.agency
    names = ("status", "applied_on", "purpose", "montant_credit", "duree_mois", "type_credit")
    return {
        "id": str(application.uid),
        "reference": application.reference,
        "client": {"id": str(client.uid), "reference": client.reference},
        "agency": {"id": str(agency.uid), "code": agency.code},
        **{name: getattr(application, name) for name in names},
    }


def application_body(application: CreditApplication) -> dict[str, Any]:
    """Return an application with its variables and what was asked for."""
    asked = ("pieces", "note", "asked_at", "answer", "answered_at")
    return {
        **application_line(application),
        "variables": stored_values(application),
        "submitted_at": application.submitted_at,
        "cancel_reason": application.cancel_reason,
        "piece_requests": [
            {name: getattr(each, name) for name in asked} for each in piece_requests_of(application)
        ],
        "created_at": application.created_at,
        "updated_at": application.updated_at,
    }
