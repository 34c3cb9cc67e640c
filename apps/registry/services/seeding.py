"""A past in production, for the demonstration only: the doors of a day are in ``promotions``."""

import datetime as dt

from django.db import transaction

from apps.audit.services import record
from apps.registry.enums import ModelStatus, StartOrigin
from apps.registry.models import Championship, ModelVersion
from apps.registry.services.promotions import measured_checklist
from apps.tenancy.actor import Actor


@transaction.atomic
def seed_first_production(
    *, version: ModelVersion, started_at: dt.datetime, reason: str, proposed_by: Actor, started_by: Actor
) -> Championship:
    """Write that ``version`` has been in production since ``started_at``, as the first of its segment.

    The checklist is that of today. The database refuses it (``IntegrityError``) where another version was
    in production before, or when both people are one.
    """
    time = Championship.objects.create(
        model_version=version,
        segment=version.segment,
        started_at=started_at,
        origin=StartOrigin.PROMOTION,
        proposed_by_id=proposed_by.person_id,
        started_by_id=started_by.person_id,
        reason=reason,
        gates=[gate.as_dict() for gate in measured_checklist(version=version, by=proposed_by)],
    )
    version.status = ModelStatus.CHAMPION
    version.save(update_fields=["status"])
    after = {"sha256": version.sha256, "started_at": started_at.isoformat()}
    record(by=started_by, action="model.promote", target=version, after=after)
    return time
