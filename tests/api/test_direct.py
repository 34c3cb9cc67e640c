"""The direct way to a score answers what the complete one answers, and leaves it every refusal."""

import json
import random
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.engine.dictionary import STANDARD
from apps.institutions.models import Agency, Institution
from apps.outbox.models import OutboxMessage, Webhook
from apps.scoring.models import Prediction, ScoringPolicy
from apps.users.models import LoginSession, PartnerKey, User
from apps.users.services.keys import issue_key
from config.settings import base
from tests.predict import BODY

pytestmark = pytest.mark.django_db
URL = "/api/v1/predict"
#: A client that names a preference goes the complete way.
COMPLETE = {"Accept": "application/json;q=0.9"}
OWN = ("id", "date", "duree_ms")
#: What differs between any two answers, and what only a page's browser reads.
OWN_HEADERS = ("X-Request-Id", "Content-Length", "RateLimit", "Vary")
EACH_ROW = ("id", "uid", "created_at", "duration_ms", "at", "object_uid", "request_id")


def predict(client, body=BODY, **headers):
    content = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(URL, content, content_type="application/json", headers=headers)


def some_body(draw):
    """Return values in order, many of them missing, some at an edge."""
    body = {}
    for name in STANDARD.names:
        variable = STANDARD[name]
        if not variable.required and draw.random() < 0.4:
            if draw.random() < 0.3:
                body[name] = None
        elif variable.type == "category":
            body[name] = draw.choice(variable.codes)
        else:
            low, high = variable.minimum or 0, variable.maximum or 1_000_000
            value = draw.choice([low, high, draw.uniform(low, min(high, low + 5_000_000))])
            body[name] = round(value) if variable.type == "integer" else value
    return body


@pytest.fixture
def went_direct(monkeypatch):
    """Count the answers given by the direct way."""
    from apps.api import direct

    seen, answer = [], direct.DirectMiddleware._whole
    monkeypatch.setattr(direct.DirectMiddleware, "_whole", lambda *given: (seen.append(1), answer(*given))[1])
    return seen


def row_of(model, **found):
    row = model.objects.get(**found)
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in EACH_ROW]
    return {name: getattr(row, name) for name in names}


@pytest.mark.parametrize("language", ["fr", "en", None])
def test_both_ways_give_the_same_answer_and_the_same_rows(api, world, went_direct, language):
    client, draw = api(world.analyst), random.Random(3)  # noqa: S311  repeatable values
    spoken = {"Accept-Language": language} if language else {}
    for number in range(40):
        body = BODY if number == 0 else some_body(draw)
        direct, complete = predict(client, body, **spoken), predict(client, body, **COMPLETE, **spoken)
        assert (direct.status_code, complete.status_code) == (201, 201)
        one, other = direct.json(), complete.json()
        assert {**one, **dict.fromkeys(OWN)} == {**other, **dict.fromkeys(OWN)}
        assert list(one) == list(other)
        headers = [
            {name: value for name, value in each.items() if name not in OWN_HEADERS}
            for each in (direct, complete)
        ]
        assert headers[0] == headers[1]
        assert set(direct.headers) - {"Vary"} == set(complete.headers) - {"Vary"}
        with world.scope():
            assert row_of(Prediction, uid=one["id"]) == row_of(Prediction, uid=other["id"])
            assert row_of(AuditEntry, object_uid=one["id"]) == row_of(AuditEntry, object_uid=other["id"])
    assert len(went_direct) == 40


# --- partner keys ---------------------------------------------------------------------------------------


def with_key(raw):
    return Client(headers={"Authorization": f"Api-Key {raw}"})


@pytest.fixture
def issue(world):
    """Return a function that issues a key of horizon and gives its whole text."""

    def issued(*scopes, **wishes):
        with world.scope():
            by = world.actor(world.administrator)
            return issue_key(name="Essai", scopes=scopes or ["score"], by=by, **wishes)

    return issued


@pytest.mark.parametrize("limited", [False, True])
def test_a_partner_key_gets_the_same_answer_and_the_same_rows_both_ways(world, issue, went_direct, limited):
    with world.scope():
        agencies = list(Agency.objects.order_by("pk")[:2]) if limited else []
    key, raw = issue(agencies=agencies, daily_quota=1_000)
    client, draw = with_key(raw), random.Random(5)  # noqa: S311  repeatable values
    for number in range(10):
        body = BODY if number == 0 else some_body(draw)
        direct, complete = predict(client, body), predict(client, body, **COMPLETE)
        assert (direct.status_code, complete.status_code) == (201, 201)
        one, other = direct.json(), complete.json()
        assert {**one, **dict.fromkeys(OWN)} == {**other, **dict.fromkeys(OWN)}
        assert set(direct.headers) - {"Vary"} == set(complete.headers) - {"Vary"}
        for name in ("RateLimit-Policy", "Content-Language", "Cache-Control"):
            assert direct[name] == complete[name]
        assert f'"quota";r={999 - 2 * number};' in direct["RateLimit"]
        assert f'"quota";r={998 - 2 * number};' in complete["RateLimit"]
        with world.scope():
            assert row_of(Prediction, uid=one["id"]) == row_of(Prediction, uid=other["id"])
            entry = row_of(AuditEntry, object_uid=one["id"])
            assert entry == row_of(AuditEntry, object_uid=other["id"])
            assert (entry["actor_kind"], entry["actor_id"], entry["actor_name"]) == ("key", key.pk, "Essai")
    assert len(went_direct) == 10
    key.refresh_from_db()
    assert key.last_used_at is not None


