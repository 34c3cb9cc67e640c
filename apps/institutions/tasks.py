"""Background work over every institution."""

import logging

from celery import shared_task
from django.db import DatabaseError

from apps.audit.errors import BrokenTrail
from apps.audit.queries import PLATFORM_TRAIL, institution_trail
from apps.audit.services import seal_trail
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope

logger = logging.getLogger(__name__)


@shared_task
def seal_audit_trails() -> None:
    """Seal what was written since the last time; what fails in one institution does not stop the others.

    Suspended institutions too: the suspension itself is an entry. One scope each, locked for a chunk.
    """
    for institution_id in Institution.objects.values_list("pk", flat=True):
        try:
            with tenant_scope(institution_id):
                seal_trail(institution_trail())
        except (BrokenTrail, DatabaseError) as error:
            logger.error("Audit of institution %s not sealed: %s", institution_id, type(error).__name__)  # noqa: TRY400  a trace may hold values
    try:
        seal_trail(PLATFORM_TRAIL)
    except (BrokenTrail, DatabaseError) as error:
        logger.error("Audit of the platform not sealed: %s", type(error).__name__)  # noqa: TRY400  the same
