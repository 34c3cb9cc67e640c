import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.registry.enums import (
    GENERAL_SEGMENT,
    OPEN_PROMOTIONS,
    ModelOrigin,
    ModelSignature,
    ModelStatus,
    PromotionStatus,
    StartOrigin,
    TrainingData,
    TrainingOrigin,
)
from apps.tenancy.constraints import ChainReference, Undeletable, tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet

LONGEST_NAME, LONGEST_VERSION = 80, 20


def _person(label: Any) -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=label,
    )


class ModelFacts(models.Model):
    """What a model is, whoever holds it."""

    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    version = models.CharField(_("version"), max_length=LONGEST_VERSION)
    sha256 = models.CharField(_("sha256 of the manifest"), max_length=64)
    training_data = models.CharField(_("trained on"), max_length=12, choices=TrainingData)
    trained_at = models.DateTimeField(_("trained at"))
    metrics = models.JSONField(_("metrics"), default=dict)
    period = models.JSONField(_("training period"), default=dict)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def is_synthetic(self) -> bool:
        return self.training_data == TrainingData.SYNTHETIC

    @property
    def is_expert(self) -> bool:
        return self.training_data == TrainingData.EXPERT


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
    """One version of a model inside one institution; never removed, since scores name it."""

    platform_model = models.ForeignKey(
        PlatformModel, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    segment = models.CharField(_("segment"), max_length=40, default=GENERAL_SEGMENT)
    status = models.CharField(_("status"), max_length=10, choices=ModelStatus, default=ModelStatus.DRAFT)
    origin = models.CharField(_("origin"), max_length=10, choices=ModelOrigin, default=ModelOrigin.TRAINED)
    signature = models.CharField(
        _("signature"), max_length=9, choices=ModelSignature, default=ModelSignature.NONE, editable=False
    )
    created_by = _person(_("brought in by"))

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            *tenant_constraints(),
            Undeletable(name="registry_modelversion_kept"),
            models.UniqueConstraint(
                fields=["institution", "name", "version", "segment"], name="registry_modelversion_version"
            ),
            models.UniqueConstraint(
                fields=["institution", "segment"],
                condition=models.Q(status=ModelStatus.CHAMPION),
                name="registry_modelversion_one_champion",
            ),
        ]


class PromotionQuerySet(TenantQuerySet["Promotion"]):
    def open(self) -> Self:
        return self.filter(status__in=OPEN_PROMOTIONS)


PromotionManager = TenantManager.from_queryset(PromotionQuerySet)


