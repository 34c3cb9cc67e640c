"""A real Chromium, where one is installed: CREDISENSE_CHROMIUM, or `chromium` on the PATH."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

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
