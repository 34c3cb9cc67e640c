"""Files received, read back, deleted in time: private to the institution and to the agency."""

import datetime as dt
import hashlib
import os
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.files.errors import FileRefused
from apps.files.models import StoredFile
from apps.files.queries import visible_files
from apps.files.reading.dialects import Dialect
from apps.files.reading.limits import Limits
from apps.files.services import (
    delete_file,
    keep_written,
    open_stored,
    part_path,
    path_of,
    purge_expired,
    store_upload,
)
from apps.files.tasks import purge_files
from apps.files.validators import result_name, safe_name
from apps.institutions.models import Agency
from apps.tenancy.errors import NotAllowed, ObjectNotFound

pytestmark = pytest.mark.django_db

CONTENT = "Âge;Revenu\r\n25;1 500,5\r\n31;250 000\r\n".encode("cp1252")


def sent(content=CONTENT, name="Portefeuille été.csv"):
    return SimpleUploadedFile(name, content)


def stored_by(world, email, **extra):
    return store_upload(upload=sent(), purpose="batch", by=world.actor(email), **extra)


def on_disk(world):
    with world.scope():
        folder = part_path(uuid4()).parent.parent
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_kept_with_what_was_found(world):
    by = world.actor(world.analyst)
    with world.scope():
        stored = stored_by(world, world.analyst)
        path = path_of(stored)

        assert path.read_bytes() == CONTENT
        assert path.stat().st_mode & 0o077 == 0
        assert (stored.original_name, stored.kind, stored.size) == (
            "Portefeuille été.csv",
            "csv",
            len(CONTENT),
        )
        assert stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert stored.rows == 2
        dialect = Dialect.from_json(StoredFile.objects.get(uid=stored.uid).dialect)
        assert (dialect.encoding, dialect.separator, dialect.decimal) == ("cp1252", ";", ",")
        assert stored.expires_on == timezone.localdate() + dt.timedelta(days=30)
        assert stored.uploaded_by_id == by.person_id
        entry = AuditEntry.objects.filter(action="file.create").latest("pk")
        assert (entry.object_uid, entry.after) == (stored.uid, {"purpose": "batch", "size": len(CONTENT)})


def test_a_file_is_read_back_and_that_is_recorded(world):
    with world.scope():
        stored = stored_by(world, world.analyst)

        found, path = open_stored(uid=stored.uid, by=world.actor(world.auditor))

        assert (found, path.read_bytes()) == (stored, CONTENT)
        assert AuditEntry.objects.filter(action="storedfile.read", object_uid=stored.uid).count() == 1


def test_a_role_that_may_not_import_sends_nothing(world):
    before = on_disk(world)
    with world.scope(), pytest.raises(NotAllowed):
        store_upload(upload=sent(), purpose="import", by=world.actor(world.auditor))
    assert on_disk(world) == before


def test_nobody_sends_a_result(world):
    with world.scope(), pytest.raises(NotAllowed):
        store_upload(upload=sent(), purpose="result", by=world.actor(world.analyst))


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "file_empty"), (b"%PDF-1.7 ...", "file_not_a_table"), (b"a;b\r\n", "no_rows")],
)
def test_a_file_that_is_refused_leaves_nothing(world, content, code):
    before = on_disk(world)
    with world.scope():
        rows = StoredFile.objects.count()
        with pytest.raises(FileRefused) as refusal:
            store_upload(upload=sent(content), purpose="batch", by=world.actor(world.analyst))
        assert StoredFile.objects.count() == rows
    assert refusal.value.code == code
    assert on_disk(world) == before


def test_a_file_too_large_is_refused_before_it_is_written(world):
    before = on_disk(world)
    with world.scope(), pytest.raises(FileRefused) as refusal:
        store_upload(
            upload=sent(),
            purpose="batch",
            by=world.actor(world.analyst),
            limits=Limits(size=len(CONTENT) - 1),
        )
    assert refusal.value.code == "file_too_large"
    assert on_disk(world) == before


def test_another_institution_has_no_such_file(world):
    with world.scope():
        stored = stored_by(world, world.analyst)
    with world.scope("ngwa"), pytest.raises(ObjectNotFound):
        open_stored(uid=stored.uid, by=world.actor(world.outsider))


