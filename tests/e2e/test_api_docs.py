"""The try-it page of the API: whole, under the site's strict policy, with nothing from elsewhere."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

DOCUMENT = json.loads((Path(__file__).parents[1] / "api" / "openapi.json").read_text())
ROUTES = sum(len(methods) for methods in DOCUMENT["paths"].values())

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("address", ["/api/docs", "/docs"])
def test_the_policy_is_the_sites_own(address):
    answer = Client().get(address)

    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert b"https://" not in answer.content


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375])
def test_the_page_shows_every_route_and_asks_nobody_else(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto("/docs")
    page.get_by_text("Calculer un score : les variables").first.wait_for()

    assert (page.foreign_requests, said) == ([], [])
    assert page.locator(".opblock").count() == ROUTES
    page.locator("#operations-Scores-predict .opblock-summary-control").click()
    page.locator("#operations-Scores-predict .responses-table").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_page_has_the_colours_that_the_reader_prefers(visit, scheme, is_dark):
    page = visit(viewport={"width": 375, "height": 900}, color_scheme=scheme)

    page.goto("/docs")

    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(28, 32, 34)") is is_dark


@pytest.mark.browser
def test_a_request_is_tried_from_the_page(visit, world):
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto("/api/docs")
    page.locator("#operations-Session-login .opblock-summary-control").click()
    body = page.locator("#operations-Session-login textarea")
    body.fill(f'{{"email": "{world.analyst}", "password": "{settings.DEMO_PASSWORD}"}}')
    page.locator("#operations-Session-login button.execute").click()

    shown = page.locator("#operations-Session-login .live-responses-table tr.response").first
    shown.wait_for()
    assert "200" in shown.inner_text()
    assert page.foreign_requests == []
