"""Promotions that start at their hour."""

import logging

from celery import shared_task
from django.utils import timezone

from apps.registry.enums import PromotionStatus
from apps.registry.models import Promotion
from apps.registry.services.promotions import start_due_promotion
from apps.tenancy.actor import task_actor
from apps.tenancy.context import PLATFORM_ALIAS, tenant_scope

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
