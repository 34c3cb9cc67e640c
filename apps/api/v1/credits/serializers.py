import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from apps.api.fields import LARGEST, AmountField, DayField, PlainBoolean, StrictSerializer, line
from apps.api.v1.applications.serializers import ClientKeySerializer
from apps.api.v1.clients.serializers import AgencyKeySerializer
from apps.api.v1.pages import ListSerializer, PeriodSerializer
from apps.credits.enums import CreditStatus, EntrySource, Exclusion, RepaymentKind
from apps.credits.models import Credit, Installment, Repayment
from apps.credits.queries.ledger import ledger_of
from apps.credits.validators import check_line
from apps.engine.ledger import Allotment, Ledger, all_allotments, delays, position, settlement_xaf
from apps.tenancy.cursors import Order

LONGEST_REFERENCE, LONGEST_REASON = 40, 300


class CreditListSerializer(PeriodSerializer):
    """Filters of the credits; the period is that of the disbursement."""

    orders = {
        "-disbursed_on": Order("disbursed_on"),
        "disbursed_on": Order("disbursed_on", descending=False),
    }

    client = serializers.UUIDField(required=False, help_text="Identifiant du client")
    agency = serializers.UUIDField(required=False, help_text="Identifiant de l'agence")
    application = serializers.UUIDField(required=False, help_text="Identifiant de la demande")
    status = serializers.ChoiceField(choices=CreditStatus.choices, required=False, help_text="État")
    reference = serializers.CharField(
        max_length=LONGEST_REFERENCE, required=False, help_text="Référence exacte"
    )


class NewCreditSerializer(StrictSerializer):
    """Le décaissement d'une demande accordée ; ce qui n'est pas donné est comme la demande."""

    application = serializers.UUIDField(help_text="Identifiant de la demande accordée")
    reference = serializers.CharField(
        max_length=LONGEST_REFERENCE,
        required=False,
        validators=[check_line],
        help_text="Votre numéro de prêt",
    )
    disbursed_on = DayField(required=False, help_text="Décaissé le ; aujourd'hui par défaut")
    amount_xaf = AmountField(required=False, help_text="Montant décaissé, au plus celui de la demande")
    rate_percent = serializers.FloatField(
        required=False, min_value=0, max_value=120, help_text="Taux nominal, en % par an"
    )
    duration_months = serializers.IntegerField(
        required=False, min_value=1, max_value=120, help_text="Durée en mois"
    )
    repayment_kind = serializers.ChoiceField(
        choices=RepaymentKind.choices, required=False, help_text="« constant » par défaut"
    )
    exclusion = serializers.ChoiceField(
        choices=Exclusion.choices, required=False, help_text="Pourquoi ce crédit n'entre pas dans les issues"
    )
    refinances = serializers.UUIDField(
        required=False, help_text="Crédit du même client que celui-ci rembourse en entier"
    )


class CreditLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=CreditStatus.choices)
    client = ClientKeySerializer()
    agency = AgencyKeySerializer()
    application = serializers.UUIDField()
    amount_xaf = serializers.IntegerField()
    disbursed_on = serializers.DateField()
    rate_percent = serializers.FloatField()
    duration_months = serializers.IntegerField()
    repayment_kind = serializers.ChoiceField(choices=RepaymentKind.choices)


class PositionSerializer(serializers.Serializer[Any]):
    """Où en est le crédit à la fin d'un jour, calculé de l'échéancier et des remboursements."""

    on = serializers.DateField()
    outstanding_xaf = serializers.IntegerField(help_text="Capital restant dû")
    overdue_xaf = serializers.IntegerField(help_text="Échu et impayé, capital et intérêts")
    payable_xaf = serializers.IntegerField(help_text="Tout ce que l'échéancier demande encore")
    days_past_due = serializers.IntegerField(help_text="Jours de retard de la plus ancienne échéance impayée")
    next_due_on = serializers.DateField(allow_null=True, help_text="Plus ancienne échéance non soldée")
    next_xaf = serializers.IntegerField(help_text="Ce qu'il en reste à payer")
    settlement_xaf = serializers.IntegerField(help_text="Ce qui solde le crédit ce jour-là")


class DelaysSerializer(serializers.Serializer[Any]):
    """Retards d'au moins 30, 60 et 90 jours, cumulés."""

    thirty = serializers.IntegerField()
    sixty = serializers.IntegerField()
    ninety = serializers.IntegerField()


class CreditSerializer(CreditLineSerializer):
    """Un crédit, tel qu'il est aujourd'hui. Le lire s'inscrit à la piste d'audit."""

    closed_on = serializers.DateField(allow_null=True)
    written_off_on = serializers.DateField(allow_null=True)
    restructured_on = serializers.DateField(allow_null=True)
    for_difficulty = serializers.BooleanField(help_text="Restructuré pour difficulté : c'est un défaut")
    refinances = serializers.UUIDField(allow_null=True)
    exclusion = serializers.ChoiceField(choices=Exclusion.choices, allow_blank=True)
    position = PositionSerializer()
    delays = DelaysSerializer()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WriteOffSerializer(StrictSerializer):
    """Le passage en perte de ce qui reste d'un crédit."""

    on = DayField(required=False, help_text="Passé en perte le ; aujourd'hui par défaut")
    reason = line(LONGEST_REASON, help_text="Motif, gardé à la piste d'audit ; obligatoire")


