"""Reads of institutions, agencies and dated settings."""

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.institutions.models import Agency, DatedSetting, Institution
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

NO_KEY = -1
#: Names of the logo in the institution's folder: the one that the site writes, then what an operator may put.
LOGOS = ("logo.png", "logo.jpg")


def visible_agencies(actor: Actor) -> QuerySet[Agency]:
    """Return the active agencies whose files ``actor`` may see."""
    agencies = Agency.objects.filter(is_active=True)
    return agencies if actor.agency_ids is None else agencies.filter(id__in=actor.agency_ids)


def known_agencies(actor: Actor) -> QuerySet[Agency]:
    """Return the agencies whose files ``actor`` may see, closed ones too."""
    agencies = Agency.objects.all()
    return agencies if actor.agency_ids is None else agencies.filter(id__in=actor.agency_ids)


def get_known_agency(actor: Actor, uid: UUID) -> Agency:
    """Return one agency, open or closed; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    return _found(known_agencies(actor), uid)


def get_visible_agency(actor: Actor, uid: UUID) -> Agency:
    """Return one open agency; raise ``ObjectNotFound`` when unknown, closed or out of sight, alike."""
    return _found(visible_agencies(actor), uid)


def _found(agencies: QuerySet[Agency], uid: UUID) -> Agency:
    agency = agencies.filter(uid=uid).first()
    if agency is None:
        raise ObjectNotFound(_("No such agency."))
    return agency


def agency_key(actor: Actor, uid: UUID) -> int:
    """Return the key of an agency by which a list is limited; that of none when it is unknown."""
    return known_agencies(actor).filter(uid=uid).values_list("pk", flat=True).first() or NO_KEY


def get_institution(institution_id: int) -> Institution:
    """Return one institution by its key; raise ``Institution.DoesNotExist``."""
    return Institution.objects.get(id=institution_id)


def institution_folder(institution: Institution) -> Path:
    """Return where the files of an institution stand, readable by the site's account only."""
    return Path(settings.INSTITUTION_FILES_DIR) / str(institution.uid)


def logo_of(institution: Institution) -> Path | None:
    """Return the picture that the documents of an institution bear, None without one."""
    folder = institution_folder(institution)
    return next((folder / name for name in LOGOS if (folder / name).is_file()), None)


def setting_on(key: str, *, date: dt.date | None = None, default: Any = None) -> Any:
    """Return the value in force on ``date`` (default: today) in the institution of the open scope."""
    when = date or timezone.localdate()
    row = (
        DatedSetting.objects.filter(key=key, effective_from__lte=when)
        .order_by("-effective_from", "-id")
        .first()
    )
    return default if row is None else row.value
