import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.institutions.enums import InstitutionCategory, InstitutionStatus
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantModel


class InstitutionQuerySet(models.QuerySet["Institution"]):
    def active(self) -> Self:
        return self.filter(status=InstitutionStatus.ACTIVE)


class Institution(models.Model):
    """A microfinance institution: the tenant itself, a shared row."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    category = models.CharField(_("category"), max_length=1, choices=InstitutionCategory)
    licence = models.CharField(_("licence number and date"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, default="CM")
    language = models.CharField(_("default language"), max_length=2, choices=settings.LANGUAGES, default="fr")
    status = models.CharField(
        _("status"), max_length=10, choices=InstitutionStatus, default=InstitutionStatus.ACTIVE
    )
    is_demo = models.BooleanField(_("demonstration"), default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status == InstitutionStatus.ACTIVE


class Agency(TenantModel):
    """A branch of an institution."""

    code = models.SlugField(_("code"), max_length=40, db_index=False)
    name = models.CharField(_("name"), max_length=120)
    city = models.CharField(_("city"), max_length=80)
    region = models.CharField(_("region"), max_length=40, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("agency")
        verbose_name_plural = _("agencies")
        ordering = ["name"]
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution", "code"], name="institutions_agency_code"),
        ]

    def __str__(self) -> str:
        return self.name


class DatedSetting(TenantModel):
    """One value of one setting from a date on; history is kept, nothing is edited."""

    key = models.CharField(_("setting"), max_length=60)
    value = models.JSONField(_("value"))
    effective_from = models.DateField(_("effective from"), default=timezone.localdate)
    reason = models.CharField(_("reason"), max_length=300)
    set_by = models.BigIntegerField(_("set by"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("dated setting")
        verbose_name_plural = _("dated settings")
        constraints = [*tenant_constraints(append_only=True)]
        indexes = [
            models.Index(fields=["institution", "key", "effective_from"], name="institutions_setting_when")
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.effective_from})"
