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
from apps.credits.importing import jobs, plans
from apps.credits.importing.jobs import check_rows, import_rows, undo_rows
from apps.credits.importing.runs import (
    cancel_import,
    confirm_import,
    first_problems,
    prepare_import,
    receive_import,
    rejects_of,
    settle_import,
    undo_import,
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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

HEADERS = ("Code client", "Agence", "Nom", "Prénoms", "Né(e) le", "Téléphone", "Revenu mensuel (FCFA)")


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


def claimed(world, run):
    with world.scope():
        return claim_job(uid=get_visible_import_anyhow(run).job.uid)


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
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t WHERE {where} ORDER BY id")  # noqa: S608  names of this file
        return [text for (text,) in cursor.fetchall()]


def test_a_file_of_clients_is_checked_then_imported(world, analyst, agency):
    run = checked(world, analyst, [row(1, agency), row(2, agency, Téléphone="")])
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


def test_each_refused_row_says_what_is_wrong_and_comes_back_to_be_corrected(world, analyst, agency):
    rows = [
        row(1, agency),
        row(2, agency, **{"Téléphone": "12", "Né(e) le": "31/02/1990"}),
        row(3, agency, Agence="Nulle part"),
        row(4, agency, **{"Né(e) le": "01/01/2020"}),
        row(5, agency, Nom=""),
        row(1, agency, Nom="Encore"),
    ]
    run = imported(world, analyst, rows)

    assert counts(run) == (1, 0, 0, 1, 4)
    with world.scope():
        told = first_problems(run)
    assert [(line, column, value) for line, column, value, _text, _advice in told] == [
        ("3", "Né(e) le", "31/02/1990"),
        ("3", "Téléphone", "12"),
        ("4", "Agence", "Nulle part"),
        ("5", "Né(e) le", "01/01/2020"),
        ("6", "Nom", ""),
        ("7", "Code client", "W-000001"),
    ]
    assert all(text and advice for *_place, text, advice in told)
    stored, back = rejects(world, run, analyst)
    assert list(back[0]) == [*HEADERS, "erreur"]
    assert [each["Code client"] for each in back] == [f"W-00000{place}" for place in (2, 3, 4, 5, 1)]
    assert back[0]["erreur"].startswith("Né(e) le : ")
    assert stored.original_name.endswith(".csv")
    quality = run.checked["quality"]
    lost = {each["code"]: (each["points"], each["count"]) for each in quality["losses"]}
    assert lost["rejected"] == (33, 4)  # 50 points x 4 of 6 rows
    assert lost["duplicates"] == (2, 1)
    assert lost["missing"][1] >= 1
    assert quality["score"] == 100 - sum(points for points, _count in lost.values())

    for each, good in zip(back, (2, 3, 4, 5), strict=False):
        each.update(row(good, agency))
    run = imported(world, analyst, back, headers=[*HEADERS, "erreur"])
    assert counts(run) == (4, 1, 0, 0, 0)  # the last one changes the name of the first
    with world.scope():
        assert Client.objects.get(reference="W-000001").last_name == "Encore"


def test_a_workbook_comes_back_as_a_workbook_and_formulas_are_neutralised(world, analyst, agency):
    from openpyxl import Workbook, load_workbook

    book = Workbook()
    book.active.append(["Référence", "Agence", "Nom", "Date de naissance", "Note"])
    book.active.append(["X-1", agency.code, "Bon", dt.date(1980, 1, 31), "ok"])
    book.active.append(["X-2", agency.code, "Jeune", dt.date(2020, 1, 31), "'=1+1"])
    content = io.BytesIO()
    book.save(content)
    with world.scope():
        upload = SimpleUploadedFile("clients.xlsx", content.getvalue())
        run = receive_import(upload=upload, target="clients", by=analyst)
        settle_import(run=run, matches=prepare_import(run=run).matches, by=analyst)
    run = done(world, run, check_rows)
    with world.scope():
        stored, path = rejects_of(run=run, by=analyst)
    assert counts(run) == (1, 0, 0, 0, 1)
    head, (*cells, reason) = load_workbook(path, read_only=True).active.values
    assert head[-1] == "erreur"
    assert [str(cell) for cell in cells] == ["X-2", agency.code, "Jeune", "2020-01-31 00:00:00", "'=1+1"]
    assert "18 ans" in reason
    assert stored.original_name == "rejets_clients.xlsx"
    assert counts(checked(world, analyst, [row(1, agency, Nom="=x", Agence="")])) == (0, 0, 0, 0, 1)
    again_run = checked(world, analyst, [row(1, agency, Nom="=x", Agence="")])
    assert rejects(world, again_run, analyst)[1][0]["Nom"] == "'=x"


def test_a_file_that_is_no_longer_kept_is_to_be_sent_again(world, analyst, agency):
    run = sent(world, analyst, [row(1, agency)])
    with world.scope():
        path_of(run.source).unlink()
        with pytest.raises(ObjectNotFound):
            prepare_import(run=run)


def test_what_is_there_already_is_changed_or_left_alone(world, analyst, agency):
    imported(world, analyst, [row(1, agency), row(2, agency), row(3, agency)])
    with world.scope():
        before = Client.objects.get(reference="W-000002")
    rows = [
        row(1, agency, Téléphone="+237 670 00 00 01"),
        row(2, agency, **{"Téléphone": "699000000", "Revenu mensuel (FCFA)": ""}),
        row(3, agency, Prénoms="Marie Noëlle"),
        row(4, agency),
    ]
    run = imported(world, analyst, rows)

    assert counts(run) == (1, 2, 1, 0, 0)
    with world.scope():
        second, third = Client.objects.filter(reference__in=["W-000002", "W-000003"]).order_by("reference")
        assert (second.phone, second.monthly_income_xaf) == ("699000000", 185_000)
        assert second.phone_index != before.phone_index
        assert second.created_at == before.created_at < second.updated_at
        assert (third.phone, third.search_name) == ("670000003", "testeur3 marie noelle")


def test_probable_duplicates_are_left_out_unless_they_are_wanted(world, analyst, agency):
    imported(world, analyst, [row(1, agency)])
    rows = [
        row(2, agency, Téléphone="670000001"),
        row(3, agency, Nom="testeur1", **{"Né(e) le": "02/01/1970"}),
        row(4, agency, Téléphone="655000000"),
        row(5, agency, Téléphone="6.55.00.00.00"),
    ]
    run = checked(world, analyst, rows)
    assert counts(run) == (1, 0, 0, 3, 0)
    with world.scope():
        told = [text for *_place, text, _advice in first_problems(run)]
    assert told == [
        "Même téléphone que le client W-000001.",
        "Mêmes nom et date de naissance que le client W-000001.",
        "Même téléphone qu'une ligne précédente du fichier.",
    ]
    run = imported(world, analyst, rows, keep_duplicates=True)
    assert counts(run) == (4, 0, 0, 0, 0)


def test_all_or_nothing_imports_all_or_nothing(world, analyst, agency):
    bad = [row(1, agency), row(2, agency, **{"Né(e) le": "hier"})]
    run = checked(world, analyst, bad)
    with world.scope():
        with pytest.raises(ImportRefused):
            confirm_import(run=run, mode=ImportMode.ALL, by=analyst)
        assert state_of(get_visible_import(analyst, run.uid)) == ImportState.CHECKED

    run = imported(world, analyst, [row(1, agency), row(2, agency)], mode=ImportMode.ALL)
    assert (counts(run), run.mode) == ((2, 0, 0, 0, 0), "all")


def test_all_or_nothing_imports_nothing_of_what_became_wrong_since_the_check(
    world, analyst, agency, monkeypatch
):
    monkeypatch.setattr(plans, "ROWS", 2)
    other = row(3, agency, Agence="fermee")
    with world.scope():
        closing = type(agency).objects.create(code="fermee", name="Bientôt fermée", city="Edéa")
    run = checked(world, analyst, [row(1, agency), row(2, agency), other])
    assert counts(run) == (3, 0, 0, 0, 0)
    with world.scope():
        type(agency).objects.filter(pk=closing.pk).update(is_active=False)
        confirm_import(run=run, mode=ImportMode.ALL, by=analyst)
    with pytest.raises(ImportRefused, match="4"):
        done(world, run, import_rows)

    with world.scope():
        assert not Client.objects.filter(reference__startswith="W-").exists()
        assert not ImportChange.objects.filter(run=run).exists()
    assert state_of(again(world, run)) == ImportState.FAILED


# --- undoing ----------------------------------------------------------------------------------------------


def test_undoing_gives_back_the_exact_state_before(world, analyst, agency, monkeypatch):
    imported(world, analyst, [row(number, agency) for number in range(1, 4)])
    with world.scope():
        before = raw_rows("credits_client", "true")
    monkeypatch.setattr(plans, "ROWS", 2)
    changes = [
        row(1, agency, Nom="Autre", Téléphone="699123456"),
        row(2, agency),
        row(3, agency, **{"Revenu mensuel (FCFA)": "1 000 000"}),
        row(4, agency),
        row(5, agency),
    ]
    run = imported(world, analyst, changes)
    assert counts(run) == (2, 2, 1, 0, 0)
    with world.scope():
        assert raw_rows("credits_client", "true") != before
    run = undone(world, analyst, run)

    assert state_of(run) == ImportState.UNDONE
    assert run.job.result == {"rows": 4}
    with world.scope():
        assert raw_rows("credits_client", "true") == before
        with pytest.raises(ImportMoved):
            undo_import(run=run, by=analyst)


def test_undoing_is_refused_once_a_row_was_changed_or_referred_to(world, analyst, agency):
    run = imported(world, analyst, [row(1, agency), row(2, agency)])
    with world.scope():
        first, second = Client.objects.filter(reference__startswith="W-").order_by("reference")
        first.city = "Kribi"
        save_client(client=first, by=analyst)
        ExternalCredit.objects.create(
            client=second, lender="X", outstanding_xaf=1, monthly_payment_xaf=1, source="declare"
        )
        with pytest.raises(ImportBuiltOn) as refusal:
            undo_import(run=run, by=analyst)
        assert Client.objects.filter(reference__startswith="W-").count() == 2

    found = {(each.kind, each.count) for each in refusal.value.found}
    assert found == {("changed", 1), ("refers", 1)}
    assert "W-000001" in refusal.value.message


def test_undoing_is_refused_once_a_score_was_made_upon_a_changed_client(world, analyst):
    from apps.scoring.models import Prediction

    with world.scope():
        score = Prediction.objects.filter(application__isnull=False).order_by("-pk").first()
        client = Client.objects.select_related("agency").get(pk=score.client_id)
        change = {
            "Code client": client.reference, "Nom": f"{client.last_name}s", "Prénoms": client.first_names,
            "Né(e) le": f"{client.birth_date:%d/%m/%Y}", "Agence": client.agency.code,
        }  # fmt: skip
    run = imported(world, analyst, [change])
    assert counts(run) == (0, 1, 0, 0, 0)
    with world.scope():
        score.pk, score.uid, score.input_hash = None, run.uid, "0" * 64
        score.created_at = run.confirmed_at + dt.timedelta(minutes=1)
        score.save(force_insert=True)
        with pytest.raises(ImportBuiltOn) as refusal:
            undo_import(run=run, by=analyst)
    assert [(each.kind, each.count) for each in refusal.value.found] == [("concludes", 1)]


def test_what_was_built_between_asking_and_undoing_stops_the_undoing(world, analyst, agency):
    run = imported(world, analyst, [row(1, agency)])
    with world.scope():
        undo_import(run=run, by=analyst)
        Client.objects.filter(reference="W-000001").update(city="Kribi")
    with pytest.raises(ImportBuiltOn):
        done(world, run, undo_rows)
    assert state_of(again(world, run)) == ImportState.IMPORTED


def test_new_keys_do_not_stop_an_undoing(world, analyst, agency, settings):
    from cryptography.fernet import Fernet

    from apps.tenancy.encryption import cipher

    run = imported(world, analyst, [row(1, agency)])
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    with world.scope():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE credits_client SET phone = %s WHERE reference = 'W-000001'",
                [cipher().encrypt(b"670000001").decode()],
            )
        undo_import(run=run, by=analyst)
    assert state_of(done(world, run, undo_rows)) == ImportState.UNDONE