@pytest.mark.parametrize(
    "ended", ["wrong", "unknown", "scope", "revoked", "expired", "suspended", "fictional"]
)
def test_a_key_that_does_not_hold_is_refused_by_the_complete_way(world, issue, settings, went_direct, ended):
    key, raw = issue("read_files" if ended == "scope" else "score")
    rows = PartnerKey.objects.filter(pk=key.pk)
    if ended == "wrong":
        raw += "x"
    elif ended == "unknown":
        raw = f"x{raw}"
    elif ended == "revoked":
        rows.update(revoked_at=timezone.now())
    elif ended == "expired":
        rows.update(expires_at=timezone.now())
    elif ended == "suspended":
        Institution.objects.filter(code="horizon").update(status="suspended")
    settings.DEMO_MODE = ended != "fictional"

    answers = [predict(with_key(raw)), predict(with_key(raw), **COMPLETE)]

    codes = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert codes == [(403, "not_allowed") if ended == "scope" else (401, "not_authenticated")] * 2
    assert went_direct == []


@pytest.mark.parametrize("raw", ["", "x", ".", "a b.c", "a\x7f.b", "é.b", "a." + "b" * 300])
def test_what_no_key_looks_like_is_refused(world, went_direct, raw):
    assert predict(Client(), Authorization=f"Api-Key {raw}").status_code == 401
    assert went_direct == []


def test_limit_and_quota_of_a_key_are_counted_once_whoever_answers(world, issue, settings, went_direct):
    settings.API_RATES = base.API_RATES | {"predict": "100/h"}
    client = with_key(issue(daily_quota=4)[1])
    left = []
    for headers, body in [({}, BODY), ({}, {**BODY, "age": 12}), (COMPLETE, BODY), ({}, BODY), ({}, BODY)]:
        answer = predict(client, body, **headers)
        left.append((answer.status_code, re.findall(r"r=(\d+)", answer["RateLimit"])))

    assert left == [
        (201, ["99", "3"]),
        (422, ["98", "2"]),
        (201, ["97", "1"]),
        (201, ["96", "0"]),
        (429, ["95", "0"]),
    ]
    assert answer.json()["code"] == "quota_exceeded"
    assert len(went_direct) == 2


# --- people ---------------------------------------------------------------------------------------------


def test_an_agent_and_a_risk_manager_go_direct_too(api, world, went_direct):
    for email in (world.agent, world.risk_manager):
        assert predict(api(email)).status_code == 201
    assert len(went_direct) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**BODY, "age": 12}, 422),
        ({**BODY, "inconnu": 1}, 422),
        ({**BODY, "client_reference": "X-none"}, 404),
        ({}, 422),
        ([BODY], 422),
        ("{", 400),
        ('{"age": NaN}', 400),
        ('{"age": "\\ud800"}', 400),
        ("", 422),
        ("[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (json.dumps(BODY).encode("utf-16"), 400),
    ],
)
def test_what_cannot_be_scored_is_refused_by_the_complete_way(api, world, went_direct, body, status):
    client = api(world.analyst)
    with world.scope():
        before = Prediction.objects.count()

    answer = predict(client, body)

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert went_direct == []
    with world.scope():
        assert Prediction.objects.count() == before


def test_who_may_not_score_is_refused(api, world, client, went_direct):
    assert predict(api(world.auditor)).status_code == 403
    assert predict(client).status_code == 401
    assert predict(client, Authorization="Bearer x.y.z").status_code == 401
    assert went_direct == []


def test_a_request_is_counted_once_whoever_answers(api, world, settings, went_direct):
    settings.API_RATES = base.API_RATES | {"predict": "4/h"}
    client = api(world.analyst)
    left = []
    for headers, body in [({}, BODY), ({}, {**BODY, "age": 12}), (COMPLETE, BODY), ({}, BODY), ({}, BODY)]:
        answer = predict(client, body, **headers)
        left.append((answer.status_code, answer["RateLimit"].partition("r=")[2].partition(";")[0]))

    assert left == [(201, "3"), (422, "2"), (201, "1"), (201, "0"), (429, "0")]
    assert len(went_direct) == 2


def test_other_requests_of_the_route_go_the_complete_way(api, world, settings, went_direct):
    settings.CORS_ALLOWED_ORIGINS = ["https://partner.example"]
    client = api(world.analyst)
    asked = [{"Idempotency-Key": "one"}, {"Origin": "https://partner.example"}, {"Accept": "text/html"}]
    answers = [predict(client, **headers) for headers in asked]

    assert [answer.status_code for answer in answers] == [201, 201, 406]
    assert answers[1]["Access-Control-Allow-Origin"] == "https://partner.example"
    assert client.get(URL).status_code == 405
    assert went_direct == []