class RestructuringSerializer(StrictSerializer):
    """Le nouvel échéancier de ce qui reste d'un crédit ; les échéances d'avant restent."""

    on = DayField(help_text="En vigueur à partir du")
    duration_months = serializers.IntegerField(
        min_value=1, max_value=120, help_text="Nouvelle durée, en mois"
    )
    rate_percent = serializers.FloatField(min_value=0, max_value=120, help_text="Taux nominal, en % par an")
    repayment_kind = serializers.ChoiceField(
        choices=RepaymentKind.choices, required=False, help_text="« constant » par défaut"
    )
    for_difficulty = PlainBoolean(help_text="Pour difficulté : le crédit compte comme un défaut")
    reason = line(LONGEST_REASON, help_text="Motif, gardé à la piste d'audit ; obligatoire")


class InstallmentListSerializer(ListSerializer):
    """Ordre des échéances."""

    orders = {
        "due_on": Order("due_on", descending=False),
        "-due_on": Order("due_on"),
    }


class InstallmentSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    schedule_from = serializers.DateField(help_text="Début de l'échéancier dont elle fait partie")
    due_on = serializers.DateField()
    principal_xaf = serializers.IntegerField()
    interest_xaf = serializers.IntegerField()
    paid_xaf = serializers.IntegerField(help_text="Ce qu'elle a reçu des remboursements")
    settled_on = serializers.DateField(allow_null=True)
    replaced = serializers.BooleanField(help_text="Une restructuration l'a remplacée")


class RepaymentListSerializer(PeriodSerializer):
    """Filters of the repayments; the period is that of the payments."""

    orders = {
        "-paid_on": Order("paid_on"),
        "paid_on": Order("paid_on", descending=False),
    }

    credit = serializers.UUIDField(required=False, help_text="Identifiant du crédit")
    reference = serializers.CharField(
        max_length=LONGEST_REFERENCE, required=False, help_text="Numéro de reçu exact"
    )


class NewRepaymentSerializer(StrictSerializer):
    """Un remboursement reçu ; il va à l'échéance impayée la plus ancienne."""

    credit = serializers.UUIDField(help_text="Identifiant du crédit")
    reference = serializers.CharField(
        max_length=LONGEST_REFERENCE,
        validators=[check_line],
        help_text="Numéro de reçu, unique dans l'institution",
    )
    paid_on = DayField(help_text="Reçu le")
    amount_xaf = serializers.IntegerField(min_value=1, max_value=LARGEST, help_text="Montant, en FCFA")


class RepaymentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    credit = serializers.UUIDField()
    reference = serializers.CharField()
    paid_on = serializers.DateField()
    amount_xaf = serializers.IntegerField()
    source = serializers.ChoiceField(choices=EntrySource.choices)  # type: ignore[assignment]
    created_at = serializers.DateTimeField()


TERMS = (
    "status", "amount_xaf", "disbursed_on", "rate_percent", "duration_months", "repayment_kind",
)  # fmt: skip
ENDS = (
    "closed_on", "written_off_on", "restructured_on", "for_difficulty", "exclusion", "created_at",
    "updated_at",
)  # fmt: skip


def credit_line(credit: Credit) -> dict[str, Any]:
    """Return a credit as a list shows it."""
    client, agency = credit.client, credit.agency
    return {
        "id": str(credit.uid),
        "reference": credit.reference,
        "client": {"id": str(client.uid), "reference": client.reference},
        "agency": {"id": str(agency.uid), "code": agency.code},
        "application": str(credit.application.uid),
        **{name: getattr(credit, name) for name in TERMS},
    }


def credit_body(credit: Credit) -> dict[str, Any]:
    """Return a credit with where it stands today."""
    ledger, today = ledger_of(credit), timezone.localdate()
    counted = delays(ledger, on=today)
    return {
        **credit_line(credit),
        **{name: getattr(credit, name) for name in ENDS},
        "refinances": str(credit.refinances.uid) if credit.refinances else None,
        "position": _position(ledger, today),
        "delays": {name: getattr(counted, name) for name in ("thirty", "sixty", "ninety")},
    }


def _position(ledger: Ledger, day: dt.date) -> dict[str, Any]:
    found = position(ledger, on=day)
    names = ("on", "outstanding_xaf", "overdue_xaf", "payable_xaf", "days_past_due", "next_xaf")
    return {
        **{name: getattr(found, name) for name in names},
        "next_due_on": found.next_due.due_on if found.next_due else None,
        "settlement_xaf": settlement_xaf(ledger, on=day) if found.payable_xaf else 0,
    }


Places = dict[tuple[dt.date, int], Allotment]


def allotted(credit: Credit) -> tuple[Places, dt.date]:
    """Return what each instalment has got, by schedule and number, and the schedule in force."""
    ledger = ledger_of(credit)
    found = all_allotments(ledger, on=timezone.localdate())
    places = {(schedule.from_on, line.due.number): line for schedule, lines in found for line in lines}
    return places, found[-1][0].from_on


def installment_body(row: Installment, places: Places, in_force: dt.date) -> dict[str, Any]:
    """Return an instalment with what it has got."""
    line = places[row.schedule_from, row.number]
    names = ("number", "schedule_from", "due_on", "principal_xaf", "interest_xaf")
    return {
        **{name: getattr(row, name) for name in names},
        "paid_xaf": line.paid_xaf,
        "settled_on": line.settled_on,
        "replaced": row.schedule_from != in_force and row.due_on >= in_force,
    }


def repayment_body(repayment: Repayment) -> dict[str, Any]:
    """Return a repayment."""
    names = ("reference", "paid_on", "amount_xaf", "source", "created_at")
    return {
        "id": str(repayment.uid),
        "credit": str(repayment.credit.uid),
        **{name: getattr(repayment, name) for name in names},
    }