def test_what_a_key_that_is_gone_encrypted_is_not_given_back(world, analyst, agency, settings):
    from cryptography.fernet import Fernet

    imported(world, analyst, [row(1, agency)])
    run = imported(world, analyst, [row(1, agency, Téléphone="699123456")])
    with world.scope():
        undo_import(run=run, by=analyst)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImportBuiltOn) as refusal:
        undo_rows(claimed(world, run))
    assert [(each.kind, each.count) for each in refusal.value.found] == [("unreadable", 1)]


# --- crashes, cancellation, two at once -------------------------------------------------------------------


def test_a_job_that_stops_anywhere_goes_on_behind_its_last_chunk(world, analyst, agency, monkeypatch):
    monkeypatch.setattr(plans, "ROWS", 10)
    rows = [row(number, agency) for number in range(1, 36)]
    rows[3]["Né(e) le"] = "jamais"
    rows[30] = row(2, agency, Nom="Répété")  # of a chunk that was done before the crash
    run = checked(world, analyst, rows)
    with world.scope():
        confirm_import(run=run, mode=ImportMode.VALID, by=analyst)
    store, left = jobs._store_chunk, 0

    def failing(*args, **more):
        nonlocal left
        store(*args, **more)
        left -= 1
        if left < 0:
            raise RuntimeError("killed")

    monkeypatch.setattr(jobs, "_store_chunk", failing)
    for _ in range(2):
        left = 1
        with world.scope():
            Job.objects.filter(pk=again(world, run).job_id).update(
                status="queued", claim=None, heartbeat_at=None
            )
            claim = claim_job(uid=again(world, run).job.uid)
        with pytest.raises(RuntimeError):
            import_rows(claim)
    with world.scope():
        Job.objects.filter(pk=again(world, run).job_id).update(status="queued", claim=None, heartbeat_at=None)
    monkeypatch.setattr(jobs, "_store_chunk", store)
    run = done(world, run, import_rows)

    assert counts(run) == (33, 0, 0, 1, 1)
    with world.scope():
        assert Client.objects.filter(reference__startswith="W-").count() == 33
        assert ImportChange.objects.filter(run=run).count() == 33
        assert [chunk.last_line for chunk in run.chunks.order_by("number")] == [11, 21, 31, 36]
        assert [line for line, *_rest in first_problems(run)] == ["5", "32"]
    _stored, back = rejects(world, run, analyst)
    assert [each["Nom"] for each in back] == ["Testeur4", "Répété"]


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_import_keeps_whole_chunks_that_can_be_undone(
    world, analyst, agency, monkeypatch, tmp_path
):
    monkeypatch.setattr(plans, "ROWS", 10)
    run = checked(world, analyst, [row(number, agency) for number in range(1, 31)])
    with world.scope():
        confirm_import(run=run, mode=ImportMode.VALID, by=analyst)
        claim = claim_job(uid=again(world, run).job.uid)
    write = jobs._write_chunk

    def cancelled_meanwhile():
        with world.scope():
            cancel_import(run=again(world, run), by=analyst)
        connections.close_all()

    def cancelled_after_the_first(*args):
        if args[-2] == 1:
            asking = threading.Thread(target=cancelled_meanwhile)
            asking.start()
            asking.join(30)
        write(*args)

    monkeypatch.setattr(jobs, "_write_chunk", cancelled_after_the_first)
    with pytest.raises(JobStopped):
        import_rows(claim)
    with world.scope():
        release_job(claim=claim)
    run = again(world, run)
    assert (state_of(run), counts(run)) == (ImportState.STOPPED, (10, 0, 0, 0, 0))
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".csv"]
    monkeypatch.setattr(jobs, "_write_chunk", write)
    run = undone(world, analyst, run)
    assert (state_of(run), run.job.result) == (ImportState.UNDONE, {"rows": 10})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", list(ImportMode))
