"""A file scored line by line: what comes back, what is stored, and what a crash or a cancellation leaves."""

import csv
import io
import json
import random

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from apps.audit.models import AuditEntry
from apps.engine.dictionary import PREDICT_VARIABLES, STANDARD
from apps.jobs.errors import JobNotChangeable, JobStopped
from apps.jobs.models import Job
from apps.jobs.services import claim_job, release_job
from apps.scoring.enums import Output
from apps.scoring.errors import BatchUnfinished
from apps.scoring.models import BatchChunk, ScoredLine, ScoringBatch
from apps.scoring.queries.batches import get_visible_batch
from apps.scoring.queries.scores import (
    client_reference_of,
    get_visible_prediction,
    prediction_of_line,
)
from apps.scoring.services import batches, chunks
from apps.scoring.services.batches import cancel_batch, receive_batch, result_of, score_at_once, score_batch
from apps.scoring.services.scores import replay_prediction, score_values
from apps.scoring.services.storing import store_lines
from apps.tenancy.errors import InvalidValues, ObjectNotFound
from tests.predict import BODY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

ADDED = [
    "probabilite_defaut", "prediction_defaut", "niveau_risque", "score", "facteur_1", "facteur_2",
    "facteur_3", "erreur",
]  # fmt: skip


def random_body(draw):
    """Return a complete body within the dictionary's limits, some optional values missing."""
    body = {}
    for name in PREDICT_VARIABLES:
        variable = STANDARD[name]
        if not variable.required and draw.random() < 0.15:
            continue
        if variable.type == "category":
            body[name] = draw.choice(variable.codes)
        else:
            number = draw.uniform(variable.minimum, min(variable.maximum, 3_000_000))
            body[name] = round(number) if variable.type == "integer" else round(number, 3)
    for name in (
        "nb_retards_30j",
        "nb_retards_60j",
        "nb_retards_90j",
    ):  # 96 and 98 say « not known » in files
        body[name] = draw.randint(0, 12)
    return body


def file_of(rows, *, headers=PREDICT_VARIABLES, separator=",", name="portefeuille.csv", encoding="utf-8"):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([["" if row.get(head) is None else row[head] for head in headers] for row in rows])
    return SimpleUploadedFile(name, text.getvalue().encode(encoding), content_type="text/csv")


def rows_of(batch, by):
    _result, path = result_of(batch=batch, by=by)
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def score_now(upload, by, **wish):
    batch = receive_batch(upload=upload, by=by, **wish)
    score_at_once(batch=batch)
    return batch


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


def test_every_original_column_comes_back_then_the_score(world, analyst):
    rows = [{"dossier": "A-1", **BODY, "note": "= vu"}, {"dossier": "A-2", **BODY, "age": 17, "note": "-5"}]
    headers = ("dossier", *PREDICT_VARIABLES, "note")
    with world.scope():
        batch = score_now(file_of(rows, headers=headers), analyst)
        first, second = rows_of(batch, analyst)
        alone, _created = score_values(raw=BODY, by=analyst)

    assert list(first) == [*headers, *ADDED]
    assert {name: first[name] for name in PREDICT_VARIABLES} == {
        name: str(BODY[name]) for name in PREDICT_VARIABLES
    }
    assert float(first["probabilite_defaut"]) == alone.pd
    assert (first["score"], first["niveau_risque"]) == (str(alone.points), alone.band)
    assert first["prediction_defaut"] == str(int(alone.predicted_default))
    assert first["facteur_1"].endswith(("augmente le risque", "diminue le risque"))
    assert (first["note"], second["note"]) == ("'= vu", "-5")
    assert [second[name] for name in ADDED[:-1]] == [""] * 7
    assert second["erreur"] == "L'âge doit être compris entre 18 et 80 ans."


