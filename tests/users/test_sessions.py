"""Sessions and tokens: renewed, closed, and dead at once when the person changes."""

import datetime as dt
import json

import jwt
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.users.models import LoginSession, Membership
from apps.users.services.members import change_member

pytestmark = pytest.mark.django_db


def post(path, body, **headers):
    return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)


def tokens(email):
    return post("/api/v1/login", {"email": email, "password": settings.DEMO_PASSWORD}).json()


def opens(access):
    answer = Client().get("/api/v1/features-names", headers={"Authorization": f"Bearer {access}"})
    return answer.status_code == 200


def actions(world):
    with world.scope():
        return list(AuditEntry.objects.values_list("action", flat=True))


def test_a_refresh_gives_new_tokens_and_ends_with_its_session(world):
    first = tokens(world.analyst)

    second = post("/api/v1/token/refresh", {"refresh": first["refresh"]})

    assert second.status_code == 200
    assert opens(second.json()["access"])
    ends = [
        jwt.decode(each["refresh"], options={"verify_signature": False})["exp"]
        for each in (first, second.json())
    ]
    assert ends[0] == ends[1]


def test_a_refresh_token_used_twice_kills_the_whole_session(world):
    first = tokens(world.analyst)
    second = post("/api/v1/token/refresh", {"refresh": first["refresh"]}).json()

    again = post("/api/v1/token/refresh", {"refresh": first["refresh"]})

    assert (again.status_code, again.json()["code"]) == (401, "invalid_token")
    assert not opens(second["access"])
    assert post("/api/v1/token/refresh", {"refresh": second["refresh"]}).status_code == 401
    assert "token.reuse" in actions(world)


def test_log_out_kills_both_tokens_at_once(world):
    pair = tokens(world.analyst)
    other = tokens(world.analyst)

    answer = post("/api/v1/logout", {"refresh": pair["refresh"]}, Authorization=f"Bearer {pair['access']}")

    assert (answer.status_code, answer.content) == (205, b"")
    assert not opens(pair["access"])
    assert post("/api/v1/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert opens(other["access"])
    assert "logout" in actions(world)


def test_an_access_token_is_not_a_refresh_token(world):
    pair = tokens(world.analyst)

    assert post("/api/v1/token/refresh", {"refresh": pair["access"]}).status_code == 401
    assert not opens(pair["refresh"])


@pytest.mark.parametrize("forgery", ["none", "key", "role", "session", "institution"])
def test_forged_claims_are_refused(world, forgery):
    access = tokens(world.analyst)["access"]
    claims = jwt.decode(access, options={"verify_signature": False})
    key, algorithm = settings.SIMPLE_JWT["SIGNING_KEY"], "HS256"
    if forgery == "none":
        key, algorithm = None, "none"
    elif forgery == "key":
        key = "another-" + "k" * 50
    elif forgery == "role":
        claims["role"] = "administrateur"
    elif forgery == "session":
        claims["sid"] = str(claims["user"])
    else:
        claims["inst"] = str(claims["user"])

    assert opens(access)
    assert not opens(jwt.encode(claims, key, algorithm=algorithm))


@pytest.mark.parametrize("change", [{"role": "auditeur"}, {"is_active": False}])
def test_a_changed_member_loses_pages_and_tokens(world, page, change):
    client, access = page(world.analyst), tokens(world.analyst)["access"]
    assert client.get("/").status_code == 200
    with world.scope():
        member = Membership.objects.select_related("user").get(user__email=world.analyst)
        change_member(membership=member, by=world.actor(world.administrator), **change)

    assert client.get("/").status_code == 302
    assert not opens(access)


def test_a_role_given_back_does_not_revive_a_session(world, page):
    client = page(world.analyst)
    with world.scope():
        member = Membership.objects.select_related("user").get(user__email=world.analyst)
        for role in ("auditeur", "analyste"):
            change_member(membership=member, by=world.actor(world.administrator), role=role)

    assert client.get("/").status_code == 302


def test_a_person_who_moved_to_another_institution_starts_again(world, page):
    client, access = page(world.analyst), tokens(world.analyst)["access"]
    with world.scope():
        member = Membership.objects.select_related("user").get(user__email=world.analyst)
        change_member(membership=member, by=world.actor(world.administrator), is_active=False)
    Membership.objects.create(user=member.user, institution_id=world.institution_id("ngwa"), role="analyste")

    assert client.get("/").status_code == 302
    assert not opens(access)
    assert opens(tokens(world.analyst)["access"])


@pytest.mark.parametrize(
    ("field", "age", "status"),
    [
        ("last_seen_at", dt.timedelta(minutes=29), 200),
        ("last_seen_at", dt.timedelta(minutes=31), 302),
        ("created_at", dt.timedelta(hours=12, minutes=1), 302),
    ],
)
def test_a_silent_or_old_page_session_ends(world, page, field, age, status):
    client = page(world.analyst)
    LoginSession.objects.filter(user__email=world.analyst).update(**{field: timezone.now() - age})

    assert client.get("/").status_code == status


def test_the_session_key_changes_at_log_in(world):
    client = Client()
    client.get("/mot-de-passe/nouveau?personne=x&jeton=y")
    before = client.cookies["sessionid"].value

    client.post("/connexion", {"email": world.analyst, "password": settings.DEMO_PASSWORD})

    assert client.cookies["sessionid"].value != before


def test_one_closes_another_session_of_ones_own_only(world, page):
    mine, elsewhere, foreign = page(world.analyst), page(world.analyst), page(world.auditor)
    rows = LoginSession.objects.filter(user__email=world.analyst).order_by("pk")

    foreign.post("/profil/sessions", {"session": str(rows[1].uid)})
    assert elsewhere.get("/").status_code == 200
    mine.post("/profil/sessions", {"session": str(rows[1].uid)})

    assert elsewhere.get("/").status_code == 302
    assert mine.get("/").status_code == 200
    assert "session.close" in actions(world)


def test_all_others_are_closed_at_once(world, page):
    mine, elsewhere, access = page(world.analyst), page(world.analyst), tokens(world.analyst)["access"]

    keep = mine.get("/profil")
    assert keep.status_code == 200
    mine.post("/profil/sessions")

    assert mine.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert not opens(access)


def test_log_out_of_a_page_closes_its_row(world, page):
    client = page(world.analyst)
    cookie = client.cookies["sessionid"].value

    client.post("/deconnexion")

    thief = Client()
    thief.cookies["sessionid"] = cookie
    assert thief.get("/").status_code == 302
    assert LoginSession.objects.get(user__email=world.analyst).revoked_at is not None


def test_the_back_office_has_no_door_of_its_own(world, page):
    assert Client().get("/admin/login/")["Location"].startswith("/connexion")
    assert Client().post("/admin/login/", {"username": "x", "password": "y"}).status_code == 302
    assert page(world.administrator).get("/admin/password_change/")["Location"] == "/profil/mot-de-passe"


def test_log_out_of_the_back_office_closes_the_session(world, page):
    client = page(world.administrator)
    assert client.get("/admin/").status_code == 200

    client.get("/admin/logout/")
    assert client.get("/").status_code == 200
    client.post("/admin/logout/")

    assert client.get("/").status_code == 302
    assert LoginSession.objects.get(user__email=world.administrator).revoked_at is not None