def test_two_people_import_the_same_clients_at_once(world, analyst, agency, monkeypatch, mode):
    monkeypatch.setattr(plans, "ROWS", 50)
    monkeypatch.setattr(jobs, "_PATIENCE", 0.02)
    monkeypatch.setattr(jobs, "_BEAT", 0)
    rows = [row(number, agency) for number in range(1, 401)]
    people = (analyst, world.actor(world.risk_manager))
    both = [checked(world, by, rows) for by in people]
    for run, by in zip(both, people, strict=True):
        with world.scope():
            confirm_import(run=run, mode=mode, by=by)
    failed = []

    def work(run):
        try:
            done(world, run, import_rows)
        except BaseException as error:  # noqa: BLE001  told to the test
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[run]) for run in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failed == []
    with world.scope():
        assert Client.objects.filter(reference__startswith="W-").count() == 400
    one, other = (again(world, run) for run in both)
    assert one.rows_new + other.rows_new == 400
    assert one.rows_unchanged + other.rows_unchanged == 400
    assert one.rows_rejected + other.rows_rejected + one.rows_duplicate + other.rows_duplicate == 0


# --- who, and what is refused -----------------------------------------------------------------------------


def test_somebody_of_one_agency_imports_into_it_only(world, analyst, agency):
    import dataclasses

    imported(world, analyst, [row(1, agency), row(2, agency)])
    with world.scope():
        other = type(agency).objects.exclude(pk=agency.pk).filter(is_active=True).first()
    limited = dataclasses.replace(analyst, agency_ids=frozenset({other.pk}))
    rows = [
        row(1, other),
        row(3, agency),
        row(4, other, Agence=""),
        row(5, other, Téléphone="670000002"),
    ]
    run = checked(world, limited, rows)

    assert counts(run) == (1, 0, 0, 1, 2)
    with world.scope():
        told = [text for *_place, text, _advice in first_problems(run)]
        assert "W-000002" not in " ".join(told)
        assert "autre agence" in told[-1]
    with world.scope("ngwa"), pytest.raises(ObjectNotFound):
        get_visible_import(world.actor(world.outsider), run.uid)


