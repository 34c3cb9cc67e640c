"""What one types is kept, offered, taken up; never anybody else's, never twice."""

import datetime as dt
import json
import re

import pytest
from django.db import connection
from django.utils import timezone

from apps.credits.models import CreditApplication
from apps.users.models import Draft
from apps.users.services import drafts
from apps.users.services.drafts import purge_drafts, save_draft
from apps.users.tasks import purge_drafts as purge_everywhere
from apps.web.drafts.offers import offer_draft
from tests.web import test_new_application
from tests.web.test_new_application import HTMX, URL

pytestmark = pytest.mark.django_db
example = test_new_application.example

TYPED = {"last_name": "Mbarga", "montant_credit": "600 000", "sexe": "F"}


def opened(client, **query):
    """Open the form; return the answer and the address that its drafts go to."""
    answer = client.get(URL, query)
    return answer, answer.context["draft"].url


def kept(world, email, code="horizon"):
    actor = world.actor(email)
    with world.scope(code):
        return [json.loads(each.content) for each in Draft.objects.filter(author_id=actor.id)]


def test_a_draft_is_saved_offered_and_taken_up(page, world):
    client = page(world.analyst)
    first, address = opened(client)
    uid = first.context["form"]["uid"].value()

    saved = client.post(address, {**TYPED, "uid": uid, "consent": "on", "csrfmiddlewaretoken": "x"})
    offer = client.get(URL).context["draft"].offered[0]
    resumed = client.get(offer.resume_url)

    assert re.fullmatch(r"Brouillon enregistré à \d\d:\d\d", saved.content.decode())
    assert kept(world, world.analyst) == [
        {**{name: [text] for name, text in TYPED.items()}, "uid": [str(uid)], "consent": ["on"]}
    ]
    form = resumed.context["form"]
    assert {name: form[name].value() for name in TYPED} == TYPED
    assert str(form["uid"].value()) == str(uid)
    assert 'value="600 000"' in resumed.content.decode()
    assert resumed.context["draft"].url == address
    assert resumed.context["draft"].offered == []


def test_saved_again_it_takes_the_place_of_what_was_kept(page, world):
    client = page(world.analyst)
    _answer, address = opened(client)

    client.post(address, TYPED)
    client.post(address, {"last_name": "Mbarga Essomba"})

    assert kept(world, world.analyst) == [{"last_name": ["Mbarga Essomba"]}]


def test_a_new_form_does_not_write_over_the_draft_of_another(page, world):
    client = page(world.analyst)
    client.post(opened(client)[1], {"last_name": "Premier"})
    client.post(opened(client)[1], {"last_name": "Second"})

    offered = client.get(URL).context["draft"].offered

    assert len(offered) == 2
    assert 'value="Second"' in client.get(offered[0].resume_url).content.decode()
    assert 'value="Premier"' in client.get(offered[1].resume_url).content.decode()


def test_a_sent_draft_is_gone_and_made_one_application(page, world, example):
    client = page(world.analyst)
    _answer, address = opened(client)
    client.post(address, {**example, "uid": address.partition("demande-")[2].partition("&")[0]})
    resumed = client.get(client.get(URL).context["draft"].offered[0].resume_url)
    uid = str(resumed.context["form"]["uid"].value())

    for _again in range(2):
        assert client.post(URL, {**example, "uid": uid}, headers=HTMX).status_code == 200

    assert kept(world, world.analyst) == []
    with world.scope():
        assert CreditApplication.objects.filter(uid=uid).count() == 1


def test_a_refused_form_keeps_its_draft(page, world, example):
    client = page(world.analyst)
    _answer, address = opened(client)
    uid = address.partition("demande-")[2].partition("&")[0]
    client.post(address, {**example, "uid": uid})

    answer = client.post(URL, {**example, "uid": uid, "montant_credit": "beaucoup"})

    assert answer.status_code == 422
    assert len(kept(world, world.analyst)) == 1
    assert answer.context["draft"].url == address


def test_without_script_the_button_saves_and_comes_back_to_the_filled_form(page, world):
    client = page(world.analyst)
    _answer, address = opened(client)

    answer = client.post(address, {**TYPED, "enregistrer": "1"}, follow=True)

    body = answer.content.decode()
    assert answer.redirect_chain[0][0].startswith(f"{URL}?brouillon=demande-")
    assert 'value="Mbarga"' in body
    assert "Brouillon enregistré à" in body


