from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.monitoring.enums import AlertCode, FigureKind, Severity, Suggestion
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class MonitoringFigures(TenantModel):
    """What one night found of a version: one document a kind, written again by a run of the same day."""

    model_version = TenantForeignKey("registry.ModelVersion", related_name="figures")
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=10, choices=FigureKind)
    figures = models.JSONField(_("figures"))
    computed_at = models.DateTimeField(_("computed at"), default=timezone.now)

    class Meta:
        verbose_name = _("monitoring figures")
        verbose_name_plural = _("monitoring figures")
        constraints = [
            *tenant_constraints("model_version"),
            models.UniqueConstraint(
                fields=["institution", "model_version", "day", "kind"], name="monitoring_figures_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.day})"


class AlertQuerySet(TenantQuerySet["Alert"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)


AlertManager = TenantManager.from_queryset(AlertQuerySet)


class Alert(TenantModel):
    """A limit that is passed: opened the first night, closed the night it is over.

    ``about`` is a variable or a kind of group, empty for the whole model. Who is told of it gets an
    ``outbox.Alert``; words are made when it is shown, from ``code`` and ``figures``.
    """

    model_version = TenantForeignKey("registry.ModelVersion", related_name="alerts")
    code = models.CharField(_("code"), max_length=20, choices=AlertCode)
    about = models.CharField(_("about"), max_length=60, blank=True)
    severity = models.CharField(_("severity"), max_length=5, choices=Severity)
    suggestion = models.CharField(_("suggestion"), max_length=12, choices=Suggestion)
    figures = models.JSONField(_("figures"))
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    closed_at = models.DateTimeField(_("over since"), null=True)

    objects: ClassVar[AlertManager] = AlertManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("monitoring alert")
        verbose_name_plural = _("monitoring alerts")
        constraints = [
            *tenant_constraints("model_version"),
            models.UniqueConstraint(
                fields=["institution", "model_version", "code", "about"],
                condition=Q(closed_at=None),
                name="monitoring_alert_open_once",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "model_version", "opened_at"], name="monitoring_alert_when")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.about}".strip()
