from typing import Any

from rest_framework import serializers

from apps.api.fields import AmountField, DayField, PlainBoolean, StrictSerializer, line, text
from apps.api.v1.pages import ListSerializer
from apps.credits.enums import (
    ConsentMethod,
    ContractType,
    DocumentType,
    ExternalSource,
    ExternalStatus,
    FamilySituation,
    Sex,
)
from apps.credits.models import Client, ExternalCredit
from apps.credits.validators import check_line, check_phone
from apps.engine.dictionary import STANDARD
from apps.tenancy.cursors import Order

_TEXTS = (
    "last_name", "first_names", "sex", "family_situation", "phone", "city", "residence_region",
    "document_type", "document_number", "occupation", "contract_type", "prohibition_source",
)  # fmt: skip
_DAYS = ("birth_date", "document_expires_on", "contract_start", "prohibition_date")
#: The fields of a file that a partner writes as they stand.
OWN = (*_TEXTS, *_DAYS, "monthly_income_xaf")


class AgencyKeySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()


class ClientListSerializer(ListSerializer):
    """Filters of the clients."""

    orders = {
        "name": Order("search_name", descending=False),
        "-name": Order("search_name"),
        "data_updated_on": Order("data_updated_on", descending=False),
        "-data_updated_on": Order("data_updated_on"),
    }

    q = serializers.CharField(
        max_length=80,
        required=False,
        help_text="Début du nom ; ou, entiers, une référence, un téléphone ou un numéro de pièce",
    )
    reference = serializers.CharField(max_length=40, required=False, help_text="Référence exacte")
    phone = serializers.CharField(
        max_length=24, required=False, help_text="Téléphone, avec ou sans espaces et indicatif"
    )
    agency = serializers.UUIDField(required=False, help_text="Identifiant de l'agence")
    merged = PlainBoolean(
        default=False,
        help_text="vrai : les dossiers fusionnés avec un autre, que la liste laisse sinon de côté",
    )


class _ClientFields(StrictSerializer):
    last_name = serializers.CharField(max_length=80, validators=[check_line], help_text="Nom")
    first_names = line(120, help_text="Prénoms")
    birth_date = DayField(help_text="Date de naissance")
    sex = serializers.ChoiceField(choices=Sex.choices, required=False, allow_blank=True, help_text="Sexe")
    family_situation = serializers.ChoiceField(
        choices=FamilySituation.choices, required=False, allow_blank=True, help_text="Situation familiale"
    )
    phone = text(24, validators=[check_phone], help_text="Téléphone, chiffré au repos")
    city = line(80, help_text="Ville")
    residence_region = line(40, help_text="Région de résidence")
    document_type = serializers.ChoiceField(
        choices=DocumentType.choices, required=False, allow_blank=True, help_text="Pièce d'identité"
    )
    document_number = line(40, help_text="Numéro de la pièce, chiffré au repos")
    document_expires_on = DayField(required=False, allow_null=True, help_text="Validité de la pièce")
    occupation = line(120, help_text="Profession")
    contract_type = serializers.ChoiceField(
        choices=ContractType.choices, required=False, allow_blank=True, help_text="Type de contrat"
    )
    contract_start = DayField(required=False, allow_null=True, help_text="Dans cet emploi depuis le")
    monthly_income_xaf = AmountField(required=False, allow_null=True, help_text="Revenu mensuel en FCFA")
    prohibition_source = line(120, help_text="Interdiction de crédit : décision ou registre")
    prohibition_date = DayField(required=False, allow_null=True, help_text="Interdit depuis le")


class NewClientSerializer(_ClientFields):
    """Un client à enregistrer."""

    agency = serializers.UUIDField(help_text="Agence qui tient le dossier")
    reference = line(40, help_text="Votre référence ; donnée par CrediSense si elle manque")
    data_consent = PlainBoolean(default=False, help_text="Le client consent à l'usage de ses données")
    bureau_consent = PlainBoolean(
        default=False, help_text="Le client consent à la consultation des registres (CREMF, BIC)"
    )
    consent_method = serializers.ChoiceField(
        choices=ConsentMethod.choices, required=False, help_text="Obligatoire avec un consentement"
    )
    despite_duplicates = PlainBoolean(
        default=False, help_text="Enregistrer même si un dossier semble exister déjà (sinon 409)"
    )


class ClientChangeSerializer(_ClientFields):
    """Les champs à changer ; les autres restent."""

    agency = serializers.UUIDField(required=False, help_text="Agence qui tient le dossier")
    is_active = PlainBoolean(required=False, help_text="faux : le dossier n'est plus suivi")


class ClientLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    last_name = serializers.CharField()
    first_names = serializers.CharField()
    city = serializers.CharField()
    agency = AgencyKeySerializer()
    data_updated_on = serializers.DateField(help_text="Données confirmées le")
    is_active = serializers.BooleanField()
    merged_into = serializers.UUIDField(
        allow_null=True, help_text="Le dossier qui tient lieu de celui-ci depuis leur fusion"
    )


class ConsentSerializer(serializers.Serializer[Any]):
    given_on = serializers.DateField(allow_null=True)
    method = serializers.CharField(allow_blank=True)
    withdrawn_on = serializers.DateField(allow_null=True)


