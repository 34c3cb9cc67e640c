import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.registry.enums import GENERAL_SEGMENT, ModelStatus, TrainingData
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantModel


class ModelFacts(models.Model):
    """What a model is, whoever holds it."""

    name = models.CharField(_("name"), max_length=80)
    version = models.CharField(_("version"), max_length=20)
    sha256 = models.CharField(_("sha256 of the manifest"), max_length=64)
    training_data = models.CharField(_("trained on"), max_length=12, choices=TrainingData)
    trained_at = models.DateTimeField(_("trained at"))
    metrics = models.JSONField(_("metrics"), default=dict)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def is_synthetic(self) -> bool:
        return self.training_data == TrainingData.SYNTHETIC


class PlatformModel(ModelFacts):
    """A model that the operator publishes; institutions receive a ModelVersion each."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        verbose_name = _("platform model")
        verbose_name_plural = _("platform models")
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="registry_platformmodel_version")
        ]


class ModelVersion(ModelFacts, TenantModel):
    """One version of a model inside one institution, and when it was in production."""

    platform_model = models.ForeignKey(
        PlatformModel, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    segment = models.CharField(_("segment"), max_length=40, default=GENERAL_SEGMENT)
    status = models.CharField(_("status"), max_length=10, choices=ModelStatus, default=ModelStatus.DRAFT)

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(
                fields=["institution", "name", "version", "segment"], name="registry_modelversion_version"
            ),
            models.UniqueConstraint(
                fields=["institution", "segment"],
                condition=models.Q(status=ModelStatus.CHAMPION),
                name="registry_modelversion_one_champion",
            ),
        ]


class Championship(TenantModel):
    """From when to when a version was in production, and who put it there."""

    model_version = TenantForeignKey(ModelVersion, related_name="championships")
    segment = models.CharField(_("segment"), max_length=40, default=GENERAL_SEGMENT)
    started_at = models.DateTimeField(_("in production from"))
    ended_at = models.DateTimeField(_("until"), null=True)
    started_by = models.BigIntegerField(_("put in production by"), null=True)

    class Meta:
        verbose_name = _("time in production")
        verbose_name_plural = _("times in production")
        constraints = [
            *tenant_constraints("model_version"),
            models.UniqueConstraint(
                fields=["institution", "segment"],
                condition=models.Q(ended_at=None),
                name="registry_championship_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "model_version"], name="registry_championship_model"),
        ]

    def __str__(self) -> str:
        return f"{self.segment}: {self.started_at:%Y-%m-%d}"
