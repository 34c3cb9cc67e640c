"""POST /api/v1/login and what its token opens."""

import json

import pytest
from django.conf import settings
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from apps.users.models import Membership, User

pytestmark = pytest.mark.django_db


def log_in(email, password):
    body = json.dumps({"email": email, "password": password})
    return Client().post("/api/v1/login", body, content_type="application/json")


def test_a_right_pair_gives_two_tokens(world):
    answer = log_in(world.analyst, settings.DEMO_PASSWORD)

    body = answer.json()
    assert answer.status_code == 200
    assert body["expires_in"] == 600
    features = Client().get("/api/v1/features-names", headers={"Authorization": f"Bearer {body['access']}"})
    assert features.status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("analyste@horizon.demo", "faux"),
        ("personne@horizon.demo", "Demo-CrediSense-2026"),
        ("operateur@credisense.demo", "Demo-CrediSense-2026"),
    ],
)
def test_every_wrong_pair_answers_alike(world, email, password):
    answer = log_in(email, password)

    assert answer.status_code == 401
    assert {**answer.json(), "request_id": ""} == {**log_in("x@y.zz", "z").json(), "request_id": ""}


def test_missing_fields_are_named():
    answer = Client().post("/api/v1/login", "{}", content_type="application/json")

    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"email", "password"}


def test_tokens_hold_no_database_key(world):
    claims = AccessToken(world.access_token(world.analyst)).payload

    assert not [
        value for name, value in claims.items() if isinstance(value, int) and name not in {"exp", "iat"}
    ]


@pytest.mark.parametrize("change", ["role", "membership", "user", "institution"])
def test_a_token_dies_with_what_it_claims(api, world, change):
    client = api(world.analyst)
    member = Membership.objects.get(user__email=world.analyst, is_active=True)
    if change == "role":
        Membership.objects.filter(pk=member.pk).update(role="auditeur")
    elif change == "membership":
        Membership.objects.filter(pk=member.pk).update(is_active=False)
    elif change == "user":
        User.objects.filter(pk=member.user_id).update(is_active=False)
    else:
        type(member.institution).objects.filter(pk=member.institution_id).update(status="suspended")

    assert client.get("/api/v1/features-names").status_code == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_a_forged_token_is_refused(token):
    answer = Client().get("/api/v1/features-names", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
