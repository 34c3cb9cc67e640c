"""What a browser adds: a search from anywhere, and drafts that outlive the browser and the line."""

import os
import re
import signal
from pathlib import Path

import pytest

from apps.scoring.models import Prediction
from tests.e2e.conftest import FLAGS, chromium
from tests.e2e.test_main_job import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEW = "/demandes/nouvelle"
TYPED = {
    "#id_last_name": "Mbarga Éssomba",
    "#id_birth_date": "12/03/1991",
    "#id_phone": "+237 6 91 22 33 44",
    "#id_montant_credit": "750 000",
    "#id_purpose": "Achat d'une moto",
}


def type_application(page):
    page.goto(NEW)
    for field, text in TYPED.items():
        page.fill(field, text)
    page.select_option("#id_type_credit", "equipement")
    page.check("#id_consent")


def assert_filled(page):
    assert {field: page.input_value(field) for field in TYPED} == TYPED
    assert page.input_value("#id_type_credit") == "equipement"
    assert page.is_checked("#id_consent")


def status(page):
    return page.locator("[data-draft-status]")


def stored(page):
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))")


def wait_until_sent(page) -> None:
    """Wait until the browser keeps no draft; asked from outside, as the page's policy forbids ``eval``."""
    for _ in range(60):
        if not stored(page):
            return
        page.wait_for_timeout(500)
    pytest.fail("the draft stayed in the browser")


