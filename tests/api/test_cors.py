"""Pages of other sites: none may ask the API from a browser unless its origin is listed."""

import pytest
from django.test import Client

from tests.predict import BODY

pytestmark = pytest.mark.django_db

PORTAL = "https://portail.example.cm"
PREFLIGHT = {
    "Origin": PORTAL,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


def allowing(answer):
    return {name.lower() for name in answer.headers if name.lower().startswith("access-control-allow")}


def test_no_origin_is_allowed_unless_listed(api, world):
    preflight = Client().options("/api/v1/predict", headers=PREFLIGHT)
    answer = api(world.analyst).get("/api/v1/", headers={"Origin": PORTAL})

    assert answer.status_code == 200
    assert allowing(preflight) == allowing(answer) == set()


def test_a_listed_origin_scores_and_reads_its_limits(api, world, settings):
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]

    preflight = Client().options("/api/v1/predict", headers=PREFLIGHT)
    answer = api(world.analyst).post(
        "/api/v1/predict", BODY, content_type="application/json", headers={"Origin": PORTAL}
    )

    assert (preflight.status_code, preflight["Access-Control-Allow-Origin"]) == (200, PORTAL)
    assert "idempotency-key" in preflight["Access-Control-Allow-Headers"]
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (201, PORTAL)
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed"} <= exposed
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "origin" in answer["Vary"].lower()


def test_a_refusal_is_read_by_a_listed_origin_too(settings):
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]

    answer = Client().post(
        "/api/v1/predict", BODY, content_type="application/json", headers={"Origin": PORTAL}
    )

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, PORTAL)


@pytest.mark.parametrize(
    "origin", ["https://portail.example.cm.evil.example", "null", "http://portail.example.cm"]
)
def test_a_like_origin_is_not_the_listed_one(origin, settings):
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]

    assert allowing(Client().options("/api/v1/predict", headers={**PREFLIGHT, "Origin": origin})) == set()


def test_pages_and_the_back_office_are_never_shared(page, world, settings):
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]

    for path in ("/", "/clients", "/admin/"):
        assert allowing(page(world.administrator).get(path, headers={"Origin": PORTAL})) == set()
