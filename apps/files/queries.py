"""Reads of stored files."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.files.models import StoredFile
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def visible_files(actor: Actor) -> QuerySet[StoredFile]:
    """Return the files that are still kept and that ``actor`` may see."""
    return StoredFile.objects.kept().visible_to(actor)


def get_visible_file(actor: Actor, uid: UUID) -> StoredFile:
    """Return one kept file; raise ``ObjectNotFound`` when unknown, past its date or out of sight, alike."""
    found = visible_files(actor).filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound(_("No such file."))
    return found