class Promotion(TenantModel):
    """A version proposed for production by one person, decided by another.

    ``gates`` is the checklist as it stood at the proposal. Without ``starts_at`` the approval starts it.
    """

    model_version = TenantForeignKey(ModelVersion, related_name="promotions")
    segment = models.CharField(_("segment"), max_length=40)
    status = models.CharField(
        _("status"), max_length=9, choices=PromotionStatus, default=PromotionStatus.PROPOSED
    )
    reason = models.CharField(_("reason"), max_length=500)
    explanation = models.CharField(_("explanation of the gates"), max_length=1000, blank=True)
    gates = models.JSONField(_("gates"))
    starts_at = models.DateTimeField(_("starts at"), null=True)
    proposed_by = _person(_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"), auto_now_add=True)
    decided_by = _person(_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_reason = models.CharField(_("reason of the decision"), max_length=500, blank=True)

    objects: ClassVar[PromotionManager] = PromotionManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        constraints = [
            *tenant_constraints("model_version"),
            Undeletable(name="registry_promotion_kept"),
            models.UniqueConstraint(
                fields=["institution", "segment"],
                condition=Q(status__in=OPEN_PROMOTIONS),
                name="registry_promotion_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(PromotionStatus.APPROVED, PromotionStatus.STARTED))
                | Q(proposed_by__isnull=False, decided_by__isnull=False) & ~Q(proposed_by=F("decided_by")),
                name="registry_promotion_two_people",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "model_version"], name="registry_promotion_model"),
            models.Index(
                fields=["institution", "starts_at"],
                name="registry_promotion_due",
                condition=Q(status=PromotionStatus.APPROVED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_version_id}: {self.status}"


class Championship(TenantModel):
    """When a version came into production, by whom and on what figures; inserted once, never changed.

    It lasts until the one that follows it in the same segment: each names its predecessor and when that one
    began, which the database checks, and has one successor at most. So times never overlap, leave no hole and
    cannot be written in afterwards.
    """

    model_version = TenantForeignKey(ModelVersion, related_name="championships")
    segment = models.CharField(_("segment"), max_length=40, default=GENERAL_SEGMENT)
    started_at = models.DateTimeField(_("in production from"))
    follows = TenantForeignKey("self", null=True, related_name="next")
    previous_started_at = models.DateTimeField(null=True)
    origin = models.CharField(_("origin"), max_length=12, choices=StartOrigin)
    promotion = TenantForeignKey(Promotion, null=True, related_name="championships")
    proposed_by = _person(_("proposed by"))
    started_by = _person(_("put in production by"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    gates = models.JSONField(_("gates"), default=list)

    class Meta:
        verbose_name = _("time in production")
        verbose_name_plural = _("times in production")
        constraints = [
            *tenant_constraints("model_version", "promotion", "follows", append_only=True),
            models.UniqueConstraint(
                fields=["institution", "id", "segment", "started_at"], name="registry_championship_link"
            ),
            models.UniqueConstraint(fields=["institution", "follows"], name="registry_championship_one_next"),
            models.UniqueConstraint(
                fields=["institution", "segment"],
                condition=Q(follows=None),
                name="registry_championship_one_first",
            ),
            ChainReference(
                columns=("follows_id", "segment", "previous_started_at"),
                to="registry_championship",
                to_columns=("id", "segment", "started_at"),
                name="registry_championship_chain",
            ),
            models.CheckConstraint(
                condition=Q(follows=None, previous_started_at=None)
                | Q(
                    follows__isnull=False,
                    previous_started_at__isnull=False,
                    previous_started_at__lt=F("started_at"),
                ),
                name="registry_championship_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(origin=StartOrigin.PROMOTION)
                | Q(proposed_by__isnull=False, started_by__isnull=False) & ~Q(proposed_by=F("started_by")),
                name="registry_championship_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(origin=StartOrigin.ROLLBACK)
                | Q(started_by__isnull=False, follows__isnull=False) & ~Q(reason=""),
                name="registry_championship_rollback_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "model_version"], name="registry_championship_model"),
            models.Index(fields=["institution", "started_at"], name="registry_championship_when"),
        ]

    def __str__(self) -> str:
        return f"{self.segment}: {self.started_at:%Y-%m-%d}"


class TrainingRun(TenantModel):
    """One training: what was ``asked``, what it learnt from, what each candidate is worth.

    Its job tells how far it is. ``data`` says which credits entered and which did not, ``result`` is what the
    engine found, ``written`` the hash of the folder of each candidate that may be kept. ``snapshot`` is what
    it learnt from, without names; ``source`` the file it came from, none for the portfolio.
    """

    number = models.PositiveIntegerField(_("number"))
    origin = models.CharField(_("origin"), max_length=9, choices=TrainingOrigin, default=TrainingOrigin.ASKED)
    asked = models.JSONField(_("settings"))
    observed_on = models.DateField(_("observation date"))
    horizon_months = models.PositiveSmallIntegerField(_("horizon (months)"))
    job = TenantForeignKey("jobs.Job", related_name="training_runs", verbose_name=_("job"))
    step = models.CharField(_("step"), max_length=60, blank=True)
    source = TenantForeignKey("files.StoredFile", null=True, related_name="+", verbose_name=_("file"))
    snapshot = TenantForeignKey("files.StoredFile", null=True, related_name="+", verbose_name=_("snapshot"))
    data = models.JSONField(_("training data"), null=True)
    result = models.JSONField(_("result"), null=True)
    written = models.JSONField(_("models written"), default=dict)
    asked_by = _person(_("asked by"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        constraints = [
            *tenant_constraints("job", "source", "snapshot"),
            Undeletable(name="registry_trainingrun_kept"),
            models.UniqueConstraint(fields=["institution", "number"], name="registry_trainingrun_number"),
            models.UniqueConstraint(fields=["institution", "job"], name="registry_trainingrun_job"),
        ]
        indexes = [
            models.Index(fields=["institution", "created_at", "uid"], name="registry_trainingrun_when")
        ]

    def __str__(self) -> str:
        return str(self.number)
