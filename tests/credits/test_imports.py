"""A file imported: what is judged, what is written, what a crash leaves, what undoing gives back."""

import csv
import datetime as dt
import io
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections

from apps.audit.models import AuditEntry
from apps.credits.enums import ImportMode, ImportState
from apps.credits.errors import ImportBuiltOn, ImportMoved, ImportRefused
from apps.credits.importing import runs
from apps.credits.importing.runs import (
    cancel_import,
    check_rows,
    confirm_import,
    first_problems,
    import_rows,
    prepare_import,
    receive_import,
    rejects_of,
    settle_import,
    undo_import,
    undo_rows,
)
from apps.credits.models import Client, ExternalCredit, ImportChange, ImportMapping, ImportRun
from apps.credits.queries.imports import get_visible_import, state_of
from apps.credits.services.clients import save_client
from apps.files.errors import FileRefused
from apps.files.reading.mapping import Conversion
from apps.files.services import path_of
from apps.jobs.errors import JobStopped
from apps.jobs.models import Job
from apps.jobs.services import claim_job, fail_job, finish_job, release_job
from apps.tenancy.errors import DomainError, InvalidValues, NotAllowed, ObjectNotFound

pytestmark = pytest.mark.django_db

HEADERS = ("Code client", "Agence", "Nom", "Prénoms", "Né(e) le", "Téléphone", "Revenu mensuel (FCFA)")


@pytest.fixture(autouse=True)
def _private_files(settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def agency(world):
    with world.scope():
        return Client.objects.select_related("agency").order_by("pk").first().agency


def row(number, agency, **changes):
    """Return a client of the file, whose every value differs from the next one's."""
    born = dt.date(1970, 1, 1) + dt.timedelta(days=number)
    return {
        "Code client": f"W-{number:06d}",
        "Agence": agency.code,
        "Nom": f"Testeur{number}",
        "Prénoms": "Élodie",
        "Né(e) le": f"{born:%d/%m/%Y}",
        "Téléphone": f"6 {70_000_000 + number}",
        "Revenu mensuel (FCFA)": "185 000",
        **changes,
    }


def file_of(rows, *, headers=HEADERS, name="clients.csv", encoding="cp1252"):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows([[each.get(head, "") for head in headers] for each in rows])
    return SimpleUploadedFile(name, text.getvalue().encode(encoding), content_type="text/csv")


def sent(world, by, rows, *, target="clients", **more):
    with world.scope():
        return receive_import(upload=file_of(rows, **more), target=target, by=by)


def done(world, run, work):
    """Do the job of the present step, as its task does."""
    with world.scope():
        job = get_visible_import_anyhow(run).job
        claim = claim_job(uid=job.uid)
    try:
        result = work(claim)
    except DomainError as refusal:
        with world.scope():
            fail_job(claim=claim, error=refusal.message, again=False)
        raise
    with world.scope():
        finish_job(claim=claim, result=result)
    return again(world, run)


def get_visible_import_anyhow(run):
    return ImportRun.objects.select_related("job", "source", "report", "rejects").get(pk=run.pk)


def again(world, run):
    with world.scope():
        return get_visible_import_anyhow(run)


def checked(world, by, rows, *, target="clients", **more):
    run = sent(world, by, rows, target=target, **more)
    with world.scope():
        settle_import(run=run, matches=prepare_import(run=run).matches, by=by)
    return done(world, run, check_rows)


def imported(world, by, rows, *, mode=ImportMode.VALID, keep_duplicates=False, target="clients", **more):
    run = checked(world, by, rows, target=target, **more)
    with world.scope():
        confirm_import(run=run, mode=mode, keep_duplicates=keep_duplicates, by=by)
    return done(world, run, import_rows)


def undone(world, by, run):
    with world.scope():
        undo_import(run=run, by=by)
    return done(world, run, undo_rows)


def counts(run):
    return (run.rows_new, run.rows_updated, run.rows_unchanged, run.rows_duplicate, run.rows_rejected)


def rejects(world, run, by):
    with world.scope():
        stored, path = rejects_of(run=run, by=by)
    return stored, list(
        csv.DictReader(io.StringIO(path.read_bytes().decode("cp1252"), newline=""), delimiter=";")
    )


def raw_rows(table, where):
    """Return rows as the table holds them, ciphertext included."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t WHERE {where} ORDER BY id")
        return [text for (text,) in cursor.fetchall()]


def test_a_file_of_clients_is_checked_then_imported(world, analyst, agency):
    run = checked(world, analyst, [row(1, agency), row(2, agency, **{"Téléphone": ""})])
    assert (counts(run), state_of(run)) == ((2, 0, 0, 0, 0), ImportState.CHECKED)
    with world.scope():
        assert not Client.objects.filter(reference__startswith="W-").exists()
        confirm_import(run=run, mode=ImportMode.VALID, by=analyst)
    run = done(world, run, import_rows)

    assert (counts(run), state_of(run)) == ((2, 0, 0, 0, 0), ImportState.IMPORTED)
    assert (run.report, run.rejects) == (None, None)
    with world.scope():
        first, second = Client.objects.filter(reference__startswith="W-").order_by("reference")
        assert (first.last_name, first.first_names, first.birth_date) == (
            "Testeur1", "Élodie", dt.date(1970, 1, 2),
        )  # fmt: skip
        assert (first.phone, first.monthly_income_xaf, first.agency_id) == ("670000001", 185_000, agency.pk)
        assert (second.phone, second.phone_index, second.is_active) == ("", "", True)
        assert first.search_first_names == "elodie testeur1"
        twin = Client.objects.get(pk=first.pk)
        save_client(client=twin, by=analyst)  # what the form would refuse is not there
        stored = Client.objects.get(pk=first.pk)
        assert (stored.phone_index, stored.search_name) == (first.phone_index, first.search_name)
        trail = AuditEntry.objects.filter(object_uid=run.uid).order_by("id")
        assert [each.action for each in trail] == [
            "import.create", "import.check", "import.checked", "import.import", "import.finish",
        ]  # fmt: skip
        assert "Testeur" not in str([each.after for each in trail])
