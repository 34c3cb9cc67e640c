from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import (
    REAL_SECURITIES,
    ExternalSource,
    ExternalStatus,
    GuaranteeKind,
)
from apps.credits.models.applications import CreditApplication
from apps.credits.models.clients import Client
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.encryption import EncryptedTextField
from apps.tenancy.models import TenantForeignKey, TenantModel


class Guarantee(TenantModel):
    """What secures a client's credit: a thing, or a person who answers for the client."""

    client = TenantForeignKey(Client, related_name="guarantees", verbose_name=_("client"))
    application = TenantForeignKey(
        CreditApplication, null=True, related_name="guarantees", verbose_name=_("application")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=GuaranteeKind)
    description = models.CharField(_("description"), max_length=200, blank=True)
    value_xaf = models.BigIntegerField(_("value (FCFA)"), validators=[MinValueValidator(0)])
    guarantor_name = models.CharField(_("name of the guarantor"), max_length=160, blank=True)
    guarantor_phone = EncryptedTextField(_("phone of the guarantor"), blank=True)
    released_on = models.DateField(_("released on"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("guarantee")
        verbose_name_plural = _("guarantees")
        constraints = [
            *tenant_constraints("client", "application"),
            models.CheckConstraint(condition=models.Q(value_xaf__gte=0), name="credits_guarantee_value"),
        ]
        indexes = [
            models.Index(fields=["institution", "client"], name="credits_guarantee_client"),
            models.Index(fields=["institution", "application"], name="credits_guarantee_application"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_real(self) -> bool:
        return self.kind in REAL_SECURITIES

    @property
    def is_active(self) -> bool:
        return self.released_on is None


class ExternalCredit(TenantModel):
    """A credit that the client has or had with another lender, as known on a date."""

    client = TenantForeignKey(Client, related_name="external_credits", verbose_name=_("client"))
    lender = models.CharField(_("lender"), max_length=120)
    kind = models.CharField(_("type of credit"), max_length=40, blank=True)
    amount_xaf = models.BigIntegerField(
        _("amount (FCFA)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    outstanding_xaf = models.BigIntegerField(
        _("outstanding balance (FCFA)"), validators=[MinValueValidator(0)]
    )
    monthly_payment_xaf = models.BigIntegerField(
        _("monthly payment (FCFA)"), validators=[MinValueValidator(0)]
    )
    status = models.CharField(
        _("status"), max_length=6, choices=ExternalStatus, default=ExternalStatus.ACTIVE
    )
    worst_late_days = models.PositiveSmallIntegerField(_("longest delay (days)"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=7, choices=ExternalSource)
    as_of = models.DateField(_("as known on"), default=timezone.localdate)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("external credit")
        verbose_name_plural = _("external credits")
        constraints = [
            *tenant_constraints("client"),
            models.CheckConstraint(
                condition=models.Q(outstanding_xaf__gte=0, monthly_payment_xaf__gte=0),
                name="credits_external_amounts",
            ),
        ]
        indexes = [models.Index(fields=["institution", "client"], name="credits_external_client")]

    def __str__(self) -> str:
        return self.lender
