"""Take the pictures of the guide, and the README's, from a running demonstration: `make screenshots`.

The demonstration is started beside it (`make demo`, same PORT); what is entered here stays in it. Names on
the command line take only these: `python docs/screenshots.py fiche-client demandes`. Every picture is
made by the function of its name below, in the order of the file: one may open what an earlier one entered.
"""

import argparse
import base64
import os
import re
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

DOCS = Path(__file__).parent
FOLDERS = {"nouvelle-demande": DOCS / "images"}
GUIDE = DOCS / "guide" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
#: An empty day says "mm/dd/yyyy" in a browser without French, which the readers' browsers have.
STYLE = "input[type=date]::-webkit-datetime-edit { visibility: hidden }"
#: The menu of the back-office is folded on a narrower screen.
WIDE, WIDER = ViewportSize(width=1280, height=860), ViewportSize(width=1440, height=860)
PHONE = ViewportSize(width=375, height=760)
ADMINISTRATOR, OPERATOR = "admin@horizon.demo", "operateur@credisense.demo"
MAX_BYTES, COLOURS = 120_000, 256

type Take = Callable[["Studio"], Page | Locator]
TAKES: dict[str, Take] = {}


class Studio:
    """Opens pages of the demonstration as its fictional people, each logged in once."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address
        self.kept: dict[tuple[str, bool], Page] = {}
        self.entered = ""  # the address of the application that these pictures follow

    def page(self, who: str, *, phone: bool = False) -> Page:
        """Return the window of somebody, logged in; of nobody when ``who`` is empty."""
        if (who, phone) not in self.kept:
            self.kept[who, phone] = self._window(who, phone=phone)
        return self.kept[who, phone]

    def _window(self, who: str, *, phone: bool) -> Page:
        context = self.browser.new_context(
            base_url=self.address,
            locale="fr-FR",
            timezone_id="Africa/Douala",
            viewport=PHONE if phone else WIDE,
            color_scheme="dark" if phone else "light",
            reduced_motion="reduce",
            bypass_csp=True,  # for STYLE only
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        if who:
            page.goto("/connexion")
            # one public password for every fictional person, in the form of the log-in page
            page.fill("#id_password", page.locator(".personas input[name=password]").first.input_value())
            page.fill("#id_email", who)
            page.click("form:has(#id_password) button[type=submit]")
            page.wait_for_url(lambda url: "/connexion" not in url)
        return page

    def horizon(self, who: str, path: str, *, phone: bool = False) -> Page:
        """Open a page as somebody of the first institution."""
        page = self.page(f"{who}@horizon.demo", phone=phone)
        page.goto(path, wait_until="networkidle")
        return page

    def back_office(self, who: str, path: str) -> Page:
        """Open a page of the administration."""
        page = self.page(who)
        page.set_viewport_size(WIDER)
        page.goto(path, wait_until="networkidle")
        return page

    def first(self, who: str, path: str, rows: str = "main tbody a.row-link") -> Page:
        """Open the first row of a list."""
        page = self.horizon(who, path)
        press(page, page.locator(rows).first)
        return page

    def application(self, who: str) -> Page:
        """Open the application entered for these pictures, or the first that awaits a decision."""
        if not self.entered:
            self.entered = self.first("analyste", "/demandes?status=submitted").url
        return self.horizon(who, self.entered)


def picture(take: Take) -> Take:
    """Register a picture under the name of its function, in kebab-case."""
    TAKES[take.__name__.replace("_", "-")] = take
    return take


def press(page: Page, what: Locator) -> None:
    """Click on what leads to another page, and wait for that page."""
    with page.expect_navigation(wait_until="networkidle"):
        what.click()


def card(page: Page, title: str) -> Locator:
    """Return the card of a page that bears a heading."""
    return page.locator("section.card", has=page.get_by_role("heading", name=title, exact=True))


# Everybody


@picture
def connexion(studio: Studio) -> Page:
    page = studio.page("")
    page.goto("/connexion", wait_until="networkidle")
    return page


@picture
def connexion_telephone(studio: Studio) -> Page:
    page = studio.page("", phone=True)
    page.goto("/connexion", wait_until="networkidle")
    return page


@picture
def mon_profil(studio: Studio) -> Page:
    return studio.horizon("analyste", "/profil")


@picture
def double_authentification(studio: Studio) -> Page:
    return studio.horizon("agent", "/profil/double-authentification")


@picture
def accueil(studio: Studio) -> Page:
    return studio.horizon("analyste", "/")


@picture
def recherche(studio: Studio) -> Page:
    page = studio.horizon("analyste", "/demandes")
    page.keyboard.press("/")
    page.locator("#search").press_sequentially("mbou")
    page.locator("#search-results .search-title", has_text="Résultats").wait_for()
    return page


@picture
def glossaire(studio: Studio) -> Page:
    return studio.horizon("analyste", "/glossaire")


@picture
def donner_un_avis(studio: Studio) -> Page:
    return studio.horizon("analyste", "/avis?page=/demandes")


# An application, from its entry to its decision


@picture
def formulaire_de_demande(studio: Studio) -> Page:
    return studio.horizon("analyste", "/demandes/nouvelle")


@picture
def nouvelle_demande(studio: Studio) -> Page:
    page = studio.horizon("analyste", "/demandes/nouvelle?exemple=1")
    page.click("#submit-application")
    page.locator("#result .score-summary").wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.locator("h1").click()  # the result took the focus: its ring would be on the picture
    studio.entered = page.locator("#result a[href*='/demandes/']").first.get_attribute("href") or ""
    return page


@picture
def resultat_du_score(studio: Studio) -> Locator:
    page = studio.application("analyste")
    return page.locator(".score-summary")


@picture
def dossier_de_demande(studio: Studio) -> Page:
    return studio.application("analyste")


@picture
def demander_une_piece(studio: Studio) -> Page:
    page = studio.application("analyste")
    send = page.get_by_role("button", name="Transmettre pour décision")
    if send.count():
        press(page, send)
    page = studio.application("risques")
    press(page, page.get_by_role("link", name="Demander une pièce"))
    page.locator("main input[type=checkbox]").first.check()
    page.fill("main textarea", "Le récépissé joint est illisible : merci d'en joindre une copie nette.")
    return page


@picture
def dossier_a_completer(studio: Studio) -> Page:
    page = studio.page("risques@horizon.demo")
    give_back = page.get_by_role("button", name="Rendre le dossier")
    if give_back.count():
        press(page, give_back)
    return studio.application("analyste")


@picture
def a_traiter_telephone(studio: Studio) -> Page:
    return studio.horizon("risques", "/a-traiter", phone=True)


@picture
def demandes(studio: Studio) -> Page:
    return studio.horizon("analyste", "/demandes")


@picture
def a_traiter(studio: Studio) -> Page:
    return studio.horizon("risques", "/a-traiter")


# A score


@picture
def fiche_du_score(studio: Studio) -> Page:
    return studio.first("analyste", "/scores")


@picture
def facteurs(studio: Studio) -> Locator:
    page = studio.first("analyste", "/scores")
    return card(page, "Ce qui a compté")


@picture
def regles(studio: Studio) -> Locator:
    page = studio.first("analyste", "/scores")
    return card(page, "Règles de la politique de crédit")


@picture
def position(studio: Studio) -> Locator:
    page = studio.first("analyste", "/scores")
    return card(page, "Position parmi les demandes")


@picture
def fiche_d_analyse(studio: Studio) -> Locator:
    page = studio.first("analyste", "/scores")
    page.goto(f"{page.url}/fiche", wait_until="networkidle")
    return page.locator(".paper")


@picture
def recalculer_a_l_identique(studio: Studio) -> Page:
    page = studio.first("auditeur", "/scores")
    press(page, page.get_by_role("button", name="Recalculer à l'identique"))
    return page


@picture
def historique_des_scores(studio: Studio) -> Page:
    return studio.horizon("risques", "/scores?band=modere")


# Clients


@picture
def clients(studio: Studio) -> Page:
    return studio.horizon("agent", "/clients")


@picture
def fiche_client(studio: Studio) -> Page:
    return studio.first("agent", "/clients")


@picture
def nouveau_client(studio: Studio) -> Page:
    return studio.horizon("agent", "/clients/nouveau")


# Those who watch


@picture
def piste_d_audit(studio: Studio) -> Page:
    return studio.horizon("auditeur", "/audit")


@picture
def integrite(studio: Studio) -> Page:
    return studio.horizon("auditeur", "/audit/integrite")


@picture
def accueil_directeur_commercial(studio: Studio) -> Page:
    return studio.horizon("commercial", "/")


# The administration


@picture
def administration(studio: Studio) -> Page:
    return studio.back_office(ADMINISTRATOR, "/admin/")


@picture
def membres(studio: Studio) -> Page:
    return studio.back_office(ADMINISTRATOR, "/admin/users/membership/")


@picture
def nouveau_parametre(studio: Studio) -> Page:
    return studio.back_office(ADMINISTRATOR, "/admin/institutions/datedsetting/add/")


@picture
def importer_des_clients(studio: Studio) -> Page:
    return studio.back_office(ADMINISTRATOR, "/admin/credits/client/import/")


@picture
def plateforme(studio: Studio) -> Page:
    return studio.back_office(OPERATOR, "/admin/")


@picture
def institutions(studio: Studio) -> Page:
    return studio.back_office(OPERATOR, "/admin/institutions/institution/")


# From the screen to the file


def save(name: str, shown: Page | Locator) -> int:
    """Write what is shown as a PNG of at most 256 colours; return its size in bytes."""
    page = shown if isinstance(shown, Page) else shown.page
    page.evaluate("document.fonts.ready")
    pixels = _pixels(page, shown.screenshot(animations="disabled", style=STYLE))
    path = FOLDERS.get(name, GUIDE) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(_png(*_palette(pixels)))


def _pixels(page: Page, png: bytes) -> np.ndarray:
    """Return the pixels of a PNG as rows of red, green and blue; the browser itself reads it."""
    blank = page.context.new_page()
    try:
        width, height, coded = blank.evaluate(
            """async (source) => {
              const image = new Image();
              image.src = source;
              await image.decode();
              const canvas = new OffscreenCanvas(image.width, image.height);
              const brush = canvas.getContext("2d");
              brush.drawImage(image, 0, 0);
              const { data } = brush.getImageData(0, 0, image.width, image.height);
              let text = "";
              for (let at = 0; at < data.length; at += 32768) {
                text += String.fromCharCode(...data.subarray(at, at + 32768));
              }
              return [image.width, image.height, btoa(text)];
            }""",
            f"data:image/png;base64,{base64.b64encode(png).decode()}",
        )
    finally:
        blank.close()
    raw = np.frombuffer(base64.b64decode(coded), dtype=np.uint8)
    return raw.reshape(height, width, 4)[:, :, :3]


def _palette(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of each pixel, and the colours: those most used, for others the nearest of these."""
    packed = pixels.astype(np.int64) @ np.array([65536, 256, 1])
    found, place, count = np.unique(packed, return_inverse=True, return_counts=True)
    kept = found[np.argsort(-count, kind="stable")[:COLOURS]]
    every, palette = (np.stack([c >> 16, c >> 8 & 255, c & 255], axis=1) for c in (found, kept))
    distance = ((every[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
    nearest = distance.argmin(axis=1).astype(np.uint8)
    return nearest[place].reshape(packed.shape), palette.astype(np.uint8)


def _png(indexes: np.ndarray, palette: np.ndarray) -> bytes:
    height, width = indexes.shape
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), indexes])  # 0: rows are stored as they are
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> int:
    """Take the pictures asked for, all by default; return 1 when one could not be taken or is too heavy."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {', '.join(TAKES)}")
    names = parser.parse_args().names or list(TAKES)
    if unknown := set(names) - set(TAKES):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    port, failed = os.environ.get("PORT", "8000"), False
    chromium = os.environ.get("CREDISENSE_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        studio = Studio(browser, f"http://localhost:{port}")
        for name in names:
            try:
                size = save(name, TAKES[name](studio))
            except Exception as error:  # noqa: BLE001  the others are taken all the same
                print(f"{name}: {re.sub(r'\s+', ' ', str(error))[:200]}", file=sys.stderr)
                failed = True
                continue
            print(f"{name}: {size // 1000} KB{'' if size <= MAX_BYTES else ', TOO HEAVY'}")
            failed = failed or size > MAX_BYTES
        browser.close()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
