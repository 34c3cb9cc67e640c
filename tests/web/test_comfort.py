"""The glossary, the stored theme, notices that can be taken back."""

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import translation

from apps.engine.dictionary import STANDARD
from apps.web.glossary.terms import FIELD_TERMS, TERMS, by_name
from apps.web.notices import say

pytestmark = pytest.mark.django_db


def test_the_glossary_lists_every_term_with_its_anchor(page):
    body = page("commercial@horizon.demo").get("/glossaire").content.decode()

    assert len(TERMS) >= 35
    assert [key for key in TERMS if f'id="{key}"' not in body] == []


def test_terms_follow_the_alphabet_of_the_reader():
    with translation.override("fr"):
        names = [str(term.name) for term in by_name()]

    assert (
        names.index("Échéancier") < names.index("Encours") < names.index("Étalonnage") < names.index("Score")
    )


def test_fields_with_a_term_exist():
    assert [name for name in FIELD_TERMS if name not in STANDARD and name != "consent"] == []
    assert set(FIELD_TERMS.values()) <= set(TERMS)


def test_a_term_is_a_disclosure_of_the_browser():
    with translation.override("fr"):
        shown = Template('{% load terms %}{% term "pd" %}').render(Context())

    assert "<details" in shown
    assert "Que veut dire «\xa0Probabilité de défaut\xa0»" in shown
    assert 'href="/glossaire#pd"' in shown


def test_a_term_that_does_not_exist_is_an_error():
    with pytest.raises(KeyError):
        Template('{% load terms %}{% term "zzz" %}').render(Context())


def test_a_theme_is_stored_and_follows_its_person(page, world):
    client = page(world.analyst)
    assert "data-theme=" not in client.get("/").content.decode().split("<body")[0]

    button = client.post("/profil/theme?bouton", {"theme": "dark"})
    elsewhere = page(world.analyst).get("/").content.decode()

    assert button.status_code == 204
    assert 'data-theme="dark"' in elsewhere
    assert 'data-theme="dark"' not in page(world.risk_manager).get("/").content.decode()


def test_the_profile_chooses_the_theme_without_script(page, world):
    client = page(world.analyst)
    client.post("/profil/theme", {"theme": "light"})

    answer = client.post("/profil/theme", {"theme": ""}, follow=True)

    assert "Thème enregistré." in answer.content.decode()
    assert "data-theme=" not in answer.content.decode().split("<body")[0]


def test_a_theme_that_does_not_exist_is_refused(page, world):
    client = page(world.analyst)

    assert client.post("/profil/theme?bouton", {"theme": "rose"}).status_code == 422
    assert world.user(world.analyst).theme == ""


def test_a_page_before_the_log_in_has_no_theme_of_a_person(world):
    assert "data-person" not in Client().get("/connexion").content.decode()


def test_an_undo_leads_to_this_site_only():
    with pytest.raises(ValueError, match="path of this site"):
        say(RequestFactory().get("/"), "x", undo="https://evil.example/")