class ClientSerializer(ClientLineSerializer):
    """Le dossier d'un client. Le lire s'inscrit à la piste d'audit."""

    birth_date = serializers.DateField()
    sex = serializers.CharField(allow_blank=True)
    family_situation = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    residence_region = serializers.CharField(allow_blank=True)
    document_type = serializers.CharField(allow_blank=True)
    document_number = serializers.CharField(allow_blank=True)
    document_expires_on = serializers.DateField(allow_null=True)
    occupation = serializers.CharField(allow_blank=True)
    contract_type = serializers.CharField(allow_blank=True)
    contract_start = serializers.DateField(allow_null=True)
    monthly_income_xaf = serializers.IntegerField(allow_null=True)
    prohibition_source = serializers.CharField(allow_blank=True)
    prohibition_date = serializers.DateField(allow_null=True)
    data_consent = ConsentSerializer()
    bureau_consent = ConsentSerializer()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def client_line(client: Client) -> dict[str, Any]:
    """Return a client as a list shows it: no phone, no document."""
    return {
        "id": str(client.uid),
        "reference": client.reference,
        "last_name": client.last_name,
        "first_names": client.first_names,
        "city": client.city,
        "agency": {"id": str(client.agency.uid), "code": client.agency.code},
        "data_updated_on": client.data_updated_on,
        "is_active": client.is_active,
        "merged_into": str(client.merged_into.uid) if client.merged_into else None,
    }


def client_body(client: Client) -> dict[str, Any]:
    """Return a client's file."""
    return {
        **client_line(client),
        **{name: getattr(client, name) for name in OWN},
        "data_consent": _consent(client, ""),
        "bureau_consent": _consent(client, "bureau_"),
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }


def _consent(client: Client, prefix: str) -> dict[str, Any]:
    return {
        "given_on": getattr(client, f"{prefix}consent_at"),
        "method": getattr(client, f"{prefix}consent_method"),
        "withdrawn_on": getattr(client, f"{prefix}consent_withdrawn_on"),
    }


def new_client() -> Client:
    """Return a file with nothing in it."""
    return Client()


class ExternalCreditListSerializer(ListSerializer):
    """Filters of the credits elsewhere: one client's."""

    orders = {
        "-created_at": Order("created_at"),
        "created_at": Order("created_at", descending=False),
    }

    client = serializers.UUIDField(help_text="Identifiant du client")
    status = serializers.ChoiceField(choices=ExternalStatus.choices, required=False, help_text="État")


class ExternalCreditChangeSerializer(StrictSerializer):
    """Les champs à changer ; les autres restent."""

    lender = serializers.CharField(max_length=120, validators=[check_line], help_text="Prêteur")
    kind = serializers.ChoiceField(
        choices=[each.code for each in STANDARD["type_credit"].categories],
        required=False,
        allow_blank=True,
        help_text="Type de crédit",
    )
    amount_xaf = AmountField(required=False, allow_null=True, help_text="Montant prêté, en FCFA")
    outstanding_xaf = AmountField(help_text="Reste dû, en FCFA")
    monthly_payment_xaf = AmountField(help_text="Mensualité, en FCFA")
    worst_late_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=9_999, help_text="Plus long retard, en jours"
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=ExternalSource.choices,
        help_text="« cremf » et « bic » demandent le consentement du client à la consultation",
    )
    as_of = DayField(required=False, help_text="Connu le ; aujourd'hui par défaut")


class NewExternalCreditSerializer(ExternalCreditChangeSerializer):
    """Un crédit chez un autre prêteur."""

    client = serializers.UUIDField(help_text="Identifiant du client")


class CloseSerializer(StrictSerializer):
    """Quand le crédit a été remboursé."""

    on = DayField(required=False, help_text="Remboursé le ; aujourd'hui par défaut")


class ExternalCreditSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    client = serializers.UUIDField()
    lender = serializers.CharField()
    kind = serializers.CharField(allow_blank=True)
    amount_xaf = serializers.IntegerField(allow_null=True)
    outstanding_xaf = serializers.IntegerField()
    monthly_payment_xaf = serializers.IntegerField()
    worst_late_days = serializers.IntegerField(allow_null=True)
    source = serializers.ChoiceField(choices=ExternalSource.choices)  # type: ignore[assignment]
    as_of = serializers.DateField()
    status = serializers.ChoiceField(choices=ExternalStatus.choices)
    closed_on = serializers.DateField(allow_null=True)


def external_credit_body(credit: ExternalCredit) -> dict[str, Any]:
    """Return a credit elsewhere."""
    names = (
        "lender", "kind", "amount_xaf", "outstanding_xaf", "monthly_payment_xaf", "worst_late_days",
        "source", "as_of", "status", "closed_on",
    )  # fmt: skip
    values = {name: getattr(credit, name) for name in names}
    return {"id": str(credit.uid), "client": str(credit.client.uid), **values}


def new_external_credit(client: Client) -> ExternalCredit:
    """Return a credit elsewhere with nothing in it but whose it is."""
    return ExternalCredit(client=client)
