"""`reports`: asked for, followed, downloaded; a token reads what its person may read."""

import json

import pytest

from apps.api.v1.reports import views
from apps.audit.models import AuditEntry
from apps.jobs.services import claim_job, finish_job
from apps.reports.models import Report
from apps.reports.services.making import make_report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]
PATH = "/api/v1/reports"
WISH = {"kind": "activite", "format": "csv", "from": "2026-11-01", "to": "2026-11-21"}


@pytest.fixture
def sent(monkeypatch):
    asked = []
    monkeypatch.setattr(views.write_report, "apply_async", lambda args, **_more: asked.append(args[0]))
    return asked


def post(client, **wish):
    return client.post(PATH, json.dumps({**WISH, **wish}), content_type="application/json")


def test_a_report_is_asked_for_followed_and_downloaded(world, api, sent, django_capture_on_commit_callbacks):
    client = api(world.risk_manager)
    with django_capture_on_commit_callbacks(execute=True):
        asked = post(client)
    body = asked.json()

    assert asked.status_code == 202
    assert asked["Location"] == body["links"]["self"] == f"{PATH}/{body['id']}"
    assert (body["kind"], body["format"], body["language"], body["status"]) == (
        "activite",
        "csv",
        "fr",
        "queued",
    )
    assert (body["from"], body["to"], body["agency"], body["subject"]) == (
        "2026-11-01",
        "2026-11-21",
        None,
        None,
    )
    early = client.get(body["links"]["file"])
    assert (early.status_code, early.json()["code"]) == (409, "unfinished")

    with world.scope():
        claim = claim_job(uid=sent[0])
        finish_job(claim=claim, result=make_report(claim))
    done = client.get(body["links"]["self"]).json()
    file = client.get(body["links"]["file"])

    assert (done["status"], done["progress"]) == ("done", 100)
    assert len(done["contents_sha256"]) == 64
    assert b"".join(file.streaming_content).startswith(b"\xef\xbb\xbf")
    assert [row["id"] for row in client.get(PATH).json()["results"]] == [body["id"]]
    assert client.get(PATH, {"kind": "audit"}).json()["results"] == []
    with world.scope():
        told = AuditEntry.objects.filter(object_uid=body["id"]).values_list("action", flat=True)
        assert sorted(told) == ["report.ask", "report.download"]


def test_a_report_is_its_askers_alone(world, api):
    with world.scope():
        report = Report.objects.get(requested_by=world.user(world.analyst))

    assert api(world.analyst).get(f"{PATH}/{report.uid}").status_code == 200
    for person in (world.risk_manager, world.outsider):
        assert api(person).get(f"{PATH}/{report.uid}").status_code == 404
        assert api(person).get(f"{PATH}/{report.uid}/file").status_code == 404


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"kind": "audit"}, 403, "not_allowed"),
        ({"to": "2026-10-01"}, 422, "invalid_values"),
        ({"from": "1999-01-01"}, 422, "invalid_values"),
        ({"kind": "fiche-client"}, 404, "not_found"),
        ({"kind": "fiche-client", "subject": "00000000-0000-4000-8000-000000000000"}, 404, "not_found"),
        ({"agency": "00000000-0000-4000-8000-000000000000"}, 404, "not_found"),
        ({"format": "docx"}, 422, "invalid_values"),
        ({"beside": 1}, 422, "invalid_values"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(world, api, sent, wish, status, code):
    answer = post(api(world.risk_manager), **wish)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sent == []
