from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import CreditStatus, EntrySource, Exclusion, RepaymentKind
from apps.credits.models.applications import CreditApplication
from apps.credits.models.clients import Client
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class CreditQuerySet(TenantQuerySet["Credit"]):
    def running(self) -> Self:
        return self.filter(status__in=(CreditStatus.ACTIVE, CreditStatus.RESTRUCTURED))


CreditManager = TenantManager.from_queryset(CreditQuerySet)


class Credit(TenantModel):
    """Money lent upon one application. Where it stands on a day is computed from its ledger, never stored."""

    application = TenantForeignKey(CreditApplication, related_name="credits", verbose_name=_("application"))
    client = TenantForeignKey(Client, related_name="credits", verbose_name=_("client"))
    agency = TenantForeignKey("institutions.Agency", related_name="credits", verbose_name=_("agency"))
    reference = models.CharField(_("reference"), max_length=40)
    status = models.CharField(_("status"), max_length=12, choices=CreditStatus, default=CreditStatus.ACTIVE)
    amount_xaf = models.BigIntegerField(_("amount disbursed (FCFA)"), validators=[MinValueValidator(1)])
    disbursed_on = models.DateField(_("disbursed on"))
    rate_percent = models.FloatField(_("nominal annual rate (%)"), validators=[MinValueValidator(0)])
    duration_months = models.PositiveSmallIntegerField(_("term (months)"), validators=[MinValueValidator(1)])
    repayment_kind = models.CharField(
        _("repayment"), max_length=8, choices=RepaymentKind, default=RepaymentKind.CONSTANT
    )
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    written_off_on = models.DateField(_("written off on"), null=True, blank=True)
    restructured_on = models.DateField(_("restructured on"), null=True, blank=True)
    #: Whether the restructuring was for difficulty: that is a default, a change of convenience is none.
    for_difficulty = models.BooleanField(_("restructured for difficulty"), default=False)
    refinances = TenantForeignKey(
        "self", null=True, blank=True, related_name="refinanced_by", verbose_name=_("credit that it repays")
    )
    exclusion = models.CharField(
        _("left out of outcomes"), max_length=12, choices=Exclusion, blank=True, default=""
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[CreditManager] = CreditManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        constraints = [
            *tenant_constraints("application", "client", "agency", "refinances"),
            models.UniqueConstraint(fields=["institution", "reference"], name="credits_credit_reference"),
            models.UniqueConstraint(fields=["institution", "application"], name="credits_credit_application"),
            models.CheckConstraint(
                condition=models.Q(amount_xaf__gt=0, duration_months__gt=0, rate_percent__gte=0),
                name="credits_credit_positive",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=CreditStatus.CLOSED) | models.Q(closed_on__isnull=False),
                name="credits_credit_closed_dated",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=CreditStatus.WRITTEN_OFF) | models.Q(written_off_on__isnull=False),
                name="credits_credit_written_off_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "client"], name="credits_credit_client"),
            models.Index(fields=["institution", "disbursed_on", "uid"], name="credits_credit_when"),
            models.Index(
                fields=["institution", "agency", "disbursed_on", "uid"], name="credits_credit_agency"
            ),
            models.Index(
                fields=["institution", "status", "disbursed_on", "uid"], name="credits_credit_status"
            ),
            models.Index(
                fields=["institution", "refinances"],
                condition=models.Q(refinances__isnull=False),
                name="credits_credit_refinances",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Installment(TenantModel):
    """What is due on a day; ``schedule_from`` tells the first schedule from one that replaced it."""

    credit = TenantForeignKey(Credit, related_name="installments", verbose_name=_("credit"))
    schedule_from = models.DateField(_("schedule in force from"))
    number = models.PositiveSmallIntegerField(_("number"))
    due_on = models.DateField(_("due on"))
    principal_xaf = models.BigIntegerField(_("principal (FCFA)"))
    interest_xaf = models.BigIntegerField(_("interest (FCFA)"))

    class Meta:
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        constraints = [
            *tenant_constraints("credit"),
            models.UniqueConstraint(
                fields=["institution", "credit", "schedule_from", "number"], name="credits_installment_number"
            ),
            models.CheckConstraint(
                condition=models.Q(principal_xaf__gte=0, interest_xaf__gte=0, number__gt=0),
                name="credits_installment_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.due_on})"


class Repayment(TenantModel):
    """Money received for a credit; to which instalments it goes is computed, the oldest unpaid first."""

    credit = TenantForeignKey(Credit, related_name="repayments", verbose_name=_("credit"))
    reference = models.CharField(_("receipt number"), max_length=40)
    paid_on = models.DateField(_("paid on"))
    amount_xaf = models.BigIntegerField(_("amount (FCFA)"), validators=[MinValueValidator(1)])
    source = models.CharField(_("source"), max_length=12, choices=EntrySource, default=EntrySource.TYPED)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("repayment")
        verbose_name_plural = _("repayments")
        constraints = [
            *tenant_constraints("credit"),
            models.UniqueConstraint(fields=["institution", "reference"], name="credits_repayment_reference"),
            models.CheckConstraint(condition=models.Q(amount_xaf__gt=0), name="credits_repayment_positive"),
        ]
        indexes = [
            models.Index(fields=["institution", "credit", "paid_on", "uid"], name="credits_repayment_credit"),
            models.Index(fields=["institution", "paid_on", "uid"], name="credits_repayment_when"),
        ]

    def __str__(self) -> str:
        return self.reference


class CreditStatement(TenantModel):
    """One line of a monthly balance (balance âgée): what the institution's books say of a credit on a day."""

    credit = TenantForeignKey(Credit, related_name="statements", verbose_name=_("credit"))
    date = models.DateField(_("date of the statement"))
    outstanding_xaf = models.BigIntegerField(_("outstanding balance (FCFA)"))
    days_late = models.PositiveSmallIntegerField(_("days late"))
    source = models.CharField(_("source"), max_length=12, choices=EntrySource, default=EntrySource.IMPORT)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("credit statement")
        verbose_name_plural = _("credit statements")
        constraints = [
            *tenant_constraints("credit"),
            models.UniqueConstraint(
                fields=["institution", "credit", "date"], name="credits_statement_once_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(outstanding_xaf__gte=0), name="credits_statement_outstanding"
            ),
        ]
        indexes = [models.Index(fields=["institution", "date"], name="credits_statement_date")]

    def __str__(self) -> str:
        return f"{self.date}"
