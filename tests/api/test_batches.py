"""predict_file, predict_file_download and batches: the contract, literally."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.api.v1.batches import views
from apps.jobs.services import claim_job, fail_job, finish_job
from apps.outbox.models import OutboxMessage, Webhook
from apps.scoring.models import ScoredLine, ScoringBatch
from apps.scoring.services.batches import score_batch
from tests.predict import BODY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Return the messages that were sent to workers."""
    found = []
    monkeypatch.setattr(views.score_file, "apply_async", lambda args, **more: found.append((args, more)))
    return found


def file_of(*bodies, name="portefeuille.csv"):
    lines = [",".join(BODY), *(",".join(str(body.get(each, "")) for each in BODY) for body in bodies)]
    return SimpleUploadedFile(name, "\n".join(lines).encode(), content_type="text/csv")


def post(client, path, upload, **more):
    headers = more.pop("headers", {})
    return client.post(f"/api/v1/{path}", {"file": upload, **more}, headers=headers)


def test_a_small_file_is_answered_line_by_line_as_predict_answers(api, world):
    client = api(world.analyst)
    alone = client.post("/api/v1/predict", json.dumps(BODY), content_type="application/json").json()

    answer = post(client, "predict_file", file_of(BODY, {**BODY, "age": 17}))
    body = answer.json()

    assert answer.status_code == 200
    assert set(body) == {"id", "lignes", "rejets", "resume"}
    (line,) = body["lignes"]
    for name in (
        "prediction", "probabilite_defaut", "seuil_utilise", "niveau_risque", "score", "classe",
        "recommandation", "perte_attendue", "facteurs", "avertissements",
    ):  # fmt: skip
        assert line[name] == alone[name], name
    assert line["ligne"] == 2
    assert body["rejets"] == [
        {
            "ligne": 3,
            "motifs": [
                {
                    "colonne": "age",
                    "valeur": "17",
                    "code": "out_of_range",
                    "detail": "L'âge doit être compris entre 18 et 80 ans.",
                }
            ],
        }
    ]
    resume = body["resume"]
    assert (resume["lignes_lues"], resume["lignes_scorees"], resume["rejets"]) == (2, 1, 1)
    assert resume["probabilite_moyenne"] == pytest.approx(alone["probabilite_defaut"], abs=1e-15)
    read = client.get(f"/api/v1/predictions/{line['id']}").json()
    assert read["probabilite_defaut"] == alone["probabilite_defaut"]
    assert read["regles"] == alone["regles"]
    replay = client.post(f"/api/v1/predictions/{line['id']}/replay")
    assert replay.json()["identique"] is True


def test_the_same_file_comes_back_as_an_attachment(api, world):
    answer = post(api(world.analyst), "predict_file_download", file_of(BODY, BODY))

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="scoring_portefeuille.csv"'
    assert answer["Content-Type"].startswith("text/csv")
    assert list(rows[0])[:17] == [*BODY, "probabilite_defaut", "prediction_defaut"]
    assert len(rows) == 2


def test_a_large_file_is_followed_then_fetched(api, world, asked, django_capture_on_commit_callbacks):
    client = api(world.analyst)
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(client, "predict_file", file_of(*[BODY] * 2_001))
    body = answer.json()

    assert answer.status_code == 202
    assert answer["Location"] == body["links"]["self"]
    assert (body["status"], body["pourcentage"], body["lignes_total"]) == ("queued", 0, 2_001)
    with world.scope():
        batch = ScoringBatch.objects.get(uid=body["id"])
        claim = claim_job(uid=batch.job.uid)
    assert asked == [([str(batch.job.uid)], {"institution_id": batch.institution_id})]
    early = client.get(body["links"]["result"])
    assert (early.status_code, early.json()["code"]) == (409, "unfinished")

    result = score_batch(claim)
    with world.scope():
        finish_job(claim=claim, result=result)
    after = client.get(body["links"]["self"]).json()
    assert (after["status"], after["lignes_lues"], after["lignes_scorees"], after["rejets"]) == (
        "done", 2_001, 2_001, 0,
    )  # fmt: skip
    assert after["pourcentage"] == 100
    fetched = client.get(body["links"]["result"], headers={"Accept": "text/csv"})
    assert len(b"".join(fetched.streaming_content).splitlines()) == 2_002
    assert client.post(body["links"]["cancel"]).status_code == 409


