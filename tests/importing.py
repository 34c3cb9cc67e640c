"""Imports as doors and workers do them, for tests."""

import csv
import io

from django.core.files.uploadedfile import SimpleUploadedFile

from apps.credits.enums import ImportMode
from apps.credits.importing.jobs import check_rows, import_rows, undo_rows
from apps.credits.importing.runs import (
    confirm_import,
    prepare_import,
    receive_import,
    settle_import,
    undo_import,
)
from apps.credits.models import ImportRun
from apps.jobs.services import claim_job, fail_job, finish_job
from apps.tenancy.errors import DomainError


def upload_of(rows, *, name="fichier.csv", encoding="cp1252"):
    """Return the upload of a CSV file with the columns of the first row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";", lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return SimpleUploadedFile(name, text.getvalue().encode(encoding), content_type="text/csv")


def found(world, run):
    with world.scope():
        return ImportRun.objects.select_related("job", "source", "report", "rejects").get(pk=run.pk)


def done(world, run, work):
    """Do the job of the present step, as its task does."""
    with world.scope():
        claim = claim_job(uid=found(world, run).job.uid)
    try:
        result = work(claim)
    except DomainError as refusal:
        with world.scope():
            fail_job(claim=claim, error=refusal.message, again=False)
        raise
    with world.scope():
        finish_job(claim=claim, result=result)
    return found(world, run)


def checked(world, by, upload, target, *, settled=None, common=None):
    """Send a file and check it; ``settled`` changes the matches as a person would."""
    with world.scope():
        run = receive_import(upload=upload, target=target, by=by)
        matches = prepare_import(run=run).matches
        settle_import(run=run, matches=settled(matches) if settled else matches, common=common, by=by)
    return done(world, run, check_rows)


def imported(world, by, upload, target, *, mode=ImportMode.VALID, settled=None, common=None):
    run = checked(world, by, upload, target, settled=settled, common=common)
    with world.scope():
        confirm_import(run=run, mode=mode, by=by)
    return done(world, run, import_rows)


def undone(world, by, run):
    with world.scope():
        undo_import(run=run, by=by)
    return done(world, run, undo_rows)


def counts(run):
    """Return the rows that are new, updated, unchanged, duplicates, rejected."""
    return (run.rows_new, run.rows_updated, run.rows_unchanged, run.rows_duplicate, run.rows_rejected)
