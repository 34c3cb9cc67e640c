"""/api/v1/agencies, /api/v1/users and /api/v1/audit."""

import pytest
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.institutions.models import Agency
from apps.users.models import Membership
from tests.api.sending import NOBODY, send
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

AGENCIES, USERS, AUDIT = "/api/v1/agencies", "/api/v1/users", "/api/v1/audit"
PLACE = {"code": "kribi", "name": "Agence de Kribi", "city": "Kribi"}


def test_agencies_are_listed_as_seen(api, world):
    with world.scope():
        every = set(Agency.objects.values_list("code", flat=True))
        allowed = world.actor(world.agent).agency_ids
        own = set(Agency.objects.filter(pk__in=allowed).values_list("code", flat=True))

    client = api(world.analyst)
    with own_statements() as asked:
        seen = client.get(AGENCIES).json()["results"]

    assert {row["code"] for row in seen} == every
    assert {row["code"] for row in api(world.agent).get(AGENCIES).json()["results"]} == own
    assert len(asked) <= 6, asked


def test_an_agency_is_opened_changed_and_closed(api, world):
    admin = api(world.administrator)
    created = send(admin, "post", AGENCIES, PLACE)
    url, tag = f"{AGENCIES}/{created.json()['id']}", {"If-Match": created["ETag"]}

    missing = send(admin, "patch", url, {"is_active": False})
    closed = send(admin, "patch", url, {"is_active": False}, **tag)
    stale = send(admin, "patch", url, {"name": "X"}, **tag)

    assert (created.status_code, missing.status_code, stale.status_code) == (201, 428, 412)
    assert (closed.json()["is_active"], closed.json()["name"]) == (False, PLACE["name"])
    assert admin.get(url, headers={"If-None-Match": closed["ETag"]}).status_code == 304
    shown = admin.get(AGENCIES, {"is_active": "false"}).json()["results"]
    assert "kribi" in [row["code"] for row in shown]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "deux mots"}, "code"),
        ({"name": ""}, "name"),
        ({"is_active": "peut-être"}, "is_active"),
        ({"institution": 1}, "institution"),
    ],
)
def test_a_wrong_agency_is_refused(api, world, change, field):
    answer = send(api(world.administrator), "post", AGENCIES, {**PLACE, **change})

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_a_code_is_given_once(api, world):
    admin = api(world.administrator)
    send(admin, "post", AGENCIES, PLACE)

    assert list(send(admin, "post", AGENCIES, PLACE).json()["fields"]) == ["code"]


def test_only_administrators_write_agencies_and_see_users(api, world):
    for email in (world.analyst, world.auditor, world.risk_manager):
        assert send(api(email), "post", AGENCIES, PLACE).status_code == 403
        assert api(email).get(USERS).status_code == 403
        assert send(api(email), "post", USERS, {}).status_code == 403


# --- people -----------------------------------------------------------------------------------------

NEW = {
    "email": "nouvelle@horizon.demo",
    "full_name": "Nouvelle Personne",
    "password": "Quatre-Manguiers-Bleus-9",
    "role": "analyste",
}


def test_users_are_those_of_the_institution(api, world):
    client = api(world.administrator)
    with own_statements() as asked:
        rows = client.get(USERS, {"limit": "100"}).json()["results"]

    assert {row["email"].partition("@")[2] for row in rows} == {"horizon.demo"}
    assert len(asked) <= 6, asked
    agents = api(world.administrator).get(USERS, {"role": "agent"}).json()["results"]
    assert agents
    assert all(row["role"] == "agent" and row["agencies"] for row in agents)


def test_a_user_is_created_changed_and_closed(api, world):
    admin = api(world.administrator)
    with world.scope():
        agency = str(Agency.objects.first().uid)
    created = send(admin, "post", USERS, NEW)
    url = f"{USERS}/{created.json()['id']}"

    limited = send(
        admin, "patch", url, {"role": "agent", "agencies": [agency]}, **{"If-Match": created["ETag"]}
    )
    stale = send(admin, "patch", url, {"is_active": False}, **{"If-Match": created["ETag"]})
    closed = send(admin, "patch", url, {"is_active": False}, **{"If-Match": limited["ETag"]})

    assert (created.status_code, stale.status_code) == (201, 412)
    assert "password" not in created.json()
    assert (limited.json()["role"], limited.json()["agencies"]) == ("agent", [agency])
    assert closed.json()["is_active"] is False
    with world.scope():
        trail = AuditEntry.objects.filter(action__startswith="member.", after__user=created.json()["id"])
        assert sorted(trail.values_list("action", flat=True)) == [
            "member.change",
            "member.change",
            "member.create",
        ]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"password": "court"}, 422, "password"),
        ({"role": "operateur"}, 422, "role"),
        ({"role": "agent"}, 422, "agencies"),
        ({"email": "analyste@ngwa.demo"}, 422, "email"),
        ({"agencies": [NOBODY]}, 404, None),
        ({"is_operator": True}, 422, "is_operator"),
    ],
)
def test_a_wrong_user_is_refused(api, world, change, status, field):
    before = Membership.objects.count()

    answer = send(api(world.administrator), "post", USERS, {**NEW, **change})

    assert answer.status_code == status
    assert field is None or list(answer.json()["fields"]) == [field]
    assert Membership.objects.count() == before


def test_nobody_closes_their_own_access(api, world):
    admin = api(world.administrator)
    url = f"{USERS}/{world.user(world.administrator).uid}"

    answer = send(admin, "patch", url, {"is_active": False}, **{"If-Match": admin.get(url)["ETag"]})

    assert answer.status_code == 422
    assert api(world.administrator).get(url).json()["is_active"] is True


# --- the trail --------------------------------------------------------------------------------------


def test_the_trail_is_filtered_and_paged(api, world):
    auditor = api(world.auditor)
    with world.scope():
        one = AuditEntry.objects.exclude(object_uid=None).order_by("-at").first()
        day = timezone.localtime(one.at).date().isoformat()
        days = {"from": day, "to": day}

    with own_statements() as asked:
        rows = auditor.get(AUDIT, {**days, "object": str(one.object_uid), "limit": "100"}).json()["results"]

    assert str(one.uid) in [row["id"] for row in rows]
    assert {row["object"] for row in rows} == {str(one.object_uid)}
    assert len(asked) <= 6, asked
    first = auditor.get(AUDIT, {"limit": "5", "action": one.action}).json()
    assert {row["action"] for row in first["results"]} == {one.action}
    second = auditor.get(first["next"]).json() if first["next"] else {"results": []}
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


def test_an_entry_is_read_by_those_who_may(api, world):
    with world.scope():
        url = f"{AUDIT}/{AuditEntry.objects.first().uid}"

    first = api(world.auditor).get(url)

    assert first.status_code == 200
    assert api(world.auditor).get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert api(world.administrator).get(url).status_code == 200
    assert api(world.analyst).get(url).status_code == 403
    assert api(world.analyst).get(AUDIT).status_code == 403
    assert api("dpo@ngwa.demo").get(url).status_code == 404
    assert api(world.auditor).delete(url).status_code == 405


@pytest.mark.parametrize(("query", "field"), [({"object": "x"}, "object"), ({"qui": "x"}, "qui")])
def test_a_wrong_filter_of_the_trail_is_named(api, world, query, field):
    answer = api(world.auditor).get(AUDIT, query)

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
