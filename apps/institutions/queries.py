"""Reads of institutions, agencies and dated settings."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from apps.institutions.models import Agency, DatedSetting, Institution
from apps.tenancy.actor import Actor


def visible_agencies(actor: Actor) -> QuerySet[Agency]:
    """Return the active agencies whose files ``actor`` may see."""
    agencies = Agency.objects.filter(is_active=True)
    return agencies if actor.agency_ids is None else agencies.filter(id__in=actor.agency_ids)


def get_institution(institution_id: int) -> Institution:
    """Return one institution by its key; raise ``Institution.DoesNotExist``."""
    return Institution.objects.get(id=institution_id)


def setting_on(key: str, *, date: dt.date | None = None, default: Any = None) -> Any:
    """Return the value in force on ``date`` (default: today) in the institution of the open scope."""
    when = date or timezone.localdate()
    row = (
        DatedSetting.objects.filter(key=key, effective_from__lte=when)
        .order_by("-effective_from", "-id")
        .first()
    )
    return default if row is None else row.value
