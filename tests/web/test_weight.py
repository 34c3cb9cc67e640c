"""What a page weighs on the wire, its files included: a branch office pays for every kilobyte.

Counted as production sends it: files as WhiteNoise compresses them at set-up, pages as the middleware does.
"""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils.text import compress_string
from whitenoise.compress import Compressor

from config import assets
from tests.e2e.places import shown_pages

pytestmark = pytest.mark.django_db

COLD, WARM = 40_000, 8_000
#: The auditor chooses among all that people can do, some 130 actions: no page of analysts holds as much.
WARM_TRAIL = 8_700
#: Of the headers of one answer, at most: of a page (policy, cookies), of a file (seen: 430).
PAGE_HEADERS, FILE_HEADERS = 1_000, 500
#: For developers: every component in every state, and the page that tries the API (Swagger UI).
NOT_FOR_ANALYSTS = ("web:style ", "web:docs ")
FILES = re.compile(rf'(?:href|src)="/{settings.STATIC_URL.strip("/")}/([^"?]+)"')


def sizes(shown, known):
    """Return ``(bytes of a first visit, bytes of the next)`` of a page."""
    page = len(compress_string(shown.html.encode())) + PAGE_HEADERS
    for path in set(FILES.findall(shown.html)):
        if path not in known:
            content = Path(finders.find(path)).read_bytes()
            known[path] = len(Compressor.compress_brotli(content)) + FILE_HEADERS
    return page + sum(known[path] for path in set(FILES.findall(shown.html))), page


@pytest.fixture
def made_assets():
    """Make the files that the site serves, as every command that serves does."""
    return assets.make_changed(settings.MADE_ASSETS_DIR)


def test_every_page_is_light(world, made_assets):
    known = {}
    weighed = [(str(shown), *sizes(shown, known)) for shown in shown_pages("fr")]
    weighed = [each for each in weighed if not each[0].startswith(NOT_FOR_ANALYSTS)]

    assert len(known) > 3
    assert [each for each in weighed if each[1] > COLD or each[2] > warm_of(each[0])] == []


def warm_of(place):
    return WARM_TRAIL if place.startswith("web:audit ") else WARM


def test_pages_are_compressed_on_the_way(page, world):
    answer = page(world.analyst).get("/demandes/nouvelle", headers={"Accept-Encoding": "gzip, br"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert int(answer.headers["Content-Length"]) < WARM


def test_the_padding_of_a_page_changes_each_time(page, world):
    """A length that tells nothing: what an attacker makes a page repeat cannot be measured (BREACH)."""
    client = page(world.analyst)
    ask = {"headers": {"Accept-Encoding": "gzip"}}

    lengths = {client.get("/demandes/nouvelle", **ask).headers["Content-Length"] for _ in range(6)}

    assert len(lengths) > 1


def test_assets_are_made_once_and_again_when_they_change(tmp_path):
    made = assets.make_changed(tmp_path, compressed=True)

    sheet = tmp_path / "css" / "app.css"
    assert sheet in made
    assert 0 < sheet.stat().st_size < (assets.STATIC / "css" / "app.css").stat().st_size
    assert (tmp_path / "css" / "app.css.br").stat().st_size < sheet.stat().st_size / 3
    assert assets.make_changed(tmp_path, compressed=True) == []
    sheet.write_text("body{}")
    assert assets.make_changed(tmp_path, compressed=True) == [sheet]
