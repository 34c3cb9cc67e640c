"""Putting away what nobody needs any more."""

from celery import shared_task

from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import active_institutions
from apps.users.services import drafts


@shared_task
def purge_drafts() -> None:
    """Delete old drafts, institution after institution."""
    for institution_id in active_institutions():
        with tenant_scope(institution_id):
            drafts.purge_drafts()
