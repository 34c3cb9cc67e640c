"""The nightly look at the models in production."""

import datetime as dt
import logging

from celery import shared_task
from django.utils import timezone

from apps.monitoring.queries import watched_versions
from apps.monitoring.services.alerts import close_forgotten
from apps.monitoring.services.gathering import Gathered, gather_next, plan_watch
from apps.monitoring.services.overrides import watch_overrides
from apps.monitoring.services.watching import store_watch
from apps.registry.enums import ModelStatus
from apps.registry.errors import NoApprovedModel
from apps.registry.models import ModelVersion
from apps.tenancy.actor import task_actor
from apps.tenancy.celery import TenantTask
from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import active_institutions

logger = logging.getLogger(__name__)


@shared_task
def watch_all_models() -> None:
    """Ask for the night's figures of every institution; one that fails does not stop the others."""
    for institution_id in active_institutions():
        watch_models.apply_async([], institution_id=institution_id)


@shared_task(base=TenantTask, bind=True)
def watch_models(self: TenantTask) -> None:
    """Compute the night's figures of the institution of the message."""
    watch_institution(self.institution_id)


def watch_institution(institution_id: int, *, on: dt.date | None = None) -> int:
    """Watch the champions and challengers of an institution as of a day; return how many could be.

    One scope and transaction a chunk of applications, one at the end for what is stored.
    """
    day, by = on or timezone.localdate(), task_actor(institution_id)
    with tenant_scope(institution_id):
        close_forgotten(by=by)
        versions = watched_versions()
    watched = sum(_watch(institution_id, version, day) for version in versions)
    if versions and versions[0].status == ModelStatus.CHAMPION:
        with tenant_scope(institution_id):
            watch_overrides(version=versions[0], on=day, by=by)
    return watched


def _watch(institution_id: int, version: ModelVersion, on: dt.date) -> bool:
    gathered, after = Gathered(), 0
    with tenant_scope(institution_id):
        plan = plan_watch(version, on=on)
    try:
        while True:
            with tenant_scope(institution_id):
                last = gather_next(gathered, plan, after=after)
            if last is None:
                break
            after = last
        with tenant_scope(institution_id):
            store_watch(gathered=gathered, plan=plan, by=task_actor(institution_id))
    except NoApprovedModel:
        logger.warning("Model %s of institution %s is not watched: it does not load", version, institution_id)
        return False
    return True