def test_random_lines_are_what_predict_says_of_the_same_values(world, analyst):
    draw = random.Random(6)  # noqa: S311  drawn again each run
    rows = [random_body(draw) for _ in range(400)]
    with world.scope():
        batch = score_now(file_of(rows), analyst)
        for line in ScoredLine.objects.of(batch):
            stored = prediction_of_line(line, batch)
            alone, _created = score_values(raw=rows[line.line - 2], by=analyst)
            for name in (
                "inputs", "facts", "input_hash", "pd", "base", "contributions", "threshold", "grade",
                "predicted_default", "points", "band", "recommendation", "expected_loss_xaf", "rules",
                "warnings", "model_version", "policy",
            ):  # fmt: skip
                assert getattr(stored, name) == getattr(alone, name), (name, rows[line.line - 2])
        assert ScoredLine.objects.of(batch).count() == 400


def test_a_line_is_read_and_scored_again_like_any_score(world, analyst):
    with world.scope():
        batch = score_now(file_of([BODY]), analyst)
        uid = ScoredLine.objects.of(batch).get().uid
        prediction = get_visible_prediction(analyst, uid)

        assert replay_prediction(prediction=prediction, by=analyst).identical
        assert prediction.max_amount_xaf is None
    with world.scope("ngwa"), pytest.raises(ObjectNotFound):
        get_visible_prediction(world.actor(world.outsider), uid)


def test_a_french_file_comes_back_in_its_own_way(world, analyst):
    row = {name: str(value).replace(".", ",") for name, value in BODY.items()}
    row |= {"taux_interet": "22,5", "revenu_mensuel": "1 285 000", "sexe": "Féminin"}
    wrong = row | {"montant_credit": "1"}
    upload = file_of([row, wrong], separator=";", encoding="cp1252", name="Crédits d'août.csv")
    with world.scope():
        batch = score_now(upload, analyst)
        result, path = result_of(batch=batch, by=analyst)
        text = path.read_bytes().decode("cp1252")

    head, line, refused = text.splitlines()
    cells = dict(zip(head.split(";"), line.split(";"), strict=True))
    assert "10\N{NO-BREAK SPACE}000" in refused  # narrow ones are unknown to Windows-1252
    assert "?" not in refused
    assert result.original_name == "scoring_Crédits d'août.csv"
    assert (cells["taux_interet"], cells["revenu_mensuel"], cells["sexe"]) == ("22,5", "1 285 000", "Féminin")
    assert "," in cells["probabilite_defaut"]


def test_french_excel_and_workbooks_on_request(world, analyst):
    from openpyxl import load_workbook

    with world.scope():
        excel = result_of(batch=score_now(file_of([BODY]), analyst, output=Output.EXCEL), by=analyst)[1]
        book, path = result_of(batch=score_now(file_of([BODY]), analyst, output=Output.XLSX), by=analyst)

    assert excel.read_bytes().startswith("\ufeffage;sexe;".encode())
    cells = list(load_workbook(path, read_only=True).active.values)
    assert book.original_name == "scoring_portefeuille.xlsx"
    assert cells[0][-8:] == tuple(ADDED)
    assert isinstance(cells[1][15], float)
    original = dict(zip(cells[0], cells[1], strict=False))  # empty cells at the end are not there
    assert (original["age"], original["taux_interet"]) == (BODY["age"], BODY["taux_interet"])


