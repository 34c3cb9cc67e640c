from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.scoring.enums import Band, Recommendation, Source
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantModel


class ScoringPolicy(TenantModel):
    """The dated figures by which an institution turns a probability into advice."""

    version = models.PositiveIntegerField(_("version"))
    effective_from = models.DateField(_("effective from"), default=timezone.localdate)
    figures = models.JSONField(_("figures"))
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.BigIntegerField(_("created by"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("scoring policy")
        verbose_name_plural = _("scoring policies")
        constraints = [
            *tenant_constraints(append_only=True),
            models.UniqueConstraint(fields=["institution", "version"], name="scoring_policy_version"),
        ]
        indexes = [models.Index(fields=["institution", "effective_from"], name="scoring_policy_when")]

    def __str__(self) -> str:
        return f"v{self.version} ({self.effective_from})"


class Prediction(TenantModel):
    """One score with everything needed to give it again; inserted once, never changed."""

    application = TenantForeignKey("credits.CreditApplication", null=True, related_name="predictions")
    client = TenantForeignKey("credits.Client", null=True, related_name="predictions")
    agency = TenantForeignKey("institutions.Agency", null=True, related_name="predictions")
    model_version = TenantForeignKey("registry.ModelVersion", related_name="predictions")
    policy = TenantForeignKey(ScoringPolicy, related_name="predictions")
    source = models.CharField(_("source"), max_length=5, choices=Source)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    inputs = models.JSONField(_("inputs"))
    facts = models.JSONField(_("facts"))
    input_hash = models.CharField(_("hash of the inputs"), max_length=64)
    pd = models.FloatField(_("probability of default"))
    base = models.FloatField(_("base value (log-odds)"))
    contributions = models.JSONField(_("contributions (log-odds)"))
    threshold = models.FloatField(_("threshold used"))
    predicted_default = models.BooleanField(_("prediction"))
    points = models.SmallIntegerField(_("points"))
    grade = models.CharField(_("grade"), max_length=1)
    band = models.CharField(_("risk band"), max_length=6, choices=Band)
    recommendation = models.CharField(_("recommendation"), max_length=8, choices=Recommendation)
    expected_loss_xaf = models.BigIntegerField(_("expected loss (FCFA)"))
    max_amount_xaf = models.BigIntegerField(_("maximal advised amount (FCFA)"), null=True)
    max_amount_reason = models.CharField(max_length=40, blank=True)
    rules = models.JSONField(_("rules"))
    warnings = models.JSONField(_("warnings"))
    duration_ms = models.FloatField(_("duration (ms)"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            *tenant_constraints(
                "application", "client", "agency", "model_version", "policy", append_only=True
            ),
            models.UniqueConstraint(
                fields=["institution", "application", "model_version", "policy", "input_hash"],
                condition=models.Q(application__isnull=False),
                name="scoring_prediction_once",
            ),
            models.CheckConstraint(
                condition=models.Q(pd__gte=0) & models.Q(pd__lte=1), name="scoring_prediction_pd"
            ),
        ]
        # Scores by values have no application, client or agency: the indexes of these leave them out.
        indexes = [
            models.Index(fields=["institution", "created_at", "uid"], name="scoring_prediction_when"),
            models.Index(fields=["institution", "author", "created_at"], name="scoring_prediction_author"),
            models.Index(
                fields=["institution", "client"],
                name="scoring_prediction_client",
                condition=models.Q(client__isnull=False),
            ),
            # the history's filters, each newest first
            models.Index(
                fields=["institution", "agency", "created_at", "uid"],
                name="scoring_prediction_agency",
                condition=models.Q(agency__isnull=False),
            ),
            models.Index(fields=["institution", "band", "created_at", "uid"], name="scoring_prediction_band"),
            models.Index(
                fields=["institution", "source", "created_at", "uid"], name="scoring_prediction_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} ({self.grade})"