def kill(profile: Path) -> None:
    """End every process of the browser that uses a profile, without asking it."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"--user-data-dir={profile}" in command:
            os.kill(int(entry.name), signal.SIGKILL)


def wait_on_disk(page, profile: Path, text: str) -> None:
    """Wait until Chromium has written its storage: it does so five seconds late, later on a busy machine."""
    for _ in range(60):
        page.wait_for_timeout(1000)
        if any(text.encode() in each.read_bytes() for each in profile.rglob("Local Storage/leveldb/*.log")):
            return
    pytest.fail("the browser's storage never came to the disk")


@pytest.fixture
def window(browser, live_server, tmp_path):
    """Return a function that opens a browser of its own on one profile, as a person does day after day."""
    opened = []

    def open_window():
        context = browser.browser_type.launch_persistent_context(
            tmp_path, executable_path=chromium(), args=FLAGS, base_url=live_server.url, locale="fr-FR"
        )
        opened.append(context)
        return context.pages[0]

    yield open_window
    kill(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc to find the browser")
def test_a_draft_survives_a_killed_browser(world, window, tmp_path):
    page = window()
    log_in(page, world.analyst)
    type_application(page)
    uid = page.input_value("#id_uid")
    status(page).filter(has_text=re.compile(r"Brouillon enregistré à \d\d:\d\d")).wait_for()
    kill(tmp_path)

    page = window()
    log_in(page, world.analyst)
    page.goto(NEW)
    page.get_by_role("link", name=re.compile("Reprendre le brouillon du")).click()

    assert_filled(page)
    assert page.input_value("#id_uid") == uid


def test_what_is_typed_offline_is_sent_when_the_line_is_back(world, visit):
    page = visit()
    log_in(page, world.analyst)
    type_application(page)
    page.context.set_offline(True)
    page.fill("#id_purpose", "Hors ligne")
    status(page).filter(has_text="Hors connexion : votre saisie est gardée sur ce poste").wait_for()
    assert len(stored(page)) == 1

    page.context.set_offline(False)
    status(page).filter(has_text="Brouillon enregistré").wait_for()

    assert stored(page) == []
    page.goto(NEW)
    page.get_by_role("link", name=re.compile("Reprendre le brouillon du")).click()
    assert page.input_value("#id_purpose") == "Hors ligne"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc to find the browser")
def test_typed_offline_then_killed_it_is_offered_next_time(world, window, tmp_path):
    page = window()
    log_in(page, world.analyst)
    page.goto(NEW)
    page.context.set_offline(True)
    page.fill("#id_last_name", "Perdu Retrouvé")
    status(page).filter(has_text="Hors connexion").wait_for()
    wait_on_disk(page, tmp_path, "Perdu")
    kill(tmp_path)

    page = window()
    log_in(page, world.analyst)
    wait_until_sent(page)
    page.goto(NEW)
    page.get_by_role("link", name=re.compile("Reprendre le brouillon du")).click()

    assert page.input_value("#id_last_name") == "Perdu Retrouvé"
    assert stored(page) == []


@pytest.mark.parametrize("leaving", ["log-out", "somebody else"])
def test_nothing_typed_stays_for_the_next_person(world, visit, leaving):
    page = visit()
    log_in(page, world.analyst)
    page.goto(NEW)
    page.context.set_offline(True)
    page.fill("#id_last_name", "Secret")
    status(page).filter(has_text="Hors connexion").wait_for()
    if leaving == "log-out":
        # the way out is kept from sending first: what matters is what it leaves behind
        page.evaluate(
            "document.querySelector('[data-logout]').dispatchEvent(new Event('submit', {bubbles: true}))"
        )
        assert stored(page) == []
        return
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.goto("/connexion")
    assert len(stored(page)) == 1  # the session ended; the same person may come back
    log_in(page, world.risk_manager)
    assert stored(page) == []


def test_a_sent_form_leaves_no_draft(world, visit):
    page = visit()
    log_in(page, world.analyst)
    page.goto(f"{NEW}?exemple=1")
    page.fill("#id_purpose", "Envoyé aussitôt")
    page.get_by_role("button", name="Calculer le score").click()
    page.locator("#result .gauge").wait_for()
    page.wait_for_timeout(2500)
    page.goto(NEW)

    assert page.locator("#draft-notice").count() == 0


def scored_client(world):
    """Return a client who has a score, so that its line leads somewhere."""
    with world.scope():
        return Prediction.objects.select_related("client").exclude(client=None).first().client


def test_slash_and_a_name_then_one_click(world, visit):
    client = scored_client(world)
    page = visit()
    log_in(page, world.risk_manager)
    page.keyboard.press("/")
    page.keyboard.type(str(client)[:40].lower())
    result = page.locator("#search-results a", has_text=client.reference)
    result.wait_for()
    assert page.locator("#said").inner_text() != ""
    result.click()

    page.wait_for_url(re.compile(r"/(clients|scores)/[0-9a-f-]{36}"))
    assert str(client) in page.locator("main").inner_text()


def test_results_are_walked_by_keyboard(world, visit):
    page = visit()
    log_in(page, world.risk_manager)
    page.keyboard.press("/")
    page.keyboard.type(scored_client(world).reference)
    page.locator("#search-results a[href]").first.wait_for()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('#search-results') !== null")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")

    assert page.evaluate("document.activeElement.id") == "search"
    assert not page.locator(".search-panel").is_visible()


def test_slash_is_a_letter_inside_a_field(world, visit):
    page = visit()
    log_in(page, world.analyst)
    page.goto(NEW)
    page.focus("#id_birth_date")
    page.keyboard.type("1/2")

    assert page.input_value("#id_birth_date") == "1/2"


def test_on_a_phone_slash_and_the_glass_lead_to_the_page_of_search(world, visit):
    page = visit(viewport={"width": 375, "height": 700})
    log_in(page, world.risk_manager)
    page.get_by_role("link", name="Rechercher un client ou un dossier").click()
    page.wait_for_url("**/recherche")
    page.locator("#search").fill(scored_client(world).reference)

    page.locator("#search-results a[href]").first.wait_for()


def test_a_field_is_checked_as_one_leaves_it(world, visit):
    page = visit()
    log_in(page, world.analyst)
    page.goto(NEW)
    field = page.locator("#id_montant_credit")
    field.fill("beaucoup")
    page.keyboard.press("Tab")
    page.locator("#id_montant_credit_error").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    assert "id_montant_credit_error" in field.get_attribute("aria-describedby")
    assert "id_montant_credit_helptext" in field.get_attribute("aria-describedby")
    field.fill("600 000")
    page.keyboard.press("Tab")
    page.locator("#id_montant_credit_error").wait_for(state="detached")

    assert field.get_attribute("aria-invalid") is None
    assert field.get_attribute("aria-describedby") == "id_montant_credit_helptext"


def test_the_theme_button_is_remembered_by_the_server(world, visit):
    page = visit()
    log_in(page, world.analyst)
    for _ in range(2):  # light, then dark
        with page.expect_response("**/profil/theme?bouton"):
            page.locator(".topbar-account [data-theme-button]").click()
    other = visit()
    log_in(other, world.analyst)

    assert other.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_scripts_stay_light():
    import brotli

    scripts = Path(__file__).resolve().parents[2] / "static" / "js"

    assert sum(len(brotli.compress(file.read_bytes())) for file in scripts.glob("*.js")) <= 6 * 1024


@pytest.mark.parametrize("width", [320, 1024, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_comfort_are_accessible_and_do_not_overflow(world, visit, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    log_in(page, world.administrator)
    tags = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    for path in ("/recherche?q=a", "/glossaire#pd", "/avis", "/avis/recus", "/alertes", "/profil"):
        page.goto(path)
        found = Axe().run(page, options=tags).response["violations"]
        assert [(path, each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
