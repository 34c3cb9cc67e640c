"""Promotions that start at their hour; levels set on outcomes; candidates put away."""

import logging

from celery import shared_task
from django.utils import timezone

from apps.jobs.services import register_kind
from apps.jobs.tasks import JobTask
from apps.registry.enums import PromotionStatus
from apps.registry.models import Promotion
from apps.registry.services.promotions import start_due_promotion
from apps.registry.services.recalibrating import KIND as RECALIBRATION
from apps.registry.services.recalibrating import recalibrate
from apps.registry.services.training_keeping import purge_candidates
from apps.tenancy.actor import task_actor
from apps.tenancy.context import PLATFORM_ALIAS, tenant_scope
from apps.tenancy.tenants import every_institution

logger = logging.getLogger(__name__)


@shared_task
def start_due_promotions() -> None:
    """Start what was approved for now, in every institution; one that fails does not stop the others."""
    due = Promotion.objects.db_manager(PLATFORM_ALIAS).filter(
        status=PromotionStatus.APPROVED, starts_at__lte=timezone.now()
    )
    for institution_id in sorted(set(due.values_list("institution_id", flat=True))):
        with tenant_scope(institution_id):
            while start_due_promotion(by=task_actor(institution_id)):
                pass


@shared_task(base=JobTask, bind=True)
def recalibrate_model(self: JobTask, job_uid: str) -> None:
    """Set the level of a version on the institution's outcomes: a new version, a candidate."""
    self.run_job(job_uid, recalibrate)


@shared_task
def purge_models() -> None:
    """Delete the candidates that nobody kept, with their data, in every institution, suspended ones too."""
    for institution_id in every_institution():
        with tenant_scope(institution_id):
            purge_candidates(by=task_actor(institution_id))


register_kind(RECALIBRATION, "apps.registry.tasks.recalibrate_model")
