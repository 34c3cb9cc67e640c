"""A real Chromium, where one is installed: CREDISENSE_CHROMIUM, or `chromium` on the PATH."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def chromium() -> str | None:
    return (
        os.environ.get("CREDISENSE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (README, « Two commands »)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        engine = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield engine
        engine.close()


@pytest.fixture
def visit(browser, live_server) -> Iterator[Any]:
    """Return a function that opens a fresh browser window on the site; closed at the end."""
    contexts = []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(base_url=live_server.url, locale="fr-FR", **options)
        contexts.append(context)
        page = context.new_page()
        page.foreign_requests = []
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((live_server.url, "data:"))
                else page.foreign_requests.append(request.url)
            ),
        )
        return page

    yield open_page
    for context in contexts:
        context.close()


class Walk:
    """A person at work, whose clicks are counted."""

    def __init__(self, page: Any) -> None:
        self.page, self.clicks = page, 0

    def click(self, target: Any) -> None:
        self.clicks += 1
        target.first.click()

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True))


@pytest.fixture
def walk(visit) -> Callable[[str], Walk]:
    """Return a function: e-mail -> a walk of that person, who has just logged in."""

    def start(email: str) -> Walk:
        page = visit(viewport={"width": 1280, "height": 900})
        page.goto("/connexion")
        page.fill("#id_email", email)
        page.fill("#id_password", settings.DEMO_PASSWORD)
        page.locator("#id_password").press("Enter")
        page.wait_for_url("**/")
        return Walk(page)

    return start
