import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.jobs.enums import JobStatus
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantManager, TenantModel, TenantQuerySet


class JobQuerySet(TenantQuerySet["Job"]):
    def queued_before(self, moment: dt.datetime) -> Self:
        return self.filter(status=JobStatus.QUEUED, queued_at__lt=moment)

    def silent_since(self, moment: dt.datetime) -> Self:
        return self.filter(status=JobStatus.RUNNING, heartbeat_at__lt=moment)


JobManager = TenantManager.from_queryset(JobQuerySet)


class Job(TenantModel):
    """One background work of an institution; what a screen shows and what a worker reports.

    ``claim`` names the one worker that may write to a running job; whoever lost it writes nothing more.
    ``about`` names the object of the work where no row of its own says it.
    """

    kind = models.CharField(_("kind"), max_length=60)
    status = models.CharField(_("status"), max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    progress = models.PositiveSmallIntegerField(_("progress (%)"), default=0)
    result = models.JSONField(_("result"), null=True)
    error = models.TextField(_("last error"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claim = models.UUIDField(null=True, editable=False)
    about = models.UUIDField(null=True, editable=False)
    requested_by = models.BigIntegerField(_("requested by"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    queued_at = models.DateTimeField(_("last sent to a worker"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    cancel_requested_at = models.DateTimeField(_("cancellation asked"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects: ClassVar[JobManager] = JobManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            *tenant_constraints(),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="jobs_job_progress"),
            models.CheckConstraint(
                condition=models.Q(status=JobStatus.RUNNING, claim__isnull=False, heartbeat_at__isnull=False)
                | ~models.Q(status=JobStatus.RUNNING) & models.Q(claim=None),
                name="jobs_job_claimed_while_running",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "created_at"], name="jobs_job_when"),
            models.Index(
                fields=["institution", "status"],
                name="jobs_job_open",
                condition=models.Q(status__in=[JobStatus.QUEUED, JobStatus.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.get_status_display()})"
