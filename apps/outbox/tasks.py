"""Emptying the outbox."""

from celery import shared_task

from apps.outbox.services import deliver_next
from apps.tenancy.context import tenant_scope
from apps.tenancy.tenants import active_institutions

#: So that an institution with a thousand letters does not make the others wait for the next round.
AT_ONCE = 100


@shared_task
def deliver_outbox() -> None:
    """Send what is due, one message a transaction, institution after institution."""
    for institution_id in active_institutions():
        for _ in range(AT_ONCE):
            with tenant_scope(institution_id):
                more = deliver_next()
            if not more:
                break
