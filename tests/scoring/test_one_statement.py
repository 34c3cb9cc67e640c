"""A score by values: two statements or one, the same checks and the same rows as one statement a question."""

import datetime as dt
import json
from dataclasses import replace

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.institutions.models import Institution
from apps.outbox.models import OutboxMessage, Webhook
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import figures_of_policy, policy_on
from apps.scoring.services.direct import keep_direct, score_direct
from apps.scoring.terms import terms_of
from apps.tenancy.prepared import Call, insert
from apps.users.models import LoginSession, Membership, User
from tests.isolation.superuser import superuser_dsn
from tests.predict import BODY
from tests.scoring.proposing import put_in_force

pytestmark = pytest.mark.django_db
URL = "/api/v1/predict"
#: What a score by values and its entry have none of.
LEFT_EMPTY = {"id", "application_id", "client_id", "agency_id", "before"}


def predict(client, body=BODY, **headers):
    return client.post(URL, json.dumps(body), content_type="application/json", headers=headers)


def setting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.institution_id', true), '')")
        return cursor.fetchone()[0]


def columns(row):
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in ("id", "uid")
    }


def test_two_statements_and_one_for_who_was_here_a_moment_ago(api, world, monkeypatch):
    client = api(world.analyst)
    predict(client)
    monkeypatch.setattr("apps.api.direct._known", {})
    taken = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            assert predict(client).status_code == 201
        said = [query["sql"] for query in seen.captured_queries]
        names = [[name for name in ("users_api_opening", "scoring_store") if name in sql] for sql in said]
        taken.append(names)

    assert taken == [[["users_api_opening"], ["scoring_store"]], [["users_api_opening", "scoring_store"]]]


def test_the_row_and_its_entry_are_those_that_the_models_would_write(api, world):
    uid = predict(api(world.analyst)).json()["id"]

    with world.scope():
        stored = Prediction.objects.get(uid=uid)
        entry = AuditEntry.objects.get(object_uid=uid)
        twin = Prediction(**columns(stored))
        insert(twin)
        twin.refresh_from_db()
        assert columns(twin) == columns(stored)
        assert stored.author_id == world.user(world.analyst).pk
        assert stored.inputs["age"] == BODY["age"]
    assert (entry.action, entry.actor_id) == ("prediction.create", stored.author_id)
    assert (entry.object_type, entry.after) == ("scoring.prediction", {"source": "api"})
    assert len(entry.request_id) == 32