def test_who_may_not_import_sends_nothing(world, agency):
    with pytest.raises(NotAllowed):
        sent(world, world.actor(world.agent), [row(1, agency)])


@pytest.mark.parametrize("content", [b"", b"Code client;Nom\r\n", b"%PDF-1.7 nothing of a table"])
def test_what_holds_no_row_is_refused_and_nothing_is_kept(world, analyst, content, tmp_path):
    upload = SimpleUploadedFile("clients.csv", content)
    with world.scope():
        with pytest.raises(FileRefused):
            receive_import(upload=upload, target="clients", by=analyst)
        assert not ImportRun.objects.filter(source__original_name="clients.csv").exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_column_that_every_row_needs_must_be_named(world, analyst, agency):
    run = sent(world, analyst, [row(1, agency)], headers=HEADERS[2:])
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        settle_import(run=run, matches=prepare_import(run=run).matches, by=analyst)
    assert list(refusal.value.fields) == ["reference"]


def test_steps_follow_each_other(world, analyst, agency):
    run = sent(world, analyst, [row(1, agency)])
    with world.scope():
        for step in (
            lambda: confirm_import(run=run, mode=ImportMode.VALID, by=analyst),
            lambda: undo_import(run=run, by=analyst),
            lambda: cancel_import(run=run, by=analyst),
        ):
            with pytest.raises(ImportMoved):
                step()
    run = imported(world, analyst, [row(1, agency)])
    with world.scope(), pytest.raises(ImportMoved):
        settle_import(run=run, matches=prepare_import(run=run).matches, by=analyst)


