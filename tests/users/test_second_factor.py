"""One-time codes: RFC 6238, and every way round them refused."""

import json
import time

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.institutions.models import DatedSetting
from apps.users.models import LoginSession, SecondFactor
from apps.users.rules import code_at, step_of
from apps.users.services.second_factor import begin_second_factor, confirm_second_factor

pytestmark = pytest.mark.django_db
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def log_in(email, **extra):
    body = json.dumps({"email": email, "password": settings.DEMO_PASSWORD, **extra})
    return Client().post("/api/v1/login", body, content_type="application/json")


def switch_on(world, email):
    """Return ``(secret, recovery codes)``; the step of the first code is long past."""
    user = world.user(email)
    secret = begin_second_factor(user=user)
    with world.scope():
        codes = confirm_second_factor(user=user, code=now_code(secret), by=world.actor(email))
    SecondFactor.objects.filter(user=user).update(last_step=0)
    return secret, codes


def now_code(secret):
    return code_at(secret, int(time.time()) // 30)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_rfc(seconds, code):
    assert code_at(RFC_SECRET, seconds // 30) == code
    assert step_of(RFC_SECRET, code, now=seconds) == seconds // 30
    assert step_of(RFC_SECRET, code, now=seconds + 90) is None


def test_the_api_asks_for_the_code(world):
    secret, _codes = switch_on(world, world.analyst)

    missing, wrong = log_in(world.analyst), log_in(world.analyst, otp="000000")

    assert (missing.status_code, missing.json()["code"]) == (401, "otp_required")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_otp")
    assert log_in(world.analyst, otp=now_code(secret)).status_code == 200


def test_a_code_serves_once(world):
    secret, _codes = switch_on(world, world.analyst)
    code = now_code(secret)

    assert log_in(world.analyst, otp=code).status_code == 200
    assert log_in(world.analyst, otp=code).status_code == 401


def test_a_recovery_code_serves_once_and_its_owner_only(world):
    _secret, codes = switch_on(world, world.analyst)
    switch_on(world, world.auditor)

    assert log_in(world.auditor, otp=codes[0]).status_code == 401
    assert log_in(world.analyst, otp=codes[0].lower()).status_code == 200
    assert log_in(world.analyst, otp=codes[0]).status_code == 401


def test_a_code_of_somebody_else_is_refused(world):
    switch_on(world, world.analyst)
    other, _codes = switch_on(world, world.auditor)

    assert log_in(world.analyst, otp=now_code(other)).status_code == 401


def test_guessing_codes_locks_the_account(world):
    secret, _codes = switch_on(world, world.analyst)
    tries = [log_in(world.analyst, otp="12345").status_code for _ in range(5)]

    assert tries == [401] * 5
    assert log_in(world.analyst, otp=now_code(secret)).status_code == 429


def test_the_secret_and_the_codes_are_not_readable_in_the_database(world):
    secret, codes = switch_on(world, world.analyst)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT secret FROM users_secondfactor UNION ALL SELECT code_hash FROM users_recoverycode"
        )
        stored = " ".join(row[0] for row in cursor.fetchall())

    assert secret not in stored
    assert not [code for code in codes if code.replace("-", "") in stored]


def test_the_page_asks_for_the_code_before_it_opens_anything(world):
    secret, _codes = switch_on(world, world.analyst)
    client = Client()

    first = client.post("/connexion", {"email": world.analyst, "password": settings.DEMO_PASSWORD})
    assert first["Location"] == "/connexion/code"
    assert client.get("/").status_code == 302
    assert client.post("/connexion/code", {"code": "000000"}).status_code == 422
    assert client.post("/connexion/code", {"code": now_code(secret)})["Location"] == "/"

    assert client.get("/").status_code == 200


def test_the_second_step_needs_the_first(world):
    assert Client().post("/connexion/code", {"code": "000000"})["Location"] == "/connexion"


def test_a_person_sets_it_up_and_off_by_the_pages(world, page):
    client = page(world.analyst)
    assert "<svg" in client.get("/profil/double-authentification").content.decode()
    secret = SecondFactor.objects.get(user__email=world.analyst).secret

    assert client.post("/profil/double-authentification", {"code": "000000"}).status_code == 422
    codes = client.post("/profil/double-authentification", {"code": now_code(secret)})
    assert codes.content.decode().count("<code>") == 10
    assert client.get("/profil/double-authentification").status_code == 302
    SecondFactor.objects.update(last_step=0)
    client.post("/profil/double-authentification/arret", {"code": now_code(secret)})

    assert not SecondFactor.objects.exists()


def test_a_role_that_must_have_it_sets_it_up_before_anything_else(world, page):
    with world.scope():
        DatedSetting.objects.create(key="totp_required_roles", value=["analyste"], reason="Sécurité")
    client = page(world.analyst)

    assert log_in(world.analyst).json()["code"] == "totp_setup_required"
    for path in ("/", "/demandes/nouvelle", "/profil"):
        assert client.get(path)["Location"] == "/profil/double-authentification"
    assert page(world.auditor).get("/").status_code == 200
    client.get("/profil/double-authentification")
    secret = SecondFactor.objects.get(user__email=world.analyst).secret
    client.post("/profil/double-authentification", {"code": now_code(secret)})
    assert client.get("/").status_code == 200

    SecondFactor.objects.update(last_step=0)
    off = client.post("/profil/double-authentification/arret", {"code": now_code(secret)})
    assert off.status_code == 422


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/predictions"), ("POST", "/api/v1/predict"), ("GET", "/api/v1/")]
)
def test_a_token_of_somebody_who_must_set_it_up_is_told_so(world, api, method, path):
    client = api(world.analyst)
    LoginSession.objects.filter(kind="api").update(must_set_totp=True)

    answer = client.generic(method, path, "{}", content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "totp_setup_required"
    assert "RateLimit" in answer


def test_a_token_of_somebody_who_must_set_it_up_may_still_be_ended(world):
    tokens = log_in(world.analyst).json()
    LoginSession.objects.filter(kind="api").update(must_set_totp=True)

    answer = Client().post(
        "/api/v1/logout",
        json.dumps({"refresh": tokens["refresh"]}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {tokens['access']}"},
    )

    assert answer.status_code == 205
    assert not LoginSession.objects.filter(kind="api", must_set_totp=True, revoked_at=None).exists()
