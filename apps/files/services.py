"""Files of an institution: received and checked, written by the site, read back, put away in time.

Files stand in ``institutions/<uid>/files`` under the data folder, readable by the site's account only. A
file gets its name in one step when it is whole; what was begun and left is swept away.
"""

import datetime as dt
import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record, record_read
from apps.files.enums import KEPT_DAYS, FileKind, FilePurpose
from apps.files.models import StoredFile
from apps.files.queries import get_visible_file
from apps.files.reading.limits import LIMITS, Limits
from apps.files.rules import can_read_file, can_send_file
from apps.files.validators import safe_name
from apps.tenancy.actor import Actor, task_actor
from apps.tenancy.context import current_institution_id
from apps.tenancy.errors import NotAllowed, ObjectNotFound
from apps.tenancy.tenants import institution_uid

if TYPE_CHECKING:
    from apps.files.reading.surveys import Survey

_PARTS = "parts"
_BLOCK = 1 << 20
#: A file that no row tells of: the request or the job that wrote it did not end.
_FORGOTTEN_AFTER = dt.timedelta(days=7)

logger = logging.getLogger(__name__)


def store_upload(
    *,
    upload: "File[Any]",
    purpose: str,
    by: Actor,
    agency_id: int | None = None,
    kept_days: int = KEPT_DAYS,
    limits: Limits = LIMITS,
) -> StoredFile:
    """Read what was sent through, then keep it; the row holds how it is written and how many rows it has.

    ``kept_days`` is the dated setting ``files_kept_days`` of the institution. Raises ``NotAllowed``, and
    ``FileRefused`` for what is no table, is unsafe or is too large: nothing is stored then.
    """
    if not can_send_file(by, purpose):
        raise NotAllowed(_("Your role does not allow this."))
    part = part_path(uuid4())
    try:
        found = _received(upload, part, limits)
        stored = StoredFile(
            purpose=FilePurpose(purpose),
            kind=FileKind(found.dialect.kind),
            agency_id=agency_id,
            dialect=found.dialect.to_json(),
            rows=found.rows,
            sha256=_sha256(part),
        )
        return _keep(stored, part=part, name=upload.name or "", by=by, kept_days=kept_days)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def part_path(uid: UUID) -> Path:
    """Return where a file named ``uid`` is being written, in the institution of the open scope.

    The same name gives the same place: a job that begins again finds what it wrote.
    """
    folder = _folder() / _PARTS
    _make(folder)
    return folder / f"{uid}.part"


def keep_written(
    *,
    part: Path,
    name: str,
    purpose: str,
    kind: str,
    by: Actor,
    agency_id: int | None = None,
    kept_days: int = KEPT_DAYS,
    sha256: str | None = None,
) -> StoredFile:
    """Keep a file that the site has finished writing at ``part`` (``part_path``).

    ``sha256`` is that of its bytes when whoever wrote it counted it on the way.
    """
    stored = StoredFile(
        purpose=FilePurpose(purpose),
        kind=FileKind(kind),
        agency_id=agency_id,
        sha256=sha256 or _sha256(part),
    )
    return _keep(stored, part=part, name=name, by=by, kept_days=kept_days)


def open_stored(*, uid: UUID, by: Actor) -> tuple[StoredFile, Path]:
    """Return a file and where it stands, for the view that sends it; the reading is recorded.

    Raises ``NotAllowed``; ``ObjectNotFound`` alike for a file of another institution or agency, one past
    its date and one that is not there.
    """
    if not can_read_file(by):
        raise NotAllowed(_("Your role does not allow this."))
    stored = get_visible_file(by, uid)
    path = path_of(stored)
    if not path.is_file():
        logger.error("Stored file %s is not on the disk", stored.uid)
        raise ObjectNotFound(_("No such file."))
    record_read(by=by, target=stored)
    return stored, path


def path_of(stored: StoredFile) -> Path:
    """Return where the file of a row of the open scope stands, for work that acts for the institution."""
    return _folder() / stored.path


@transaction.atomic
def delete_file(*, stored: StoredFile, by: Actor) -> None:
    """Delete a file before its time; its row stays."""
    locked = StoredFile.objects.select_for_update().get(pk=stored.pk)
    if locked.deleted_at is not None:
        return
    _put_away([locked])
    record(by=by, action="file.delete", target=locked, after={"purpose": locked.purpose})


@transaction.atomic
def purge_expired(*, on: dt.date | None = None) -> int:
    """Delete the files of the open scope past their date, and what was begun and left; return how many."""
    due = list(
        StoredFile.objects.expired(on or timezone.localdate()).select_for_update(skip_locked=True)[:1_000]
    )
    _put_away(due)
    if due:
        by = task_actor(current_institution_id())
        record(by=by, action="file.purge", after={"files": len(due)})
    _sweep()
    return len(due)


def _received(upload: "File[Any]", part: Path, limits: Limits) -> "Survey":
    from apps.files.reading.contents import too_large
    from apps.files.reading.surveys import survey

    if upload.size > limits.size:
        raise too_large(limits)
    written = 0
    with _created(part) as target:
        for block in upload.chunks(_BLOCK):
            written += len(block)
            if written > limits.size:
                raise too_large(limits)
            target.write(block)
    return survey(part, limits=limits)


def _created(part: Path) -> BinaryIO:
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@transaction.atomic
def _keep(stored: StoredFile, *, part: Path, name: str, by: Actor, kept_days: int) -> StoredFile:
    today = timezone.localdate()
    stored.original_name = safe_name(name, kind=stored.kind)
    stored.size = part.stat().st_size
    stored.path = f"{today:%Y-%m}/{uuid4()}.{stored.kind}"
    stored.uploaded_by_id = by.person_id
    stored.expires_on = today + dt.timedelta(days=kept_days)
    stored.save()
    record(by=by, action="file.create", target=stored, after={"purpose": stored.purpose, "size": stored.size})
    target = path_of(stored)
    _make(target.parent)
    part.replace(target)
    return stored


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _folder() -> Path:
    uid = institution_uid(current_institution_id())
    return Path(settings.INSTITUTION_FILES_DIR) / str(uid) / "files"


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _put_away(rows: Sequence[StoredFile]) -> None:
    StoredFile.objects.filter(pk__in=[stored.pk for stored in rows]).update(deleted_at=timezone.now())
    for stored in rows:
        transaction.on_commit(partial(path_of(stored).unlink, missing_ok=True))


def _sweep() -> None:
    """Remove what no row tells of and nobody has written to for a week."""
    folder, limit = _folder(), timezone.now() - _FORGOTTEN_AFTER
    if not folder.is_dir():
        return
    kept = set(StoredFile.objects.filter(deleted_at=None).values_list("path", flat=True))
    for path in folder.rglob("*"):
        with suppress(OSError):  # a job that ends meanwhile moves its own
            old = path.is_file() and path.stat().st_mtime < limit.timestamp()
            if old and str(path.relative_to(folder)) not in kept:
                path.unlink()
