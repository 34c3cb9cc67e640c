"""The theme's own files: every text of it has French, its icons are few and drawn."""

import os
import re

import pytest
from babel.messages.pofile import read_po
from fontTools.ttLib import TTFont

from config import icons
from config.extraction import INSTALLED, KEYWORDS, REPOSITORY
from config.installed_texts import untranslated


def test_every_text_of_the_installed_packages_has_french():
    """An upgrade that brings a text fails here: `make messages` lists it, French is written there."""
    with (REPOSITORY / "locale" / "fr" / "LC_MESSAGES" / "django.po").open("rb") as file:
        ours = {
            (each.context, each.id if isinstance(each.id, str) else each.id[0])
            for each in read_po(file, locale="fr")
            if each.id and each.string and all(each.string)
        }

    found = [
        (context, message if isinstance(message, str) else message[0])
        for _place, message, context in untranslated(INSTALLED, KEYWORDS)
    ]

    assert [key for key in found if key not in ours] == []
    assert len(found) > 50, "the scan finds nothing: are the packages where it looks?"


@pytest.fixture(scope="module")
def font(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    return folder, icons.make_changed(folder)


def names_in(font):
    """Return the words that the font draws as one icon, read from its ligatures."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    tables = [table for lookup in font["GSUB"].table.LookupList.Lookup for table in lookup.SubTable]
    ligatures = [getattr(table, "ExtSubTable", table).ligatures for table in tables if _has_ligatures(table)]
    return {
        "".join(letters.get(glyph, "?") for glyph in (first, *each.Component))
        for group in ligatures
        for first, found in group.items()
        for each in found
    }


def _has_ligatures(table):
    return hasattr(getattr(table, "ExtSubTable", table), "ligatures")


def test_the_icon_font_is_cut_down_to_what_is_used(font):
    _folder, file = font

    assert file.stat().st_size < 25_000
    wanted = {"dashboard", "search", "upload", "download", "calendar_today", "account_balance"}
    assert wanted <= names_in(TTFont(file))


def test_every_icon_that_the_style_sheet_writes_is_in_the_font(font):
    _folder, file = font
    sheet = (icons.package_folder() / "static" / "unfold" / "css" / "styles.css").read_text()
    whole = set(TTFont(icons.package_folder() / "static" / icons.FONT).getGlyphOrder())

    written = set(re.findall(r'content:\s*"([a-z_0-9]+)"', sheet)) & whole

    assert len(written) > 5
    assert written <= names_in(TTFont(file))


def test_the_font_is_made_again_only_when_something_changed(font, monkeypatch):
    folder, file = font
    before = file.stat().st_mtime_ns

    assert icons.make_changed(folder) is None
    monkeypatch.setattr(icons, "_made_from", lambda: "another version")
    assert icons.make_changed(folder) == file
    assert file.stat().st_mtime_ns > before
    assert not list(file.parent.glob(f"*.{os.getpid()}"))
