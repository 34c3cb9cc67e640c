"""In a real browser: icons are drawn, pages are light, nothing foreign is asked, axe finds nothing."""

import re
from pathlib import Path
from urllib.parse import urlparse

import axe_playwright_python
import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"]),
]

AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LIMIT = 400_000
PAGES = {
    "administrator": (
        "",
        "credits/client/",
        "credits/client/import/",
        "institutions/datedsetting/add/",
        "users/membership/add/",
    ),
    "operator": ("", "institutions/institution/", "institutions/institution/add/", "jobs/job/"),
}


@pytest.fixture
def enter(world, visit, icon_font):
    def log_in(who, **options):
        page = visit(**options)
        page.goto("/connexion?next=/admin/")
        page.fill("input[name=email]", getattr(world, who))
        page.fill("input[name=password]", settings.DEMO_PASSWORD)
        page.click("form:has(input[name=password]) button[type=submit]")
        page.wait_for_url("**/admin/")
        return page

    return log_in


@pytest.mark.parametrize("who", PAGES)
def test_icons_are_drawn_and_nobody_is_shut_out(enter, who):
    page = enter(who, bypass_csp=True, viewport={"width": 1366, "height": 768})
    for path in PAGES[who]:
        page.goto(f"/admin/{path}")
        page.evaluate("document.fonts.ready")
        words = page.evaluate(
            "[...document.querySelectorAll('.material-symbols-outlined')]"
            ".filter(e => e.offsetWidth > Math.max(40, 1.5 * parseFloat(getComputedStyle(e).fontSize)))"
            ".map(e => e.textContent.trim())"
        )
        assert words == [], path
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
        assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == [], path
    assert page.foreign_requests == []


def test_a_list_is_light_the_first_time(enter):
    page = enter("administrator")
    asked = {}
    page.on("response", lambda answer: asked.setdefault(urlparse(answer.url).path, answer))
    page.goto("/admin/credits/client/")
    page.wait_for_load_state("networkidle")

    sizes = {path: weight(path, answer) for path, answer in asked.items()}

    assert sum(sizes.values()) <= LIMIT, sorted(sizes.items(), key=lambda each: -each[1])[:8]
    assert not [path for path in sizes if "Inter-" in path]


def weight(path, answer):
    """Return what travels in production, where every file but fonts is compressed once and for all."""
    found = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
    body = Path(found).read_bytes() if found else answer.body()
    return len(body) if path.endswith((".woff2", ".png")) else len(brotli.compress(body))


@pytest.mark.parametrize("width", [375, 1280, 1366])
def test_the_menu_is_there_or_within_reach(enter, width):
    page = enter("administrator", viewport={"width": width, "height": 768})
    page.goto("/admin/credits/client/")
    page.wait_for_load_state("networkidle")
    menu = page.locator("#nav-sidebar a:has-text('Agences')").first

    if not menu.is_visible():
        page.click(".bo-icon-button >> nth=0")

    menu.wait_for(state="visible")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_rule_of_the_policy_is_broken(enter):
    page, told = enter("administrator"), []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    for path in PAGES["administrator"]:
        page.goto(f"/admin/{path}")
        page.wait_for_load_state("networkidle")

    assert [text for text in told if re.search("Content.Security", text)] == []
