"""The auditor's pages: who may read them, filters, pages, one entry, integrity, the file."""

import csv
import io
import re

import pytest
from django.db import connections
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.audit.queries import institution_trail
from apps.audit.services import record, seal_trail
from apps.scoring.models import Prediction
from apps.tenancy.cells import harmless
from apps.web.audit.presenters import action_labels
from tests.architecture.test_imports import APPS

pytestmark = pytest.mark.django_db


def write(world, count, **values):
    actor = world.actor(world.analyst)
    with world.scope():
        return [record(by=actor, action="test.page", after={"n": n}, **values) for n in range(count)]


def uids_on(answer):
    return re.findall(r'href="/audit/([0-9a-f-]{36})"', answer.content.decode())


@pytest.mark.parametrize("path", ["/audit", "/audit/export", "/audit/integrite"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("auditeur", 200), ("dpo", 200), ("admin", 200), ("analyste", 403), ("agent", 403), ("risques", 403)],
)
def test_only_those_who_hold_the_verb_read_the_trail(page, path, who, status):
    answer = page(f"{who}@horizon.demo").get(path)

    assert answer.status_code == status


@pytest.mark.parametrize(("who", "shown"), [("auditeur", True), ("analyste", False)])
def test_the_menu_shows_it_to_them(page, who, shown):
    assert ('href="/audit"' in page(f"{who}@horizon.demo").get("/").content.decode()) is shown


def test_pages_follow_each_other_without_loss_and_keep_the_filter(page, world):
    written = [str(entry.uid) for entry in write(world, 60)]
    client, url, seen = page(world.auditor), "/audit?actor=a&object_type=", []

    while url:
        answer = client.get(url)
        seen += uids_on(answer)
        following = answer.context["next_url"]
        url = f"/audit{following}" if following and len(seen) < 75 else None
        assert following is None or "actor=a" in following

    assert set(written) <= set(seen)
    assert len(seen) == len(set(seen))
    back = client.get(f"/audit{answer.context['previous_url']}")
    assert uids_on(back) == seen[25:50]


def test_filters_narrow_the_list(page, world):
    with world.scope():
        agent, analyst = world.actor(world.agent), world.actor(world.analyst)
        score = Prediction.objects.first()
        mine = record(by=agent, action="prediction.read", target=score)
        other = record(by=analyst, action="prediction.replay", target=score)
    client = page(world.auditor)
    today = f"{timezone.localtime(mine.at):%Y-%m-%d}"

    def found(query):
        return uids_on(client.get(f"/audit?{query}"))

    assert found(f"actor={agent.display_name}")[0] == str(mine.uid)
    assert str(other.uid) not in found(f"actor={agent.display_name}")
    assert found("action=prediction.replay")[0] == str(other.uid)
    assert str(mine.uid) in found("object_type=scoring.prediction")
    assert found("object_type=credits.client&action=prediction.read") == []
    assert str(mine.uid) in found(f"date_from={today}&date_to={today}")
    assert found("date_from=2099-01-01") == []
    assert found("date_to=2001-01-01") == []


@pytest.mark.parametrize(
    "query", ["date_from=hier", "date_from=2026-02-01&date_to=2026-01-01", "action=nope"]
)
def test_a_filter_that_means_nothing_is_told(page, world, query):
    answer = page(world.auditor).get(f"/audit?{query}")

    assert answer.status_code == 422
    assert uids_on(answer) == []


def test_an_entry_shows_before_after_origin_and_seal(page, world):
    with world.scope():
        entry = record(
            by=world.actor(world.analyst), action="test.page", before={"taux": 10}, after={"taux": 12}
        )
    client = page(world.auditor)

    waiting = client.get(f"/audit/{entry.uid}").context["entry"]
    with world.scope():
        seal_trail(institution_trail())
    sealed = client.get(f"/audit/{entry.uid}").context["entry"]

    assert [(line.name, line.before, line.after) for line in sealed.changes] == [("taux", "10", "12")]
    assert (waiting.seal_position, waiting.intact) == (None, True)
    assert sealed.seal_position > 0
    assert sealed.intact


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_a_changed_entry_says_so_on_its_page_and_on_the_check(page, world):
    entry = write(world, 1)[0]
    with world.scope():
        seal_trail(institution_trail())
    client = page(world.auditor)
    assert client.get("/audit/integrite").context["count"] == 0
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE audit_auditentry SET address = '10.9.9.9' WHERE id = %s", [entry.pk])

    assert not client.get(f"/audit/{entry.uid}").context["entry"].intact
    assert client.get("/audit/integrite").context["count"] == 1


