"""The page « Scoring par lot »: send, check, follow, download, stop; without JavaScript."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from apps.files.services import path_of
from apps.jobs.models import Job
from apps.jobs.services import claim_job, fail_job
from apps.scoring.models import ScoringBatch
from apps.scoring.services.batches import receive_batch, score_at_once, score_batch
from apps.web.batches import views
from tests.predict import BODY
from tests.statements import own_statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

LIST = "/scoring-par-lot"


def file_of(rows=3, name="portefeuille.csv", **changed):
    body = {**BODY, **changed}
    lines = [",".join(body), *[",".join(map(str, body.values()))] * rows]
    return SimpleUploadedFile(name, "\n".join(lines).encode(), content_type="text/csv")


def sent(client, upload=None):
    answer = client.post(LIST, {"file": upload or file_of()})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def chosen(html):
    """Return what the mapping form would send as it is shown."""
    values = {"output": "source"}
    for name, options in re.findall(r'<select name="(column-\d+)"(.*?)</select>', html, re.DOTALL):
        found = re.search(r'<option value="([^"]*)"\s+selected', options)
        values[name] = found[1] if found else ""
    return values


def test_a_file_is_sent_checked_scored_and_downloaded(
    world, page, django_capture_on_commit_callbacks, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        "apps.web.batches.views.score_file.apply_async", lambda args, **more: asked.append((args, more))
    )
    client = page(world.analyst)
    prepare = sent(client)
    shown = client.get(prepare).content.decode()
    assert "Indépendant" in shown
    assert "22.0" in shown

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(prepare, chosen(shown))
    assert answer.status_code == 302, answer.content.decode()
    with world.scope():
        batch = ScoringBatch.objects.order_by("-id").first()
        claim = claim_job(uid=batch.job.uid)
    assert asked == [([str(batch.job.uid)], {"institution_id": batch.institution_id})]
    waiting = client.get(answer.url).content.decode()
    assert 'hx-trigger="load delay:1s"' in waiting
    assert "<noscript>" in waiting

    score_batch(claim)
    with world.scope():
        Job.objects.filter(pk=batch.job.pk).update(status="done", claim=None, heartbeat_at=None, progress=100)
    done = client.get(answer.url).content.decode()
    assert f"{answer.url}/resultat" in done
    assert "hx-trigger" not in done.split("<main")[1].split("</main>")[0]
    result = client.get(f"{answer.url}/resultat")
    content = b"".join(result.streaming_content).decode()
    assert result["Content-Disposition"] == 'attachment; filename="scoring_portefeuille.csv"'
    assert len(content.splitlines()) == 4


def test_the_progress_alone_answers_the_page_that_asks_again(world, page):
    with world.scope():
        batch = receive_batch(upload=file_of(), by=world.actor(world.analyst))
    answer = page(world.analyst).get(f"{LIST}/{batch.uid}", headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<div class="progress"')


def test_the_end_brings_the_whole_page(world, page):
    with world.scope():
        batch = receive_batch(upload=file_of(), by=world.actor(world.analyst))
        score_at_once(batch=batch)
    answer = page(world.analyst).get(f"{LIST}/{batch.uid}", headers={"HX-Request": "true"})

    assert answer["HX-Refresh"] == "true"


def test_a_column_that_every_line_needs_must_be_told(world, page):
    client = page(world.analyst)
    prepare = sent(client)
    values = chosen(client.get(prepare).content.decode())
    place = next(name for name, field in values.items() if field == "montant_credit")

    answer = client.post(prepare, {**values, place: ""})
    assert answer.status_code == 422
    again = client.post(prepare, {**values, place: "age"})
    assert again.status_code == 422
    with world.scope():
        assert not ScoringBatch.objects.filter(source__original_name="portefeuille.csv").exists()


def test_a_unit_that_looks_wrong_is_asked_about(world, page):
    client = page(world.analyst)
    prepare = sent(client, file_of(rows=30, revenu_mensuel=6_000_000))
    shown = client.get(prepare).content.decode()
    question = re.search(r'name="(unit-\d+)"', shown)
    assert question, shown
    values = chosen(shown)

    assert client.post(prepare, values).status_code == 422
    assert client.post(prepare, {**values, question[1]: "yes"}).status_code == 302
    with world.scope():
        batch = ScoringBatch.objects.order_by("-id").first()
        kept = {each["field"]: each["conversion"] for each in batch.mapping}
    assert kept["revenu_mensuel"] == "annual_to_monthly"


def test_how_the_file_is_read_can_be_corrected(world, page):
    client = page(world.analyst)
    prepare = sent(client)

    read_again = client.get(f"{prepare}?header_line=2").content.decode()
    assert '<th scope="col">Indépendant</th>' in read_again
    wrong = client.get(f"{prepare}?header_line=99", follow=True)
    assert wrong.redirect_chain == [(prepare, 302)]


def test_what_is_no_table_is_refused_with_a_reason(world, page):
    client = page(world.analyst)
    pdf = SimpleUploadedFile("credits.csv", b"%PDF-1.7 \x00\x01", content_type="text/csv")

    answer = client.post(LIST, {"file": pdf})
    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()
    assert client.post(LIST, {}).status_code == 422


def test_a_file_that_waits_can_be_stopped(world, page):
    with world.scope():
        batch = receive_batch(upload=file_of(), by=world.actor(world.analyst))
    client = page(world.analyst)

    answer = client.post(f"{LIST}/{batch.uid}/annuler", follow=True)
    assert "/annuler" not in answer.content.decode()
    with world.scope():
        assert Job.objects.get(pk=batch.job.pk).status == "cancelled"
    again = client.get(f"{LIST}/{batch.uid}/resultat")
    assert again.status_code == 302


def test_the_history_asks_few_statements(world, page):
    with world.scope():
        for _ in range(4):
            score_at_once(batch=receive_batch(upload=file_of(rows=1), by=world.actor(world.analyst)))
    client = page(world.analyst)
    client.get(LIST)

    with own_statements() as statements:
        answer = client.get(LIST)
    assert answer.content.decode().count("row-link") == 5
    assert len(statements) <= 6


def test_an_agent_has_no_such_page(world, page):
    client = page(world.agent)

    assert client.get(LIST).status_code == 403
    assert LIST not in client.get("/").content.decode()


def failed(world, **options):
    """Return a file whose scoring failed after its first lines."""
    with world.scope():
        batch = receive_batch(upload=file_of(**options), by=world.actor(world.analyst))
        claim = claim_job(uid=batch.job.uid)
    with world.scope():
        fail_job(claim=claim, error="OSError", again=False)
    return batch


def test_a_scoring_that_failed_is_tried_again_by_who_sent_it(
    world, page, monkeypatch, django_capture_on_commit_callbacks
):
    messages = []
    monkeypatch.setattr(views.score_file, "apply_async", lambda args, **more: messages.append((args, more)))
    batch = failed(world)
    client = page(world.analyst)
    assert f"{LIST}/{batch.uid}/reprendre" in client.get(f"{LIST}/{batch.uid}").content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"{LIST}/{batch.uid}/reprendre")

    assert answer.url == f"{LIST}/{batch.uid}"
    assert messages == [([str(batch.job.uid)], {"institution_id": batch.institution_id})]
    with world.scope():
        score_batch(claim_job(uid=batch.job.uid))
        assert ScoringBatch.objects.get(pk=batch.pk).lines_scored == 3
    assert "/reprendre" not in client.get(f"{LIST}/{batch.uid}").content.decode()


def test_nobody_else_tries_it_again_nor_one_that_did_not_fail(world, page):
    batch = failed(world)
    other = page(world.risk_manager)
    assert "/reprendre" not in other.get(f"{LIST}/{batch.uid}").content.decode()
    other.post(f"{LIST}/{batch.uid}/reprendre")
    with world.scope():
        assert Job.objects.get(pk=batch.job.pk).status == "failed"
        waiting = receive_batch(upload=file_of(), by=world.actor(world.analyst))

    answer = page(world.analyst).post(f"{LIST}/{waiting.uid}/reprendre", follow=True)

    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    with world.scope():
        assert Job.objects.get(pk=waiting.job.pk).attempts == 0


def test_a_file_whose_time_is_over_is_sent_again(world, page):
    batch = failed(world)
    with world.scope():
        path_of(batch.source).unlink()

    answer = page(world.analyst).post(f"{LIST}/{batch.uid}/reprendre", follow=True)

    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    with world.scope():
        assert Job.objects.get(pk=batch.job.pk).status == "failed"


def test_another_sheet_and_another_order_of_days_are_chosen(world, page):
    book = Workbook()
    book.active.append(["notes"])
    book.active.append(["rien"])
    book.create_sheet("Demandes & co")
    book["Demandes & co"].append(list(BODY))
    book["Demandes & co"].append(list(BODY.values()))
    content = io.BytesIO()
    book.save(content)
    client = page(world.analyst)
    prepare = sent(client, SimpleUploadedFile("deux.xlsx", content.getvalue()))

    first = client.get(prepare).content.decode()
    other = client.get(prepare, {"sheet": "Demandes & co", "day_first": "False"})

    assert '<th scope="col">notes</th>' in first
    assert '<th scope="col">revenu_mensuel</th>' in other.content.decode()
    assert other.context["reading"].dialect().sheet == "Demandes & co"
    assert other.context["reading"].dialect().day_first is False
    assert (
        "revenu_mensuel"
        not in client.get(prepare, {"sheet": "Absente"})
        .content.decode()
        .split("<table")[1]
        .split("</table>")[0]
    )
