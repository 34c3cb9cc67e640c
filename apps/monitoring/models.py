from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
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
    ``outbox.Alert``; words are made when it is shown, from ``code`` and ``figures``. Somebody may take it on
    by a review, and say later what it came to: the alert itself closes when the limit holds again.
    """

    model_version = TenantForeignKey("registry.ModelVersion", related_name="alerts")
    code = models.CharField(_("code"), max_length=20, choices=AlertCode)
    about = models.CharField(_("about"), max_length=60, blank=True)
    severity = models.CharField(_("severity"), max_length=5, choices=Severity)
    suggestion = models.CharField(_("suggestion"), max_length=12, choices=Suggestion)
    figures = models.JSONField(_("figures"))
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    closed_at = models.DateTimeField(_("over since"), null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField(_("review opened at"), null=True)
    review_note = models.CharField(_("what is looked at"), max_length=300, blank=True)
    concluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    concluded_at = models.DateTimeField(_("review concluded at"), null=True)
    conclusion = models.CharField(_("what it came to"), max_length=300, blank=True)

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
            models.CheckConstraint(
                condition=Q(reviewed_by=None, reviewed_at=None, review_note="")
                | Q(reviewed_by__isnull=False, reviewed_at__isnull=False) & ~Q(review_note=""),
                name="monitoring_alert_review",
            ),
            models.CheckConstraint(
                condition=Q(concluded_by=None, concluded_at=None, conclusion="")
                | Q(concluded_by__isnull=False, concluded_at__gte=F("reviewed_at")) & ~Q(conclusion=""),
                name="monitoring_alert_conclusion",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "model_version", "opened_at"], name="monitoring_alert_when")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.about}".strip()