def rows_of(answer):
    text = answer.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_the_file_holds_what_the_filter_shows_and_is_itself_recorded(page, world):
    write(world, 3)
    with world.scope():
        record(by=world.actor(world.analyst), action="setting.set", after={"x": "=1+1"})

    answer = page(world.auditor).get("/audit/export?action=setting.set")

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer["Content-Disposition"]
    header, *rows = rows_of(answer)
    assert len(header) == 10
    assert {row[3] for row in rows} == {"setting.set"}
    with world.scope():
        written = AuditEntry.objects.get(action="audit.export")
    assert written.after == {"rows": len(rows), "filters": {"action": "setting.set"}}


@pytest.mark.parametrize(
    "cell", ["=1+1", "+33", "-2", "@SUM(A1)", "\tx", "\r=1", " =1", '=HYPERLINK("http://x")']
)
def test_a_cell_is_never_a_formula(page, world, cell):
    assert harmless(cell) == f"'{cell}"
    with world.scope():
        AuditEntry.objects.create(actor_kind="user", actor_name=cell.strip("\r\t"), action="test.page")

    rows = rows_of(page(world.auditor).get("/audit/export"))

    assert not [each for row in rows for each in row if each.lstrip(" ")[:1] in {"=", "+", "-", "@"}]


def test_ordinary_cells_are_left_alone():
    assert harmless("Ngo Bassa") == "Ngo Bassa"
    assert harmless("") == ""


def test_too_long_a_file_is_refused_with_a_word(page, world, monkeypatch):
    monkeypatch.setattr("apps.web.audit.views.EXPORT_LIMIT", 1)
    write(world, 2)

    answer = page(world.auditor).get("/audit/export?actor=a")

    assert (answer.status_code, answer["Location"]) == (302, "/audit?actor=a")


def test_a_file_of_one_institution_holds_nothing_of_the_other(page, world):
    entry = write(world, 1)[0]

    body = page("auditeur@ngwa.demo").get("/audit/export").content.decode()

    assert world.actor(world.analyst).display_name not in body
    assert entry.request_id == "" or entry.request_id not in body


def test_each_showing_of_a_score_is_one_entry(page, api, world):
    with world.scope():
        uid = Prediction.objects.exclude(client=None).first().uid

    shown = page(world.auditor).get(f"/scores/{uid}", REMOTE_ADDR="10.1.2.3")
    told = api(world.auditor).get(f"/api/v1/predictions/{uid}")

    with world.scope():
        reads = list(AuditEntry.objects.filter(action="prediction.read").order_by("pk"))
    assert [read.object_uid for read in reads] == [uid, uid]
    assert [read.request_id for read in reads] == [shown["X-Request-Id"], told["X-Request-Id"]]
    assert reads[0].address == "10.1.2.3"
    assert reads[0].actor_id == world.user(world.auditor).pk


def test_an_unknown_score_is_not_a_reading(page, world):
    page(world.auditor).get("/scores/00000000-0000-4000-8000-000000000000")

    with world.scope():
        assert not AuditEntry.objects.filter(action="prediction.read").exists()


def test_every_action_written_has_words():
    call = re.compile(r"""\brecord\([^)]*?action="([a-z_]+\.[a-z_]+)\"""", re.DOTALL)
    written = {action for file in APPS.rglob("*.py") for action in call.findall(file.read_text())}

    assert written
    assert written - action_labels().keys() == set()


def test_the_list_never_skips_rows_by_counting_them(page, world, django_assert_max_num_queries):
    write(world, 30)
    client = page(world.auditor)

    with django_assert_max_num_queries(14) as captured:
        client.get("/audit")

    reads = [query["sql"] for query in captured.captured_queries if "audit_auditentry" in query["sql"]]
    assert reads
    assert not [sql for sql in reads if "OFFSET" in sql]
