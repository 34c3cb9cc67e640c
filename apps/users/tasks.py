"""Putting away what nobody needs any more."""

from celery import shared_task

from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import active_institutions
from apps.users.services import drafts, idempotency, limits
from apps.users.services.sessions import purge_old_sessions


@shared_task
def purge_drafts() -> None:
    """Delete old drafts, institution after institution."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            drafts.purge_drafts()


@shared_task
def purge_sessions() -> None:
    """Delete log-ins that ended long ago; they belong to people, not to one institution."""
    purge_old_sessions()


@shared_task
def purge_requests() -> None:
    """Delete kept answers and counters that serve no more."""
    limits.purge_counts()
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            idempotency.purge_replies()
