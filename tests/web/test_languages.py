"""No page mixes its languages: a French page holds no English text of the catalogues, nor the reverse."""

import gettext
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import django
import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from apps.engine.dictionary import STANDARD
from tests.e2e.places import INSTITUTION, back_office_pages, shown_pages

pytestmark = pytest.mark.django_db

DJANGO = Path(django.__file__).parent
DJANGO_CATALOGUES = ("conf", "contrib/admin", "contrib/auth", "contrib/humanize")
ATTRIBUTES = re.compile(r"title|aria-label|aria-description|placeholder|alt|data-label(-\w+)?")
SILENT = {"script", "style", "code", "template", "svg"}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
#: Words that give a language away, for texts that went through no catalogue. Words of both languages and
#: of names are left out.
TELL_TALES = {
    "fr": r"\b(?:the|of|with|your|please|this|that|from|select|search|delete|change|save|are|is)\b",
    "en": r"\b(?:le|les|des|une|dans|avec|aucune?|votre|vous|cette|est|sont|veuillez|enregistrer)\b",
}
#: Right in both languages: nothing, the languages' own names, the author of the demonstration's data.
SAME = {"", "français", "english", "démonstration"}
#: Elements whose text is the name of a drawing, which the icon font shows instead.
ICONS = "material-symbols-outlined"
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


class Texts(HTMLParser):
    """Gathers what a page gives to readers and screen readers, but texts marked as another language."""

    def __init__(self, language):
        super().__init__(convert_charrefs=True)
        self.language = language
        self.texts = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in VOID:
            foreign = given.get("lang", self.language)[:2] != self.language or given.get("translate") == "no"
            drawn = ICONS in (given.get("class") or "").split()
            self.open.append((tag, foreign or drawn or tag in SILENT))
        if not self._silent():
            self.texts += [value for name, value in attrs if value and ATTRIBUTES.fullmatch(name)]

    def handle_endtag(self, tag):
        if tag in {name for name, _silent in self.open}:
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        if not self._silent():
            self.texts.append(data)

    def _silent(self):
        return any(silent for _name, silent in self.open)


def texts_of(html, language):
    parser = Texts(language)
    parser.feed(html)
    return {clean for text in parser.texts if re.search("[a-z]", clean := normal(text))}


def normal(text):
    return " ".join(text.replace("’", "'").split()).strip(" :*").casefold()


@cache
def pairs():
    """Return (English, French) of every text of ours, of Django's and of the dictionary of variables."""
    found = set()
    with (settings.BASE_DIR / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        for message in read_po(file, locale="fr"):
            if message.id:
                found |= set(zip(_forms(message.id), _forms(message.string), strict=False))
    for part in DJANGO_CATALOGUES:
        with (DJANGO / part / "locale/fr/LC_MESSAGES/django.mo").open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        for key, text in catalogue.items():
            english = key[0] if isinstance(key, tuple) else key
            found.add((english.rpartition("\x04")[2], text))
    for name in STANDARD.names:
        variable = STANDARD[name]
        found.add((variable.label("en"), variable.label("fr")))
        found |= {(each.label("en"), each.label("fr")) for each in variable.categories}
    return {(normal(en), normal(fr)) for en, fr in found if en and fr}


def _forms(text):
    return text if isinstance(text, tuple | list) else (text,)


@cache
def texts_in(language):
    """Return the catalogues' texts in a language: those without a place, and a pattern of the others."""
    texts = {pair[0 if language == "en" else 1] for pair in pairs()} | SAME
    whole = {text for text in texts if not PLACE.search(text)}
    patterns = {
        ".+?".join(re.escape(piece) for piece in PLACE.split(text))
        for text in texts - whole
        if re.search(r"[a-zà-ÿ]{3}", PLACE.sub("", text))
    }
    return whole, re.compile("|".join(f"(?:{each})" for each in sorted(patterns)))


def is_in(language, text):
    whole, patterns = texts_in(language)
    return text in whole or bool(patterns.fullmatch(text))


def strangers(shown, language):
    """Return the texts of a page that are in the other language."""
    other = "en" if language == "fr" else "fr"
    for text in texts_of(shown.html, language):
        foreign = is_in(other, text) or re.search(TELL_TALES[language], text)
        if foreign and not is_in(language, text):
            yield f"{shown}: « {text} »"


@pytest.mark.parametrize("language", INSTITUTION)
def test_pages_speak_one_language(world, language):
    found = {text for shown in shown_pages(language) for text in strangers(shown, language)}

    assert not found, "\n".join(sorted(found))


@pytest.mark.django_db(databases=["default", "platform"])
@pytest.mark.parametrize("language", INSTITUTION)
def test_the_back_office_speaks_one_language(world, language):
    pages = list(back_office_pages(language))

    found = {text for shown in pages for text in strangers(shown, language)}

    assert len(pages) > 5
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize(
    ("language", "html"),
    [
        ("fr", "<p>Log in</p>"),
        ("fr", "<p><b>x</b> New\n application </p>"),
        ("fr", "<button aria-label='Log in'></button>"),
        ("fr", "<p>There are 12 points to correct</p>"),
        ("fr", "<p>Nothing of the catalogue</p>"),
        ("en", "<p>Nouvelle demande</p>"),
        ("en", "<input placeholder='jj/mm/aaaa'>"),
    ],
)
def test_a_text_in_the_other_language_is_seen(world, language, html):
    shown = next(shown_pages(language))
    spoilt = type(shown)("x", "", "/x", 200, {}, html)

    assert list(strangers(spoilt, language))