def test_the_function_names_every_column(world):
    """A column added to a table and not to the function would be stored empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('scoring_store'::regproc)")
        text = cursor.fetchone()[0]
    for model in (Prediction, AuditEntry):
        inserted = text.split(f"INSERT INTO {model._meta.db_table} (")[1].split(")")[0]
        named = {name.strip() for name in inserted.split(",")}
        assert named == {field.column for field in model._meta.concrete_fields} - LEFT_EMPTY


def test_terms_are_what_the_queries_say(world):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scoring_terms(%s, %s)", [world.institution_id("horizon"), timezone.localdate()]
        )
        terms = terms_of(cursor.fetchone()[0])
    with world.scope():
        assert terms.champion_for("scolaire") == champion_for("scolaire")
        assert terms.champion_for("").sha256 == champion_for().sha256
        assert (terms.policy, terms.policy.figures) == (policy_on(), policy_on().figures)
    assert terms.told is False


def test_a_function_leaves_the_institution_as_it_was(world):
    horizon, ngwa = world.institution_id("horizon"), world.institution_id("ngwa")
    call = "SELECT scoring_terms(%s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(call, [horizon, timezone.localdate()])
    assert setting() == ""
    with world.scope("ngwa"):
        with connection.cursor() as cursor:
            cursor.execute(call, [horizon, timezone.localdate()])
        assert setting() == str(ngwa)


def test_a_score_on_another_institutions_model_is_refused_by_the_database(world):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scoring_terms(%s, %s)", [world.institution_id("horizon"), timezone.localdate()]
        )
        score = score_direct(raw=BODY, terms=terms_of(cursor.fetchone()[0]))

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="tenant_fk"), transaction.atomic():
        keep_direct([(score, "a" * 32)], by=world.actor(world.outsider))


@pytest.mark.django_db(transaction=True)
def test_a_call_goes_on_where_nothing_stays_prepared(api, world):
    """A pooler may lend another connection of the server for each transaction."""
    client = api(world.analyst)
    call = Call("SELECT $1::text")
    assert call.row(["a"]) == ("a",)
    predict(client)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")

    assert (call.row(["b"]), call.row([None])) == (("b",), (None,))
    assert predict(client).status_code == 201


def dead(world, what):
    person = User.objects.filter(email=world.analyst)
    membership = Membership.objects.filter(user__email=world.analyst)
    changes = {
        "closed": lambda: LoginSession.objects.update(revoked_at=timezone.now()),
        "too old": lambda: LoginSession.objects.update(created_at=timezone.now() - dt.timedelta(days=1)),
        "a browser's": lambda: LoginSession.objects.update(kind="web"),
        "another role": lambda: membership.update(role="auditeur"),
        "no member": lambda: membership.update(is_active=False),
        "no person": lambda: person.update(is_active=False),
        "closed everywhere": lambda: person.update(auth_version=99),
        "moved": lambda: membership.update(institution_id=world.institution_id("ngwa")),
        "suspended": lambda: Institution.objects.filter(code="horizon").update(status="suspended"),
    }
    changes[what]()


@pytest.mark.parametrize(
    "what",
    [
        "closed", "too old", "a browser's", "another role", "no member", "no person", "closed everywhere",
        "moved", "suspended",
    ],
)  # fmt: skip
def test_a_session_that_is_over_scores_nothing(api, world, what):
    client = api(world.analyst)
    assert predict(client).status_code == 201
    with world.scope():
        before = Prediction.objects.count()

    dead(world, what)

    assert predict(client).status_code == 401
    assert client.get("/api/v1/features-names").status_code == 401
    with world.scope():
        assert Prediction.objects.count() == before


def test_a_fictional_institution_scores_in_demonstration_only(api, world, settings):
    client = api(world.analyst)
    settings.DEMO_MODE = False

    assert predict(client).status_code == 401


def test_a_new_policy_and_a_withdrawn_model_count_at_once(api, world):
    client = api(world.analyst)
    first = predict(client).json()
    with world.scope():
        put_in_force(world, replace(figures_of_policy(policy_on()), default_threshold=0.5, thresholds={}))
    second = predict(client).json()
    with world.scope():
        ModelVersion.objects.update(status="retired")

    assert (first["politique"]["version"], first["seuil_utilise"]) != (
        second["politique"]["version"],
        second["seuil_utilise"],
    )
    assert second["seuil_utilise"] == 0.5
    assert predict(client).status_code == 503


def test_a_webhook_that_listens_is_told(api, world):
    with world.scope():
        hook = Webhook.objects.create(url="https://example.com/x", events=["prediction.created"], secret="s")
        before = OutboxMessage.objects.count()

    uid = predict(api(world.analyst)).json()["id"]

    with world.scope():
        assert OutboxMessage.objects.count() == before + 1
        told = OutboxMessage.objects.order_by("pk").last().payload
        assert (told["webhook"], told["object"]) == (str(hook.uid), uid)
        assert Prediction.objects.filter(uid=uid).exists()
        assert AuditEntry.objects.filter(object_uid=uid, action="prediction.create").count() == 1


def test_an_agent_keeps_his_agencies(world, api):
    assert predict(api(world.agent)).status_code == 201
    with world.scope():
        theirs = Prediction.objects.exclude(client=None).exclude(
            agency_id__in=world.actor(world.agent).agency_ids
        )
        other = theirs.select_related("client").first().client

    answer = predict(api(world.agent), {**BODY, "client_id": str(other.uid)})

    assert answer.status_code == 404


def test_an_idempotency_key_goes_the_general_way(api, world):
    with CaptureQueriesContext(connection) as seen:
        answer = predict(api(world.analyst), **{"Idempotency-Key": "one"})

    assert answer.status_code == 201
    assert not any("users_api_opening" in query["sql"] for query in seen.captured_queries)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_replaced(api, world):
    client = api(world.analyst)
    assert predict(client).status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(superuser_dsn()) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s)", [pid])

    answer = predict(client)

    assert answer.status_code == 201
    with world.scope():
        assert Prediction.objects.filter(uid=answer.json()["id"]).count() == 1