def test_a_file_that_waits_is_cancelled_at_once_and_can_be_checked_again(world, analyst, agency):
    run = sent(world, analyst, [row(1, agency)])
    with world.scope():
        run = settle_import(run=run, matches=prepare_import(run=run).matches, by=analyst)
        cancel_import(run=run, by=analyst)
    run = again(world, run)
    assert state_of(run) == ImportState.STOPPED
    with world.scope():
        settle_import(run=run, matches=prepare_import(run=run).matches, by=analyst)
    assert counts(done(world, run, check_rows)) == (1, 0, 0, 0, 0)


# --- what is remembered -----------------------------------------------------------------------------------


def test_what_was_settled_of_a_header_is_proposed_for_the_next_file(world, analyst, agency):
    headers = ("Zzz", *HEADERS[1:])
    rows = [{**row(1, agency), "Zzz": "W-000001"}]
    run = sent(world, analyst, rows, headers=headers)
    with world.scope():
        matches = prepare_import(run=run).matches
        assert matches[0].field is None
        income = matches[-1].replaced(conversion=Conversion.ANNUAL_TO_MONTHLY)
        settled = [matches[0].replaced(field="reference"), *matches[1:-1], income]
        settle_import(run=run, matches=settled, by=analyst)
        next_one = receive_import(upload=file_of(rows, headers=headers), target="clients", by=analyst)
        proposed = prepare_import(run=next_one).matches
    assert (proposed[0].field, proposed[0].why) == ("reference", "remembered")
    assert (proposed[-1].field, proposed[-1].conversion) == (
        "monthly_income_xaf", Conversion.ANNUAL_TO_MONTHLY,
    )  # fmt: skip
    with world.scope("ngwa"):
        assert not ImportMapping.objects.filter(header="zzz").exists()


