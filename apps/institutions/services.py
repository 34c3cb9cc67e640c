"""Opening institutions and agencies, setting dated values, and the institution's logo."""

import datetime as dt
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record, record_platform
from apps.files.services import part_path
from apps.institutions.models import Agency, DatedSetting, Institution
from apps.institutions.queries import LOGOS, get_institution, institution_folder, logo_of
from apps.institutions.validators import LARGEST_BYTES, redrawn
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from apps.tenancy.roles import Verb


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


@transaction.atomic
def set_logo(*, upload: "File[Any]", by: Actor) -> None:
    """Keep a picture, drawn anew, as the logo of the institution in scope; it takes its place on commit.

    Raises ``NotAllowed``, and ``InvalidValues`` for what is no PNG or JPEG within the limits.
    """
    institution = _own(by)
    picture = redrawn(upload.read(LARGEST_BYTES + 1))
    after = {
        "sha256": hashlib.sha256(picture.content).hexdigest(),
        "width": picture.width,
        "height": picture.height,
    }
    record(by=by, action="institution.logo", target=institution, before=_logo_told(institution), after=after)
    part = part_path(uuid4())
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(picture.content)
    transaction.on_commit(partial(_place, part, institution_folder(institution)))


@transaction.atomic
def remove_logo(*, by: Actor) -> None:
    """Take the logo of the institution in scope away.

    Raises ``NotAllowed``, and ``ObjectNotFound`` where there is none.
    """
    institution = _own(by)
    told = _logo_told(institution)
    if told is None:
        raise ObjectNotFound(_("Your institution has no logo."))
    record(by=by, action="institution.logo_remove", target=institution, before=told)
    transaction.on_commit(partial(_clear, institution_folder(institution), LOGOS))


def _own(by: Actor) -> Institution:
    if by.kind == "key" or not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))
    return get_institution(by.institution)


def _logo_told(institution: Institution) -> dict[str, str] | None:
    path = logo_of(institution)
    return None if path is None else {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _place(part: Path, folder: Path) -> None:
    """Put a finished picture where documents look for it, in one step, and another format away."""
    part.replace(folder / LOGOS[0])
    _clear(folder, LOGOS[1:])


def _clear(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)
