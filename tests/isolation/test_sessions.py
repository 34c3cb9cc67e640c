"""Tokens, sessions and stored pages that change hands (attacks 27, 29, 30, 50)."""

import jwt
import pytest
from django.conf import settings
from django.test import Client

from apps.institutions.models import Institution
from apps.scoring.models import Prediction
from apps.users.models import Membership

pytestmark = pytest.mark.django_db
KEY = settings.SIMPLE_JWT["SIGNING_KEY"]


def status(token):
    return Client().get("/api/v1/features-names", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_changed_token_opens_nothing(world):
    token = world.access_token(world.outsider)
    claims = jwt.decode(token, KEY, algorithms=["HS256"])
    other = str(Institution.objects.get(code="horizon").uid)
    assert status(token) == 200
    assert status(jwt.encode(claims, KEY, "HS256")) == 200
    assert status(jwt.encode({**claims, "inst": other}, KEY, "HS256")) == 401
    assert status(jwt.encode({**claims, "role": "administrateur"}, KEY, "HS256")) == 401
    assert status(jwt.encode(claims, "another-key" * 5, "HS256")) == 401
    assert status(jwt.encode(claims, None, "none")) == 401


def test_a_moved_member_sees_the_new_place_only(world, page):
    browser, token = page(world.analyst), world.access_token(world.analyst)
    with world.scope("horizon"):
        uid = Prediction.objects.first().uid
    assert browser.get(f"/scores/{uid}").status_code == 200
    Membership.objects.filter(user__email=world.analyst).update(institution_id=world.institution_id("ngwa"))
    assert browser.get(f"/scores/{uid}").status_code == 404
    assert status(token) == 401


def test_pages_are_stored_nowhere(world, page):
    answer = page(world.outsider).get("/scores")
    assert "no-store" in answer["Cache-Control"]
    assert not {"ETag", "Last-Modified"} & set(answer.headers)


def test_a_suspended_institution_is_closed(world, page):
    browser, token = page(world.outsider), world.access_token(world.outsider)
    Institution.objects.filter(code="ngwa").update(status="suspended")
    assert browser.get("/scores").status_code == 302
    assert status(token) == 401
