"""The main forms without JavaScript, without a mouse, and with an impatient finger."""

import pytest
from django.conf import settings

from apps.credits.models import CreditApplication
from apps.scoring.models import Prediction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def log_in(page, email):
    page.goto("/connexion")
    page.fill("#id_email", email)
    page.fill("#id_password", settings.DEMO_PASSWORD)
    page.get_by_role("button", name="Se connecter", exact=True).click()
    page.wait_for_url("**/")


def tab_to(page, wanted, presses=120):
    """Press Tab until the element with this id has the focus."""
    for _ in range(presses):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == wanted:
            return
    pytest.fail(f"Tab never reached {wanted}")


def counts(world):
    with world.scope():
        return CreditApplication.objects.count(), Prediction.objects.count()


def test_without_scripts_an_analyst_works(world, visit):
    page = visit(java_script_enabled=False)
    log_in(page, world.analyst)

    before = counts(world)
    page.goto("/demandes/nouvelle?exemple=1")
    page.get_by_role("button", name="Calculer le score").click()
    page.locator("#result .score-summary").wait_for()
    assert counts(world) == tuple(count + 1 for count in before)

    page.goto("/profil")
    page.get_by_label("Langue").select_option("en")
    page.locator("form[action='/profil/langue'] button").click()
    page.get_by_role("heading", name="My profile").wait_for()


def test_without_scripts_a_filter_filters(world, visit):
    page = visit(java_script_enabled=False)
    log_in(page, world.auditor)
    page.goto("/audit")
    assert page.locator("tbody tr").count() > 0

    page.locator("#id_date_from").fill("2031-01-01")
    page.locator("#id_date_from").press("Enter")

    page.wait_for_url("**/audit?*date_from=2031-01-01*")
    assert page.locator("tbody tr").count() == 0


def test_without_scripts_a_refused_form_keeps_what_was_typed(world, visit):
    page = visit(java_script_enabled=False)
    log_in(page, world.analyst)
    page.goto("/demandes/nouvelle?exemple=1")

    page.fill("#id_montant_credit", "beaucoup")
    page.get_by_role("button", name="Calculer le score").click()

    summary = page.locator(".error-summary")
    summary.wait_for()
    assert page.locator("#id_montant_credit").input_value() == "beaucoup"
    assert page.locator("#id_last_name").input_value() == "Ngo Bassong"
    summary.locator("a").first.click()
    assert page.url.endswith("#id_montant_credit")


def test_by_keyboard_alone_an_analyst_scores(world, visit):
    page = visit()
    page.goto("/connexion")
    page.keyboard.type(world.analyst)
    page.keyboard.press("Tab")
    page.keyboard.type(settings.DEMO_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")

    page.goto("/demandes/nouvelle?exemple=1")
    tab_to(page, "id_montant_credit")
    page.keyboard.press("Control+a")
    page.keyboard.type("750 000")
    tab_to(page, "submit-application")
    page.keyboard.press("Enter")

    page.locator("#result .score-summary").wait_for()
    with world.scope():
        latest = CreditApplication.objects.order_by("pk").last()
        assert (latest.montant_credit, latest.purpose) == (750_000, "Stock de tissus pour la boutique")
    assert page.evaluate("document.activeElement.id") == "score-title"


def test_pressing_twice_scores_once(world, visit):
    page = visit()
    log_in(page, world.analyst)
    before = counts(world)
    page.goto("/demandes/nouvelle?exemple=1")

    page.get_by_role("button", name="Calculer le score").dblclick()
    page.locator("#result .score-summary").wait_for()
    page.wait_for_load_state("networkidle")

    assert counts(world) == tuple(count + 1 for count in before)
