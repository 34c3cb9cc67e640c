import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.jobs.enums import JobStatus
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantManager, TenantModel, TenantQuerySet


class JobQuerySet(TenantQuerySet["Job"]):
    def unfinished_since(self, moment: dt.datetime) -> Self:
        return self.filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING), created_at__lt=moment)


JobManager = TenantManager.from_queryset(JobQuerySet)


class Job(TenantModel):
    """One background work of an institution; what a screen shows and what a worker reports."""

    kind = models.CharField(_("kind"), max_length=60)
    status = models.CharField(_("status"), max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    progress = models.PositiveSmallIntegerField(_("progress (%)"), default=0)
    result = models.JSONField(_("result"), null=True)
    error = models.TextField(_("error"), blank=True)
    requested_by = models.BigIntegerField(_("requested by"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects: ClassVar[JobManager] = JobManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            *tenant_constraints(),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="jobs_job_progress"),
        ]
        indexes = [models.Index(fields=["institution", "created_at"], name="jobs_job_when")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.get_status_display()})"
