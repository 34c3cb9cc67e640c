from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.jobs.models import Job
from apps.reports.enums import BenchmarkFigure, Frequency, ReportFormat, ReportKind
from apps.tenancy.actor import Actor
from apps.tenancy.constraints import AppendOnly, Undeletable, tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class ReportSchedule(TenantModel):
    """A report made again each week or month: each recipient gets one of their own, by what they may see."""

    kind = models.CharField(_("report"), max_length=20, choices=ReportKind)
    format = models.CharField(_("format"), max_length=4, choices=ReportFormat)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    frequency = models.CharField(_("how often"), max_length=8, choices=Frequency)
    agency = TenantForeignKey(
        "institutions.Agency", null=True, related_name="+", verbose_name=_("agency"), editable=False
    )
    next_on = models.DateField(_("next on"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    stopped_at = models.DateTimeField(_("stopped at"), null=True)

    class Meta:
        verbose_name = _("scheduled report")
        verbose_name_plural = _("scheduled reports")
        constraints = [*tenant_constraints("agency")]
        indexes = [
            models.Index(
                fields=["institution", "next_on"],
                name="reports_schedule_due",
                condition=Q(stopped_at=None),
            ),
            models.Index(fields=["institution", "created_at", "uid"], name="reports_schedule_when"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_frequency_display()})"


class ScheduleRecipient(TenantModel):
    """A member to whom a scheduled report is announced."""

    schedule = TenantForeignKey(ReportSchedule, related_name="recipients")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("recipient of a report")
        verbose_name_plural = _("recipients of a report")
        constraints = [
            *tenant_constraints("schedule"),
            models.UniqueConstraint(
                fields=["institution", "schedule", "user"], name="reports_recipient_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


class ReportQuerySet(TenantQuerySet["Report"]):
    def visible_to(self, actor: Actor) -> Self:
        """Leave what ``actor`` asked for: a report holds what its asker may see, and nobody else's rights."""
        return self.filter(requested_by_id=actor.person_id, requested_by__isnull=False)


ReportManager = TenantManager.from_queryset(ReportQuerySet)


class Report(TenantModel):
    """A report that somebody asked for: on what, in which form, and the file once it is made.

    It is made by the rights that its asker has then. ``subject`` is the identifier of the score, the
    application, the decision or the model that it is about; a period has days instead.
    """

    kind = models.CharField(_("report"), max_length=20, choices=ReportKind)
    format = models.CharField(_("format"), max_length=4, choices=ReportFormat)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    starts_on = models.DateField(_("from"), null=True)
    ends_on = models.DateField(_("to"), null=True)
    agency = TenantForeignKey(
        "institutions.Agency", null=True, related_name="+", verbose_name=_("agency"), editable=False
    )
    subject = models.UUIDField(_("about"), null=True, editable=False)
    schedule = TenantForeignKey(ReportSchedule, null=True, related_name="reports")
    job = TenantForeignKey(Job, related_name="+")
    file = TenantForeignKey("files.StoredFile", null=True, related_name="+")
    #: Of what is told, whatever the format: the same contents have the same one.
    contents_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("asked by"),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_on = models.DateField(_("kept until"))

    objects: ClassVar[ReportManager] = ReportManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            *tenant_constraints("agency", "schedule", "job", "file"),
            models.UniqueConstraint(fields=["institution", "job"], name="reports_report_job"),
            models.CheckConstraint(
                condition=Q(starts_on=None, ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="reports_report_period",
            ),
            models.CheckConstraint(
                condition=Q(subject=None, starts_on__isnull=False) | Q(subject__isnull=False, starts_on=None),
                name="reports_report_about",
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "requested_by", "created_at", "uid"], name="reports_report_asker"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_format_display()})"


class FileTotal(TenantModel):
    """Applications added up by month, agency and credit type, and by one dimension more, as ``ScoreTotal``.

    ``dimension`` holds codes of ``Breakdown``, empty for all together. Applications change: the totals of a
    month are counted anew when one of its applications did.
    """

    month = models.DateField(_("month"))
    every_agency = models.BooleanField(default=False)
    agency = TenantForeignKey("institutions.Agency", null=True, related_name="+")
    credit_type = models.CharField(_("type of credit"), max_length=40)
    dimension = models.CharField(max_length=8)
    value = models.CharField(max_length=40)
    files = models.BigIntegerField(_("applications"))
    amount_xaf = models.BigIntegerField(_("amount (FCFA)"))
    granted = models.BigIntegerField()
    refused = models.BigIntegerField()
    #: Decisions taken upon a submission, and the seconds between both, added up.
    timed = models.BigIntegerField()
    delay_seconds = models.BigIntegerField()
    #: Decisions taken with the advice in sight, and those of them that a firm advice spoke for or against.
    decided = models.BigIntegerField()
    advised = models.BigIntegerField()
    overrides_favourable = models.BigIntegerField()
    overrides_severe = models.BigIntegerField()
    matured = models.BigIntegerField()
    defaults = models.BigIntegerField()
    #: Of the applications with a known outcome those that were scored, by their latest score.
    matured_scored = models.BigIntegerField()
    matured_scored_defaults = models.BigIntegerField()
    matured_pd_millionths = models.BigIntegerField()

    class Meta:
        verbose_name = _("total of applications")
        verbose_name_plural = _("totals of applications")
        constraints = [
            *tenant_constraints("agency"),
            models.UniqueConstraint(
                fields=[
                    *("institution", "dimension", "every_agency", "credit_type", "month", "agency"),
                    "value",
                ],
                nulls_distinct=False,
                name="reports_file_total_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month} {self.credit_type} {self.dimension} {self.value}: {self.files}"


class PortfolioState(TenantModel):
    """Until when the totals of applications are right, and on which day all of them were counted last."""

    counted_at = models.DateTimeField()
    whole_on = models.DateField()

    class Meta:
        verbose_name = _("state of the totals of applications")
        verbose_name_plural = _("states of the totals of applications")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution"], name="reports_portfolio_state"),
        ]

    def __str__(self) -> str:
        return f"{self.counted_at}"


class CreditStatistics(TenantModel):
    """Descriptive statistics of the applications of an agency, or of the whole institution, as of a night."""

    agency = TenantForeignKey("institutions.Agency", null=True, related_name="+")
    figures = models.JSONField()
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("statistics of credit data")
        verbose_name_plural = _("statistics of credit data")
        constraints = [
            *tenant_constraints("agency"),
            models.UniqueConstraint(
                fields=["institution", "agency"], nulls_distinct=False, name="reports_statistics_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.computed_at}"


class SavedView(TenantModel):
    """A view of the portfolio that somebody named: the filters of its address."""

    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=300, editable=False)
    shared = models.BooleanField(_("shown to the whole institution"), default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution", "owner", "name"], name="reports_view_name"),
        ]

    def __str__(self) -> str:
        return self.name


class BenchmarkParticipation(TenantModel):
    """That an institution shares its figures for the benchmarks: since when, who said so, why, until when."""

    reason = models.CharField(_("reason"), max_length=500)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    started_at = models.DateTimeField(_("takes part since"), default=timezone.now)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    stopped_at = models.DateTimeField(_("took part until"), null=True)

    class Meta:
        verbose_name = _("participation in the benchmarks")
        verbose_name_plural = _("participations in the benchmarks")
        constraints = [
            *tenant_constraints(),
            Undeletable(name="reports_participation_kept"),
            models.UniqueConstraint(
                fields=["institution"], condition=Q(stopped_at=None), name="reports_participation_one"
            ),
            models.CheckConstraint(
                condition=Q(stopped_at=None, stopped_by=None)
                | Q(stopped_at__gte=F("started_at"), stopped_by__isnull=False),
                name="reports_participation_stopped",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d}"


class BenchmarkContribution(TenantModel):
    """One figure that an institution gives to the benchmarks of a month; never shown to another one."""

    month = models.DateField(_("month"))
    credit_type = models.CharField(_("type of credit"), max_length=40)
    figure = models.CharField(max_length=20, choices=BenchmarkFigure)
    value = models.FloatField()
    #: How many files, decisions or scores the figure is taken over.
    base = models.BigIntegerField()

    class Meta:
        verbose_name = _("figure given to the benchmarks")
        verbose_name_plural = _("figures given to the benchmarks")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(
                fields=["institution", "month", "credit_type", "figure"], name="reports_contribution_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month} {self.credit_type} {self.figure}"


class BenchmarkQuartiles(models.Model):
    """Quartiles of one figure over institutions, published once a month and never changed; shared.

    No column leads to an institution: there is no row to hide, and the site may neither change nor remove
    any. The database takes none behind which fewer than five institutions stand.
    """

    LEAST = 5

    month = models.DateField(_("month"))
    credit_type = models.CharField(_("type of credit"), max_length=40)
    figure = models.CharField(max_length=20, choices=BenchmarkFigure)
    low = models.FloatField()
    median = models.FloatField()
    high = models.FloatField()
    #: A round number that is not above that of the institutions.
    institutions_at_least = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("quartiles of a benchmark")
        verbose_name_plural = _("quartiles of benchmarks")
        constraints = [
            AppendOnly(name="reports_quartiles_append_only"),
            models.UniqueConstraint(fields=["month", "credit_type", "figure"], name="reports_quartiles_once"),
            models.CheckConstraint(
                condition=Q(institutions_at_least__gte=5), name="reports_quartiles_enough"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month} {self.credit_type} {self.figure}"