def test_a_file_without_a_column_that_every_line_needs_is_refused_and_not_kept(world, analyst, tmp_path):
    without = [name for name in PREDICT_VARIABLES if name != "montant_credit"]
    with world.scope():
        with pytest.raises(InvalidValues) as refusal:
            receive_batch(upload=file_of([BODY], headers=without), by=analyst)
        assert not ScoringBatch.objects.filter(source__original_name="portefeuille.csv").exists()

    assert list(refusal.value.fields) == ["montant_credit"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_told_of_a_file_adds_up(world, analyst):
    draw = random.Random(3)  # noqa: S311  drawn again each run
    rows = [random_body(draw) for _ in range(60)]
    rows[7]["age"], rows[8]["sexe"] = 200, "X"
    with world.scope():
        batch = score_now(file_of(rows), analyst)
        batch = get_visible_batch(analyst, batch.uid)
        lines = list(ScoredLine.objects.of(batch))
        entries = AuditEntry.objects.filter(object_uid=batch.uid).order_by("id")
        told = [(entry.action, entry.after) for entry in entries]

    assert (batch.lines_read, batch.lines_scored, batch.lines_rejected) == (60, 58, 2)
    summary = batch.summary
    assert summary["mean_pd"] == pytest.approx(sum(line.pd for line in lines) / 58, abs=1e-12)
    assert summary["loss_xaf"] == sum(line.expected_loss_xaf for line in lines)
    assert sum(summary["bands"]) == sum(summary["grades"]) == sum(summary["points"]) == 58
    assert {(each["code"], each["column"]) for each in summary["errors"]} == {
        ("out_of_range", "age"), ("not_in_list", "sexe"),
    }  # fmt: skip
    assert [action for action, _after in told] == ["batch.create", "batch.finish"]
    assert told[1][1] == {"lines": 58, "rejected": 2, "sha256": batch.result.sha256}
    assert json.dumps(summary)


# --- in the background, in several chunks -----------------------------------------------------------------


@pytest.fixture
def small_chunks(monkeypatch):
    """Cut files in chunks of 40 lines."""
    monkeypatch.setattr(chunks, "ROWS", 40)


def begun(world, analyst, rows=150):
    draw = random.Random(9)  # noqa: S311  drawn again each run
    upload = file_of([random_body(draw) for _ in range(rows)])
    with world.scope():
        return receive_batch(upload=upload, by=analyst)


def claimed(world, batch):
    with world.scope():
        Job.objects.filter(pk=batch.job.pk).update(status="queued", claim=None, heartbeat_at=None)
        return claim_job(uid=batch.job.uid)


@pytest.mark.usefixtures("small_chunks")
def test_a_job_that_stops_anywhere_goes_on_behind_its_last_chunk(world, analyst, monkeypatch):
    whole, broken = begun(world, analyst), begun(world, analyst)
    score_batch(claimed(world, whole))
    stored = batches.store_lines
    left = 2

    def failing(**given):
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("killed")
        stored(**given)

    monkeypatch.setattr(batches, "store_lines", failing)
    for _ in range(2):
        left = 1
        with pytest.raises(RuntimeError):
            score_batch(claimed(world, broken))
    monkeypatch.setattr(batches, "store_lines", stored)
    summary = score_batch(claimed(world, broken))

    with world.scope():
        one, other = get_visible_batch(analyst, whole.uid), get_visible_batch(analyst, broken.uid)
        assert [line.line for line in ScoredLine.objects.of(other)] == list(range(2, 152))
        assert BatchChunk.objects.filter(batch=other).count() == 4
        assert one.summary == other.summary == summary
        assert result_of(batch=one, by=analyst)[1].read_bytes() == (
            result_of(batch=other, by=analyst)[1].read_bytes()
        )


@pytest.mark.usefixtures("small_chunks")
def test_a_part_that_was_lost_is_made_again(world, analyst, monkeypatch):
    whole, broken = begun(world, analyst), begun(world, analyst)
    score_batch(claimed(world, whole))
    finish = batches.finish_batch

    def losing(*, batch, by):
        batches.part_paths(batch)[1].unlink()
        return finish(batch=batch, by=by)

    monkeypatch.setattr(batches, "finish_batch", losing)
    score_batch(claimed(world, broken))

    with world.scope():
        results = [
            result_of(batch=get_visible_batch(analyst, each.uid), by=analyst)[1].read_bytes()
            for each in (whole, broken)
        ]
    assert results[0] == results[1]


@pytest.mark.usefixtures("small_chunks")
def test_cancelling_leaves_no_half_file_and_the_batch_says_what_was_done(
    world, analyst, monkeypatch, tmp_path
):
    batch = begun(world, analyst)
    ahead = batches._ahead

    def cancelled_after_the_first(plan, after):
        for number, chunk in enumerate(ahead(plan, after)):
            if number == 1:
                with world.scope():
                    cancel_batch(batch=get_visible_batch(analyst, batch.uid), by=analyst)
            yield chunk

    monkeypatch.setattr(batches, "_ahead", cancelled_after_the_first)
    claim = claimed(world, batch)
    with pytest.raises(JobStopped):
        score_batch(claim)

    with world.scope():
        release_job(claim=claim)
        batch = get_visible_batch(analyst, batch.uid)
        assert (batch.job.status, batch.result) == ("cancelled", None)
        assert (batch.lines_read, ScoredLine.objects.of(batch).count()) == (40, 40)
        assert [chunk.last_line for chunk in BatchChunk.objects.filter(batch=batch)] == [41]
        with pytest.raises(BatchUnfinished):
            result_of(batch=batch, by=analyst)
        with pytest.raises(JobNotChangeable):
            cancel_batch(batch=batch, by=analyst)
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".csv"]


