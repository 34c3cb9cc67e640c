"""Opening institutions and agencies, and setting dated values."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record, record_platform
from apps.institutions.models import Agency, DatedSetting, Institution
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues


@transaction.atomic
def save_institution(*, institution: Institution, by: Actor, reason: str) -> Institution:
    """Create or change a shared institution row; the operator's verb, logged with its reason."""
    created = institution.pk is None
    institution.full_clean()
    institution.save()
    record_platform(
        by=by,
        action="institution.create" if created else "institution.update",
        institution_id=institution.pk,
        reason=reason,
    )
    return institution


@transaction.atomic
def save_agency(*, agency: Agency, by: Actor) -> Agency:
    """Create or change an agency of the institution in scope; raise ``InvalidValues`` naming the fields."""
    created = agency.pk is None
    if Agency.objects.filter(code=agency.code).exclude(pk=agency.pk).exists():
        message = _("This code is already used in your institution.")
        raise InvalidValues(message, fields={"code": [message]})
    try:
        agency.full_clean()
    except ValidationError as error:
        raise InvalidValues(_("Some values cannot be used."), fields=error.message_dict) from error
    agency.save()
    record(
        by=by,
        action="agency.create" if created else "agency.update",
        target=agency,
        after={"code": agency.code, "name": agency.name, "city": agency.city, "is_active": agency.is_active},
    )
    return agency


@transaction.atomic
def set_setting(
    *, key: str, value: Any, by: Actor, reason: str, effective_from: dt.date | None = None
) -> DatedSetting:
    """Add a dated value of ``key``; earlier values stay readable at their dates."""
    setting = DatedSetting.objects.create(
        key=key,
        value=value,
        effective_from=effective_from or timezone.localdate(),
        reason=reason,
        set_by=by.id,
    )
    record(by=by, action="setting.set", target=setting, after={"key": key, "value": value, "reason": reason})
    return setting
