"""The main job, in a browser: log in, type an application, read its score; then the same by the API."""

import pytest
from django.conf import settings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def log_in(page, email):
    page.goto("/connexion")
    page.fill("#id_email", email)
    page.fill("#id_password", settings.DEMO_PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_url("**/")


@pytest.mark.parametrize("scripts", [True, False])
def test_an_analyst_scores_the_example(world, visit, scripts):
    page = visit(java_script_enabled=scripts)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    log_in(page, world.analyst)

    page.goto("/demandes/nouvelle?exemple=1")
    page.get_by_role("button", name="Calculer le score").click()
    result = page.locator("#result")
    result.get_by_text("Risque", exact=False).first.wait_for()

    text = result.inner_text()
    assert "FCFA" in text
    assert "%" in text
    assert any(word in text for word in ("Risque faible", "Risque modéré", "Risque élevé"))
    assert any(word in text for word in ("Avis favorable", "À étudier", "Avis défavorable"))
    assert errors == []
    assert page.foreign_requests == []


def test_a_persona_button_logs_in(world, visit):
    page = visit()
    page.goto("/connexion")

    page.locator(f"button[value='{world.analyst}']").click()

    page.wait_for_url("**/")
    assert "Horizon" in page.content()
