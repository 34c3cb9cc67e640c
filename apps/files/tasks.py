"""Putting away files whose time is over."""

from celery import shared_task

from apps.files.services import purge_expired
from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import every_institution


@shared_task
def purge_files() -> None:
    """Delete the files past their date, institution after institution, suspended ones too."""
    for institution_id in every_institution():
        with tenant_scope(institution_id):
            purge_expired()