def test_a_file_that_waits_is_cancelled(api, world):
    client = api(world.analyst)
    links = post(client, "predict_file", file_of(*[BODY] * 2_001)).json()["links"]

    answer = client.post(links["cancel"])
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert client.get(links["result"]).status_code == 409


def test_the_files_of_an_institution_are_unknown_to_another(api, world):
    links = post(api(world.analyst), "predict_file", file_of(*[BODY] * 2_001)).json()["links"]
    outsider = api(world.outsider)

    assert outsider.get(links["self"]).status_code == 404
    assert outsider.get(links["result"]).status_code == 404
    assert outsider.post(links["cancel"]).status_code == 404


def test_french_excel_on_request(api, world):
    answer = post(api(world.analyst), "predict_file_download", file_of(BODY), format="excel")

    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbfage;sexe;")


def test_the_same_key_scores_once(api, world):
    client, headers = api(world.analyst), {"Idempotency-Key": "file-1"}
    first = post(client, "predict_file", file_of(BODY), headers=headers)
    second = post(client, "predict_file", file_of(BODY), headers=headers)
    other = post(client, "predict_file", file_of(BODY, BODY), headers=headers)

    assert first.json() == second.json()
    assert other.status_code == 409
    with world.scope():
        assert ScoringBatch.objects.filter(source__original_name="portefeuille.csv").count() == 1


def test_webhooks_hear_of_a_finished_file(api, world):
    with world.scope():
        Webhook.objects.update(events=["batch.finished"])
    body = post(api(world.analyst), "predict_file", file_of(BODY)).json()

    with world.scope():
        told = OutboxMessage.objects.filter(kind="webhook").order_by("-id").first()
        assert (told.payload["event"], told.payload["object"]) == ("batch.finished", body["id"])


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "file_empty"), (b"age,montant_credit\n", "no_rows"), (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", None)],
)
def test_what_is_no_table_is_refused_and_nothing_is_stored(api, world, tmp_path, content, code):
    answer = post(api(world.analyst), "predict_file", SimpleUploadedFile("a.csv", content))

    assert answer.status_code == 422 if content else answer.status_code in {400, 422}
    if code and content:
        assert answer.json()["code"] == code
    with world.scope():
        assert not ScoredLine.objects.filter(uid__isnull=False).count() > 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_missing_column_names_the_variable(api, world):
    upload = SimpleUploadedFile("a.csv", b"age,sexe\n30,F\n")
    answer = post(api(world.analyst), "predict_file", upload)

    assert answer.status_code == 422
    assert "montant_credit" in answer.json()["fields"]


def test_the_right_type_and_role_are_needed(api, world):
    wrong = api(world.analyst).post("/api/v1/predict_file", "{}", content_type="application/json")
    assert wrong.status_code == 415
    assert post(api(world.agent), "predict_file", file_of(BODY)).status_code == 403
    assert post(api(None), "predict_file", file_of(BODY)).status_code == 401
    assert post(api(world.analyst), "predict_file", "text").status_code in {400, 422}


def test_the_eleventh_file_of_a_minute_waits(api, world):
    client = api(world.analyst)
    answers = [post(client, "predict_file", file_of(BODY)).status_code for _ in range(11)]

    assert answers[:9] == [200] * 9
    assert 429 in answers or answers[10] == 200  # the window may have turned meanwhile


def test_a_scoring_that_failed_is_tried_again_by_who_sent_it(
    api, world, asked, django_capture_on_commit_callbacks
):
    links = post(api(world.analyst), "predict_file", file_of(*[BODY] * 2_001)).json()["links"]
    with world.scope():
        batch = ScoringBatch.objects.latest("pk")
        fail_job(claim=claim_job(uid=batch.job.uid), error="OSError", again=False)
    asked.clear()

    with django_capture_on_commit_callbacks(execute=True):
        other = api(world.risk_manager).post(links["retry"])
        answer = api(world.analyst).post(links["retry"])
    again = api(world.analyst).post(links["retry"])

    assert (other.status_code, other.json()["code"]) == (403, "not_allowed")
    assert (answer.status_code, answer.json()["status"], answer.json()["erreur"]) == (200, "queued", "")
    assert asked == [([str(batch.job.uid)], {"institution_id": batch.institution_id})]
    assert (again.status_code, again.json()["code"]) == (409, "job_not_changeable")
    assert api(world.outsider).post(links["retry"]).status_code == 404