def test_another_agency_has_no_such_file(world):
    agent = world.actor(world.agent)
    with world.scope():
        own = Agency.objects.filter(pk__in=agent.agency_ids).first()
        other = Agency.objects.exclude(pk__in=agent.agency_ids).first()
        of_others = stored_by(world, world.analyst, agency_id=other.pk)
        of_all = stored_by(world, world.analyst)
        of_agency = stored_by(world, world.analyst, agency_id=own.pk)

        assert set(visible_files(agent)) == {of_agency}
        for hidden in (of_others, of_all):
            with pytest.raises(ObjectNotFound):
                open_stored(uid=hidden.uid, by=agent)


def test_a_role_that_reads_no_file_downloads_none(world):
    with world.scope():
        stored = stored_by(world, world.analyst)
        with pytest.raises(NotAllowed):
            open_stored(uid=stored.uid, by=world.actor("commercial@horizon.demo"))


def test_a_file_past_its_date_is_gone_before_it_is_purged(world):
    with world.scope():
        stored = stored_by(world, world.analyst, kept_days=-1)
        with pytest.raises(ObjectNotFound):
            open_stored(uid=stored.uid, by=world.actor(world.analyst))


def test_the_purge_deletes_what_is_past_its_date(world, django_capture_on_commit_callbacks):
    with world.scope():
        old, young = stored_by(world, world.analyst, kept_days=-1), stored_by(world, world.analyst)
        paths = path_of(old), path_of(young)
        with django_capture_on_commit_callbacks(execute=True):
            assert purge_expired() == 1
        old.refresh_from_db()

        assert old.deleted_at is not None
        assert [path.exists() for path in paths] == [False, True]
        assert AuditEntry.objects.filter(action="file.purge").latest("pk").after == {"files": 1}
        assert purge_expired() == 0


def test_the_purge_sweeps_what_was_begun_and_left(world):
    with world.scope():
        left, fresh, kept = part_path(uuid4()), part_path(uuid4()), path_of(stored_by(world, world.analyst))
        long_ago = (timezone.now() - dt.timedelta(days=8)).timestamp()
        for path in (left, fresh):
            path.write_bytes(b"x")
        for path in (left, kept):
            os.utime(path, (long_ago, long_ago))
    purge_files()
    assert [path.exists() for path in (left, fresh, kept)] == [False, True, True]


def test_a_file_deleted_by_hand_is_no_longer_there(world, django_capture_on_commit_callbacks):
    by = world.actor(world.analyst)
    with world.scope():
        stored = stored_by(world, world.analyst)
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            delete_file(stored=stored, by=by)

        assert not path_of(stored).exists()
        with pytest.raises(ObjectNotFound):
            open_stored(uid=stored.uid, by=by)


def test_a_file_that_the_site_wrote_is_kept_in_one_step(world):
    uid, by = uuid4(), world.actor(world.analyst)
    with world.scope():
        part_path(uid).write_bytes(b"a;b\r\n1;2\r\n")
        assert part_path(uid).exists()  # a job that begins again finds what it wrote
        stored = keep_written(
            part=part_path(uid), name=result_name("../Crédits 2025.xlsx"), purpose="result", kind="csv", by=by
        )

        assert not part_path(uid).exists()
        assert path_of(stored).read_bytes() == b"a;b\r\n1;2\r\n"
        assert stored.original_name == "scoring_Crédits 2025.csv"


@pytest.mark.parametrize(
    ("given", "kind", "safe"),
    [
        ("prêts.csv", "csv", "prêts.csv"),
        ("../../etc/passwd", "csv", "passwd.csv"),
        (r"C:\Users\x\Crédits.XLSX", "xlsx", "Crédits.xlsx"),
        ("a\r\nSet-Cookie: x.csv", "csv", "a__Set-Cookie_ x.csv"),
        ("facture\u202evsc.exe", "csv", "facture_vsc.csv"),
        ("", "csv", "fichier.csv"),
        ("...", "csv", "fichier.csv"),
        ("con.csv", "csv", "fichier_con.csv"),
        ("=SOMME(A1).csv", "csv", "SOMME(A1).csv"),
        ("é" * 300 + ".csv", "csv", "é" * 116 + ".csv"),
    ],
)
def test_names_are_made_harmless(given, kind, safe):
    assert safe_name(given, kind=kind) == safe


def test_the_name_of_a_result_tells_the_original():
    assert result_name("clients mars.csv") == "scoring_clients mars.csv"
