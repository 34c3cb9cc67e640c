"""Every page in a real Chromium: accessible, narrow enough, self-contained, and silent in the console.

Chromium asks; Django's client and the source tree answer, so that no server and no network is needed.
"""

import mimetypes
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders

from tests.e2e.places import shown_pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

SITE = "http://localhost"  # which browsers trust as they trust HTTPS
NARROWEST = 320  # which must do without scrolling sideways
JUDGED = (375, 1280)
TAGS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
#: What a colour scheme can change; everything else was judged in the light one.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
WATCH = """
    window.refusals = [];
    document.addEventListener("securitypolicyviolation",
      (event) => window.refusals.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
FINDINGS = """
    async (options) => (await axe.run(document, options)).violations.flatMap(
      (rule) => rule.nodes.map((node) => `${rule.id} ${node.target.join(" ")} ${node.html.slice(0, 120)}`))
"""
OVERFLOW = """
    () => {
      const wide = document.scrollingElement.scrollWidth;
      if (wide <= innerWidth) return "";
      const over = [...document.querySelectorAll("main *")].find(
        (each) => each.getBoundingClientRect().right > innerWidth + 1);
      return `${wide} px wide: ${over ? over.outerHTML.slice(0, 120) : ""}`;
    }
"""

#: The element with the focus: what it is, and whether an eye can see that it has it.
FOCUSED = """
    () => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const seen = element.matches(":focus-visible");
      const own = (each) => {
        const style = getComputedStyle(each);
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
        return outlined || style.boxShadow !== "none";
      };
      return {
        name: element.outerHTML.replace(/\\s+/g, " ").slice(0, 110),
        visible: seen && (own(element) || [...element.querySelectorAll("*")].some(own) ||
          (element.parentElement.matches(":focus-within") && own(element.parentElement))),
      };
    }
"""
MOST_STOPS = 200


class Window:
    """A browser window whose pages are answers already at hand; what is wrong gathers in ``findings``."""

    def __init__(self, browser):
        from axe_playwright_python.base import AXE_SCRIPT

        self.axe = AXE_SCRIPT
        self.findings = []
        self.shown = None
        self.context = browser.new_context(color_scheme="light", reduced_motion="reduce")
        self.context.add_init_script(WATCH)
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self._find(f"error {error}"))
        self.page.on("console", self._console)

    def open(self, shown):
        """Show one page, as narrow as it may be asked to be."""
        self.shown = shown
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": NARROWEST, "height": 900})
        self.page.goto(f"{SITE}{shown.address}")
        if wide := self.page.evaluate(OVERFLOW):
            self._find(wide)
        for refusal in self.page.evaluate("window.refusals"):
            self._find(f"content security policy: {refusal}")

    def judge(self):
        """Run axe on a phone's and a desk's width in both colour schemes."""
        self.page.evaluate(self.axe)
        for options, scheme in ((TAGS, "light"), (COLOURS, "dark")):
            self.page.emulate_media(color_scheme=scheme)
            for width in JUDGED:
                self.page.set_viewport_size({"width": width, "height": 900})
                for finding in self.page.evaluate(FINDINGS, options):
                    self._find(f"{scheme} {width} px: {finding}")

    def tab_through(self):
        """Press Tab from the first element to the last; find those that do not show their focus."""
        self.page.evaluate("document.activeElement.blur()")
        stops = []
        while len(stops) < MOST_STOPS:
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUSED)
            if stop is None or stop in stops:
                break
            stops.append(stop)
        for stop in stops:
            if not stop["visible"]:
                self._find(f"focus not seen: {stop['name']}")
        return len(stops)

    def _answer(self, route):
        address = urlsplit(route.request.url)
        if not route.request.url.startswith(SITE):
            self._find(f"asks {route.request.url}")
            route.abort()
        elif address.path.startswith("/static/"):
            file = finders.find(address.path.removeprefix("/static/"))
            kind = mimetypes.guess_type(address.path)[0]
            route.fulfill(path=file, content_type=kind) if file else route.fulfill(status=404)
        elif route.request.is_navigation_request():
            headers = {name: value for name, value in self.shown.headers.items() if name != "Set-Cookie"}
            route.fulfill(status=self.shown.status, headers=headers, body=self.shown.html)
        else:
            route.fulfill(status=204)  # what a page asks by itself later: a progress bar, a suggestion

    def _console(self, message):
        answers_for_itself = "the server responded with a status of" in message.text
        if message.type in {"error", "warning"} and not answers_for_itself:
            self._find(f"console: {message.text}")

    def _find(self, text):
        self.findings.append(f"{self.shown}: {text}")


@pytest.fixture
def window(browser):
    opened = Window(browser)
    yield opened
    opened.context.close()


def test_every_page_is_accessible_and_self_contained(world, window):
    pages = list(shown_pages("fr"))

    for shown in pages:
        window.open(shown)
        window.judge()

    assert len({shown.name for shown in pages}) > 20
    assert not window.findings, "\n".join(sorted(set(window.findings)))


def test_every_page_is_narrow_and_self_contained_in_english(world, window):
    for shown in shown_pages("en"):
        window.open(shown)

    assert not window.findings, "\n".join(sorted(set(window.findings)))


def test_the_focus_is_seen_wherever_tab_leads(world, window):
    for shown in shown_pages("fr"):
        window.open(shown)
        stops = window.tab_through()
        assert stops > 0, shown

    assert not window.findings, "\n".join(sorted(set(window.findings)))


@pytest.mark.parametrize(
    ("html", "finding"),
    [
        ("<main><h1>x</h1><p style='color:red'>x</p></main>", "content security policy: style-src"),
        ("<main><h1>x</h1><script>1</script></main>", "content security policy: script-src"),
        ("<main><h1>x</h1><img alt='' src='https://example.org/x.png'></main>", "security policy: img-src"),
        ("<main><h1>x</h1><img src='/static/img/logo.svg'></main>", "image-alt"),
        ("<main><h1>x</h1><svg width='900' height='9'></svg></main>", "px wide"),
        ("<main><h1>x</h1><iframe title='x' tabindex='0'></iframe></main>", "focus not seen"),
    ],
)
def test_the_walk_sees_what_is_wrong(world, window, html, finding):
    shown = next(shown_pages("fr"))
    head = shown.html.partition("<body")[0]
    spoilt = type(shown)(shown.name, "", "/x", 200, shown.headers, f"{head}<body>{html}</body></html>")

    window.open(spoilt)
    window.judge()
    window.tab_through()

    assert [each for each in window.findings if finding in each]