def test_a_draft_thrown_away_can_be_taken_back(page, world):
    client = page(world.analyst)
    client.post(opened(client)[1], TYPED)
    offer = client.get(URL).context["draft"].offered[0]

    answer = client.post(offer.discard_url, follow=True)
    undo = re.search(r'action="(/brouillons[^"]+annuler=1[^"]*)"', answer.content.decode())[1]

    assert answer.context["draft"].offered == []
    client.post(undo.replace("&amp;", "&"))
    assert len(client.get(URL).context["draft"].offered) == 1


def test_a_draft_belongs_to_its_author(page, world):
    client = page(world.analyst)
    _answer, address = opened(client)
    client.post(address, TYPED)
    key = address.partition("cle=")[2].partition("&")[0]

    for email in (world.risk_manager, world.outsider):
        other = page(email)
        answer = other.get(URL, {"brouillon": key})
        assert answer.context["draft"].offered == []
        assert "Mbarga" not in answer.content.decode()
        other.post(address, {"last_name": "Autre"})
        other.post(f"{address}&effacer=1")

    assert kept(world, world.analyst) == [{name: [text] for name, text in TYPED.items()}]


def test_a_draft_is_ciphertext_in_the_database(page, world):
    client = page(world.analyst)
    client.post(opened(client)[1], TYPED)

    with world.scope(), connection.cursor() as cursor:
        cursor.execute("SELECT content FROM users_draft")
        (stored,) = cursor.fetchone()

    assert "Mbarga" not in stored


def test_too_long_a_draft_is_refused(page, world):
    client = page(world.analyst)

    answer = client.post(opened(client)[1], {"purpose": "é" * 40_000})

    assert answer.status_code == 413
    assert kept(world, world.analyst) == []


@pytest.mark.parametrize(
    "address", ["/brouillons", "/brouillons?cle=", "/brouillons?cle=../x", "/brouillons?cle=A"]
)
def test_a_key_of_no_form_is_refused(page, world, address):
    assert page(world.analyst).post(address, TYPED).status_code == 400


def test_an_address_of_another_site_is_not_followed(page, world):
    answer = page(world.analyst).post(
        "/brouillons?cle=demande-1&page=https://evil.example/", {**TYPED, "enregistrer": "1"}
    )

    assert answer["Location"].startswith("/?brouillon=")


def test_a_session_that_is_over_is_told(client, world):
    assert client.post("/brouillons?cle=demande-1", TYPED).status_code == 302


def test_the_fifty_first_draft_takes_the_place_of_the_oldest(world):
    actor = world.actor(world.analyst)
    with world.scope():
        for number in range(drafts.MAX_DRAFTS + 1):
            save_draft(key=f"demande-{number}", content={}, by=actor)

        keys = set(Draft.objects.values_list("key", flat=True))

    assert keys == {f"demande-{number}" for number in range(1, drafts.MAX_DRAFTS + 1)}


def test_old_drafts_and_those_thrown_away_are_deleted(world):
    actor, now = world.actor(world.analyst), timezone.now()
    with world.scope():
        for key in ("new", "old", "thrown", "regretted"):
            save_draft(key=key, content={}, by=actor)
        Draft.objects.filter(key="old").update(saved_at=now - drafts.KEPT - dt.timedelta(minutes=1))
        Draft.objects.filter(key="thrown").update(discarded_at=now - drafts.REGRET - dt.timedelta(minutes=1))
        Draft.objects.filter(key="regretted").update(discarded_at=now)

        assert purge_drafts() == 2
        assert set(Draft.objects.values_list("key", flat=True)) == {"new", "regretted"}


def test_the_task_purges_every_institution(world):
    for code, email in (("horizon", world.analyst), ("ngwa", world.outsider)):
        with world.scope(code):
            save_draft(key="old", content={}, by=world.actor(email))
            Draft.objects.update(saved_at=timezone.now() - dt.timedelta(days=31))

    purge_everywhere()

    assert kept(world, world.analyst) == kept(world, world.outsider, "ngwa") == []


def test_the_name_of_a_form_is_one_word_so_that_no_other_begins_with_it(rf):
    with pytest.raises(ValueError, match="one word"):
        offer_draft(rf.get("/"), "client-edit")