def test_without_tls_nothing_is_answered(api, world, settings, went_direct):
    client = api(world.analyst)
    settings.SECURE_SSL_REDIRECT = True

    assert predict(client).status_code != 201
    assert went_direct == []


def test_a_webhook_that_listens_is_told_by_the_complete_way(api, world, went_direct):
    with world.scope():
        Webhook.objects.create(url="https://example.com/x", events=["prediction.created"], secret="s")
        before = OutboxMessage.objects.count()

    assert predict(api(world.analyst)).status_code == 201

    assert went_direct == []
    with world.scope():
        assert OutboxMessage.objects.count() == before + 1


@pytest.mark.parametrize("known", [False, True])
def test_a_failure_of_the_direct_way_is_answered_by_the_complete_one(
    api, world, went_direct, monkeypatch, known
):
    from django.db import OperationalError

    def fail(*_given, **_named):
        raise OperationalError("lost")

    client = api(world.analyst)
    if known:
        assert predict(client).status_code == 201
        went_direct.clear()
    monkeypatch.setattr("apps.api.direct." + ("_opened" if known else "keep_direct"), fail)

    assert predict(client).status_code == 201
    assert went_direct == []


# --- callers who were here a moment ago -----------------------------------------------------------------


def test_who_was_here_a_moment_ago_takes_one_statement(api, world, issue, went_direct):
    for client in (api(world.analyst), with_key(issue(daily_quota=100)[1])):
        taken = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as statements:
                assert predict(client).status_code == 201
            taken.append(len(statements))
        assert taken[1:] == [1, 1]
        assert taken[0] > 1
    assert len(went_direct) == 6


def stored(world):
    with world.scope():
        return Prediction.objects.count()


def test_a_session_that_ended_meanwhile_stores_nothing(api, world, went_direct):
    client = api(world.analyst)
    assert predict(client).status_code == 201
    LoginSession.objects.filter(kind="api").update(revoked_at=timezone.now())
    before = stored(world)

    assert predict(client).status_code == 401
    assert stored(world) == before
    assert len(went_direct) == 1


def test_a_key_that_ended_meanwhile_stores_nothing(world, issue, went_direct):
    key, raw = issue("score")
    client = with_key(raw)
    assert predict(client).status_code == 201
    before = stored(world)

    PartnerKey.objects.filter(pk=key.pk).update(scopes=["read_files"])
    assert predict(client).status_code == 403
    PartnerKey.objects.filter(pk=key.pk).update(scopes=["score"], revoked_at=timezone.now())
    assert predict(client).status_code == 401
    assert stored(world) == before
    assert len(went_direct) == 1


def test_a_policy_that_began_meanwhile_is_the_one_that_counts(api, world, went_direct):
    client = api(world.analyst)
    old = predict(client).json()
    with world.scope():
        policy = ScoringPolicy.objects.get(version=old["politique"]["version"])
        figures = {**policy.figures, "default_threshold": 0.5, "thresholds": {}}
        newest = ScoringPolicy.objects.order_by("-version")[0].version + 1
        ScoringPolicy.objects.create(
            version=newest,
            figures=figures,
            effective_from=timezone.localdate(),
            created_by=1,
            approved_by=2,
            reason="x",
        )

    new = predict(client).json()

    assert (new["politique"]["version"], new["seuil_utilise"]) == (newest, 0.5)
    with world.scope():
        assert Prediction.objects.get(uid=new["id"]).policy.version == newest
    assert len(went_direct) == 2


def test_a_name_that_changed_meanwhile_stands_in_the_entry(api, world, went_direct):
    client = api(world.analyst)
    predict(client)
    User.objects.filter(email=world.analyst).update(full_name="Nom Nouveau")

    score = predict(client).json()

    with world.scope():
        assert AuditEntry.objects.get(object_uid=score["id"]).actor_name == "Nom Nouveau"
    assert len(went_direct) == 2


def test_a_webhook_that_listens_since_is_told(api, world, went_direct):
    client = api(world.analyst)
    predict(client)
    with world.scope():
        Webhook.objects.create(url="https://example.com/x", events=["prediction.created"], secret="s")
        before = OutboxMessage.objects.count()

    assert predict(client).status_code == 201

    with world.scope():
        assert OutboxMessage.objects.count() == before + 1
    assert len(went_direct) == 1


def test_beyond_the_limit_a_known_caller_stores_nothing(api, world, settings, went_direct):
    settings.API_RATES = base.API_RATES | {"predict": "2/h"}
    client = api(world.analyst)
    before = stored(world)

    assert [predict(client).status_code for _ in range(4)] == [201, 201, 429, 429]
    assert stored(world) == before + 2
    assert len(went_direct) == 2


def test_beyond_the_quota_a_known_key_stores_nothing(world, issue, went_direct):
    client = with_key(issue(daily_quota=2)[1])
    before = stored(world)

    assert [predict(client).status_code for _ in range(4)] == [201, 201, 429, 429]
    assert stored(world) == before + 2
    assert len(went_direct) == 2
