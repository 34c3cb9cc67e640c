"""The pages of scores in a browser: the sheet on one A4 page, filters, accessibility, no sideways scroll."""

import re

import pytest

from apps.scoring.models import Prediction
from tests.e2e.test_main_job import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE_OBJECT = re.compile(rb"/Type\s*/Page[^s]")


def worst_case(world):
    """Store a score whose sheet is as long as it gets: long words, every warning, nothing known."""
    with world.scope():
        score = Prediction.objects.select_related("application__client").exclude(application=None).first()
        score.application.purpose = "Achat de marchandises et réfection de la boutique du marché central " * 2
        score.application.save()
        score.application.client.last_name = "Ngo Mbock Bikoï Épouse Tchoumbou Kamdem"
        score.application.client.first_names = "Marie-Madeleine Bernadette Antoinette Félicité"
        score.application.client.save()
        score.pk, score.uid, score.input_hash = None, "11111111-1111-4111-8111-111111111111", "0" * 64
        score.warnings = ["ratio_incoherent", "retards_incoherents", "donnees_anciennes", "hors_domaine"]
        score.rules = [{**rule, "verdict": "violee"} for rule in score.rules]
        score.max_amount_xaf, score.max_amount_reason = None, "revenu_inconnu"
        score.contributions = [
            {**each, "value": None, "log_odds": each["log_odds"] or 0.1} for each in score.contributions
        ]
        score._state.adding = True
        score.save(force_insert=True)
        return score


def test_the_sheet_is_one_page_of_paper(world, visit):
    with world.scope():
        uids = list(Prediction.objects.values_list("uid", flat=True)[:6])
    uids.append(worst_case(world).uid)
    page = visit(viewport={"width": 1280, "height": 900})
    log_in(page, world.analyst)

    counts = []
    for uid in uids:
        page.goto(f"/scores/{uid}/fiche")
        counts.append(len(PAGE_OBJECT.findall(page.pdf(format="A4", prefer_css_page_size=True))))

    assert counts == [1] * len(uids)


def test_a_chosen_filter_changes_the_list_without_a_button(world, visit):
    page = visit()
    log_in(page, world.analyst)
    page.goto("/scores")

    page.select_option("#id_band", "faible")
    page.wait_for_url("**/scores?band=faible")
    page.locator(".chip").wait_for()
    assert set(page.locator(".cell-risk").all_text_contents()) <= {"Risque faible"}
    assert "page" in page.locator("#results-status").text_content()
    page.locator(".chip").click()

    page.wait_for_url("**/scores")
    assert page.locator(".chip").count() == 0


def test_without_javascript_the_button_filters(world, visit):
    page = visit(java_script_enabled=False)
    log_in(page, world.analyst)
    page.goto("/scores")

    page.select_option("#id_band", "faible")
    page.get_by_role("button", name="Filtrer").click()

    assert "band=faible" in page.url
    assert page.locator(".chip").count() == 1


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_score_pages_are_accessible_and_do_not_overflow(world, visit, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    uid = worst_case(world).uid
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    log_in(page, world.auditor)
    tags = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    faults = {}
    for path in (
        "/scores?band=faible",
        "/scores?band=rouge",
        f"/scores/{uid}",
        f"/scores/{uid}/fiche",
        "replay",
    ):
        if path == "replay":
            page.goto(f"/scores/{uid}")
            page.get_by_role("button", name="Recalculer").click()
            page.wait_for_url("**/recalcul")
        else:
            page.goto(path)
        for summary in page.locator(".ladder > summary").all():
            summary.click()
        found = Axe().run(page, options=tags).response["violations"]
        bad = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]
        if bad or page.evaluate("document.documentElement.scrollWidth") > width:
            faults[path] = bad or "overflow"

    assert faults == {}