def test_a_file_that_waits_is_cancelled_at_once(world, analyst):
    batch = begun(world, analyst, rows=3)
    with world.scope():
        cancel_batch(batch=get_visible_batch(analyst, batch.uid), by=analyst)

        assert get_visible_batch(analyst, batch.uid).job.status == "cancelled"
        assert claim_job(uid=batch.job.uid) is None


def test_a_line_is_never_stored_twice(world, analyst):
    with world.scope():
        batch = score_now(file_of([BODY]), analyst)
        line = ScoredLine.objects.of(batch).get()
        with pytest.raises(IntegrityError), transaction.atomic():
            line.save(force_insert=True)


@pytest.mark.parametrize("width", [14, 788, 2_000])
def test_a_line_of_many_variables_is_stored_whole(world, analyst, width):
    """A page of PostgreSQL holds some thousand numbers."""
    with world.scope():
        batch = score_now(file_of([BODY]), analyst)
        plan = batches.plan_of(batch)
        (chunk,) = chunks.scored_chunks(plan)
        (group,) = chunk.groups
        inputs = np.arange(width, dtype=float)[None, :]
        store_lines(batch=batch, numbers=np.array([9], np.uint32), model=0, inputs=inputs, lines=group.lines)

        first, stored = ScoredLine.objects.of(batch)
        assert (stored.line, stored.inputs) == (9, inputs[0].tolist())
        assert (stored.pd, stored.log_odds) == (first.pd, first.log_odds)


def test_an_agent_sees_the_files_he_sent_only(world, analyst):
    with world.scope():
        batch = score_now(file_of([BODY]), analyst)
        agent = world.actor(world.agent)

        assert agent.agency_ids is not None
        with pytest.raises(ObjectNotFound):
            get_visible_batch(agent, batch.uid)
        assert get_visible_batch(world.actor(world.auditor), batch.uid) == batch


def test_whose_line_it_is_stays_with_the_score(world, page, analyst):
    """Read and kept in the order of the lines, blank and refused ones too."""
    who = ["C-7", "<b>C-8</b>\x07", "C-9"]
    rows = [{"Référence client": each, **BODY} for each in who]
    rows[1]["age"] = 17
    content = file_of(rows, headers=("Référence client", *PREDICT_VARIABLES)).read().decode()
    lines = content.splitlines()
    sent = SimpleUploadedFile("qui.csv", "\n".join([*lines[:3], "", lines[3]]).encode())
    with world.scope():
        batch = score_now(sent, analyst)
        chunk = BatchChunk.objects.get(batch=batch)
        scored = list(ScoredLine.objects.of(batch))
        told = [client_reference_of(each.uid) for each in scored]

    assert chunk.client_references == ["C-7", "<b>C-8</b>", "", "C-9"]
    assert told == ["C-7", "C-9"]
    assert "C-9" in page(world.analyst).get(f"/scores/{scored[1].uid}").content.decode()


def test_a_file_that_does_not_say_whose_lines_they_are_keeps_nothing(world, analyst):
    with world.scope():
        batch = score_now(file_of([BODY]), analyst)
        line = ScoredLine.objects.of(batch).get()
        assert BatchChunk.objects.get(batch=batch).client_references is None
        assert client_reference_of(line.uid) == ""


def test_another_institution_is_not_told_whose_line_it_is(world, analyst):
    with world.scope():
        rows = [{"client_reference": "C-7", **BODY}]
        batch = score_now(file_of(rows, headers=("client_reference", *PREDICT_VARIABLES)), analyst)
        uid = ScoredLine.objects.of(batch).get().uid
        assert client_reference_of(uid) == "C-7"
    with world.scope("ngwa"):
        assert client_reference_of(uid) == ""