def test_incomes_of_a_year_are_asked_about(world, analyst, agency):
    rows = [row(number, agency, **{"Revenu mensuel (FCFA)": "3 600 000"}) for number in range(1, 15)]
    run = sent(world, analyst, rows)
    with world.scope():
        asked = prepare_import(run=run).suspicions
    assert [(each.header, each.conversion) for each in asked] == [
        ("Revenu mensuel (FCFA)", Conversion.ANNUAL_TO_MONTHLY)
    ]


# --- credits elsewhere ------------------------------------------------------------------------------------

ELSEWHERE = ("Code client", "Prêteur", "Montant", "Encours", "Mensualité", "Statut", "Source", "Situation au")


def elsewhere(reference, **changes):
    return {
        "Code client": reference, "Prêteur": "Banque du Littoral", "Montant": "2 000 000",
        "Encours": "1 200 000", "Mensualité": "95 000", "Statut": "En cours", "Source": "Déclaré",
        "Situation au": "01/06/2026", **changes,
    }  # fmt: skip


def test_credits_elsewhere_are_found_again_and_the_newest_news_counts(world, analyst, agency):
    imported(world, analyst, [row(1, agency), row(2, agency)])
    more = {"target": "external_credits", "headers": ELSEWHERE}
    rows = [
        elsewhere("W-000001", Source=""),
        elsewhere("W-000002", Source="CREMF"),
        elsewhere("INCONNU"),
    ]
    run = imported(world, analyst, rows, **more)
    assert counts(run) == (1, 0, 0, 0, 2)
    with world.scope():
        assert [text for *_place, text, _advice in first_problems(run)] == [
            "Le client n'avait pas consenti à une consultation à cette date.",
            "Aucun client que vous voyez n'a cette référence.",
        ]
        before = raw_rows("credits_externalcredit", "true")
    rows = [
        elsewhere("W-000001", Source="", Encours="0", Statut="Soldé", **{"Situation au": "01/09/2026"}),
        elsewhere("W-000001", Source="", Prêteur="Autre"),
    ]
    run = imported(world, analyst, rows, **more)
    assert counts(run) == (1, 1, 0, 0, 0)
    with world.scope():
        stored = ExternalCredit.objects.get(client__reference="W-000001", lender="Banque du Littoral")
        assert (stored.outstanding_xaf, stored.status) == (0, "closed")
        assert stored.author_id == analyst.id
    assert counts(checked(world, analyst, [elsewhere("W-000001", Source="")], **more)) == (0, 0, 0, 1, 0)
    undone(world, analyst, run)
    with world.scope():
        assert raw_rows("credits_externalcredit", "true") == before
    assert counts(checked(world, analyst, [elsewhere("W-000001", Source="")], **more)) == (0, 0, 1, 0, 0)
