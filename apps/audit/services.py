"""Writing the trail: one entry per verb, in the transaction of the verb."""

from collections.abc import Mapping
from typing import Any

from apps.audit.models import AuditEntry, PlatformEntry
from apps.tenancy.actor import Actor
from apps.tenancy.models import TenantModel


def record(
    *,
    by: Actor,
    action: str,
    target: TenantModel | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Insert an entry in the open scope. Values must not hold personal data in clear."""
    return AuditEntry.objects.create(
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.display_name,
        action=action,
        object_type=target._meta.label_lower if target is not None else "",
        object_uid=target.uid if target is not None else None,
        before=before,
        after=after,
        request_id=by.request_id,
        address=by.address,
    )


def record_platform(*, by: Actor, action: str, institution_id: int | None, reason: str) -> PlatformEntry:
    """Insert an operator's entry, outside any institution; ``reason`` says why it was needed."""
    return PlatformEntry.objects.create(
        actor_id=by.id,
        actor_name=by.display_name,
        action=action,
        institution_id=institution_id,
        reason=reason,
    )
