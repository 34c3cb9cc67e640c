"""Letting people in again before the lock-out ends by itself."""

from axes.models import AccessAttempt
from django.db import transaction

from apps.audit.services import record_platform
from apps.tenancy.actor import Actor


@transaction.atomic
def unlock(*, attempt: AccessAttempt, by: Actor, reason: str) -> None:
    """Forget the failures that one row counts; the operator's verb, logged with its reason."""
    attempt.delete()
    record_platform(by=by, action="login.unlock", institution_id=None, reason=reason)
