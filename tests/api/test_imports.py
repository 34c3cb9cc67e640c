"""imports: the whole way of a file by the partner API."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.credits import tasks
from apps.credits.importing.jobs import check_rows, import_rows, undo_rows
from apps.credits.importing.registry import TARGETS
from apps.credits.importing.templates import KINDS
from apps.credits.models import Client, Credit, ImportRun
from apps.jobs.services import claim_job, finish_job
from tests.statements import own_statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]
LINES = "reference;nom;date de naissance;revenu\nA-1;Abena;1980-01-31;250 000\nA-2;Biya;31/02/1980;1\n"


@pytest.fixture(autouse=True)
def told(monkeypatch):
    """Return the messages that were sent to workers."""
    found = []
    for name in ("check_import", "write_import", "undo_import"):
        monkeypatch.setattr(
            getattr(tasks, name),
            "apply_async",
            lambda args, name=name, **_more: found.append((name, args[0])),
        )
    return found


def sent(client, text=LINES, **more):
    upload = SimpleUploadedFile("clients.csv", text.encode())
    return client.post("/api/v1/imports", {"file": upload, "target": "clients", **more})


def step(client, uid, name, body=None):
    return client.post(
        f"/api/v1/imports/{uid}/{name}", json.dumps(body or {}), content_type="application/json"
    )


def work_done(world, uid, work):
    with world.scope():
        claim = claim_job(uid=ImportRun.objects.select_related("job").get(uid=uid).job.uid)
    result = work(claim)
    with world.scope():
        finish_job(claim=claim, result=result)


def test_a_file_is_sent_checked_confirmed_and_undone(world, api, told, django_capture_on_commit_callbacks):
    with world.scope():
        agency = Client.objects.select_related("agency").first().agency.code
    text = LINES.replace("\n", f";{agency}\n").replace(f";{agency}", ";agence", 1)
    client = api(world.analyst)
    answer = sent(client, text)
    body = answer.json()
    uid = body["id"]
    assert (answer.status_code, body["status"], body["rows_total"]) == (201, "settling", 2)
    assert answer["Location"] == f"/api/v1/imports/{uid}"

    proposal = client.get(f"/api/v1/imports/{uid}/proposal").json()
    assert [each["field"] for each in proposal["columns"]] == [
        "reference", "last_name", "birth_date", "monthly_income_xaf", "agency",
    ]  # fmt: skip
    assert proposal["lines"][0][:2] == ["A-1", "Abena"]

    with django_capture_on_commit_callbacks(execute=True):
        answer = step(client, uid, "check")
    assert (answer.status_code, answer.json()["status"]) == (202, "checking")
    assert [name for name, _job in told] == ["check_import"]
    work_done(world, uid, check_rows)
    body = client.get(f"/api/v1/imports/{uid}").json()
    assert body["status"] == "checked"
    assert body["counts"] == {
        "read": 2, "new": 1, "updated": 0, "unchanged": 0, "duplicate": 0, "rejected": 1,
    }  # fmt: skip
    (problem,) = body["problems"]
    assert (problem["line"], problem["column"], problem["value"]) == (3, "date de naissance", "31/02/1980")

    refused = step(client, uid, "confirm", {"mode": "all"})
    assert (refused.status_code, refused.json()["code"]) == (409, "rows_refused")
    assert step(client, uid, "confirm", {"mode": "valid"}).status_code == 202
    work_done(world, uid, import_rows)
    with world.scope():
        assert Client.objects.get(reference="A-1").monthly_income_xaf == 250_000
    rejects = b"".join(client.get(f"/api/v1/imports/{uid}/rejects").streaming_content).decode()
    assert rejects.splitlines()[0] == "reference;nom;date de naissance;revenu;agence;erreur"
    problems = client.get(f"/api/v1/imports/{uid}/problems")
    assert b"31/02/1980" in b"".join(problems.streaming_content)

    assert step(client, uid, "undo").status_code == 202
    work_done(world, uid, undo_rows)
    assert client.get(f"/api/v1/imports/{uid}").json()["status"] == "undone"
    with world.scope():
        assert not Client.objects.filter(reference="A-1").exists()


def test_one_value_for_all_the_rows_is_told_by_the_caller(world, api):
    client = api(world.analyst)
    with world.scope():
        reference = Credit.objects.order_by("pk")[0].reference
    text = f"credit_reference;encours;jours de retard\n{reference};1000;0\n"
    uid = sent(client, text, target="statements").json()["id"]
    fields = client.get(f"/api/v1/imports/{uid}/proposal").json()["fields"]
    assert [each["name"] for each in fields if each["common"]] == ["date"]

    assert set(step(client, uid, "check").json()["fields"]) == {"date"}
    wrong = step(client, uid, "check", {"common": {"date": "32/10/2026", "inconnu": "1"}})
    assert (wrong.status_code, set(wrong.json()["fields"])) == (422, {"date", "inconnu"})
    answer = step(client, uid, "check", {"common": {"date": "31/10/2026"}})
    assert (answer.status_code, answer.json()["common"]) == (202, {"date": "31/10/2026"})
    work_done(world, uid, check_rows)
    assert client.get(f"/api/v1/imports/{uid}").json()["counts"]["rejected"] == 0


def test_columns_and_reading_are_settled_by_the_caller(world, api):
    client = api(world.analyst)
    text = "x,y,z\nA-1,Abena,01/02/1980\n"
    uid = sent(client, text).json()["id"]
    missing = step(client, uid, "check")
    assert (missing.status_code, set(missing.json()["fields"])) == (
        422, {"reference", "last_name", "birth_date"},
    )  # fmt: skip
    columns = [{"header": "x", "field": "reference"}, {"header": "y", "field": "last_name"}]
    columns.append({"header": "z", "field": "birth_date"})
    wish = {"reading": {"day_first": False}, "columns": columns}
    assert step(client, uid, "check", wish).status_code == 202
    with world.scope():
        run = ImportRun.objects.get(uid=uid)
        assert run.dialect["day_first"] is False
        assert [each["field"] for each in run.mapping] == ["reference", "last_name", "birth_date"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"columns": [{"header": "reference", "field": "nothing"}]}, "columns"),
        ({"columns": [{"header": "nowhere", "field": "reference"}]}, "columns"),
        ({"reading": {"encoding": "klingon"}}, "reading"),
        ({"other": 1}, "other"),
    ],
)
def test_what_cannot_be_settled_is_a_422(world, api, body, field):
    client = api(world.analyst)
    answer = step(client, sent(client).json()["id"], "check", body)
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.json()["fields"])


def test_what_is_not_at_its_step_is_a_409(world, api):
    client = api(world.analyst)
    uid = sent(client).json()["id"]
    for name, body in (("confirm", {"mode": "valid"}), ("cancel", {}), ("undo", {})):
        answer = step(client, uid, name, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "moved"), name
    assert client.get(f"/api/v1/imports/{uid}/rejects").status_code == 404


def test_a_check_that_waits_is_cancelled(world, api):
    client = api(world.analyst)
    uid = sent(client).json()["id"]
    step(client, uid, "check")
    assert step(client, uid, "cancel").json()["status"] == "stopped"


@pytest.mark.parametrize(("target", "text"), [("nothing", LINES), ("clients", "")])
def test_what_cannot_be_imported_is_refused(world, api, target, text):
    assert sent(api(world.analyst), text, target=target).status_code in {400, 422}
    with world.scope():
        assert not ImportRun.objects.filter(source__original_name="clients.csv").exists()


def test_who_may_not_import_is_refused(world, api):
    assert sent(api(world.agent)).status_code == 403
    assert api(world.agent).get("/api/v1/imports").status_code == 403


def test_the_list_shows_imports_of_the_institution_in_few_statements(world, api):
    client = api(world.analyst)
    for _ in range(3):
        sent(client)
    with own_statements() as statements:
        answer = client.get("/api/v1/imports?target=clients&limit=2")
    names = [line["file"] for line in answer.json()["results"]]
    assert names == ["clients.csv", "clients.csv"]
    assert answer.json()["next_cursor"]
    assert len(statements) <= 6
    assert client.get("/api/v1/imports?target=external_credits").json()["results"] == []


@pytest.mark.parametrize(("kind", "media"), KINDS.items())
def test_a_template_is_given_for_every_target(world, api, kind, media):
    client = api(world.analyst)
    for target in TARGETS:
        answer = client.get(f"/api/v1/imports/templates/{target.name}", {"kind": kind})
        assert (answer.status_code, answer["Content-Type"]) == (200, media)
        assert f'_{target.name}.{kind}"' in answer["Content-Disposition"]
        assert len(b"".join(answer.streaming_content)) < 16_000


def test_no_template_of_what_is_not_imported_nor_in_another_form(world, api):
    client = api(world.analyst)
    assert client.get("/api/v1/imports/templates/predictions").status_code == 404
    assert client.get("/api/v1/imports/templates/clients", {"kind": "pdf"}).status_code == 422
    assert api(world.auditor).get("/api/v1/imports/templates/clients").status_code == 403
