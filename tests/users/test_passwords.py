"""Changing a password and getting a new one by e-mail."""

import re

import pytest
from django.conf import settings as site
from django.core import mail
from django.test import Client

from apps.users.models import User

pytestmark = pytest.mark.django_db
NEW = "Cacao-et-manioc-42"


def change(client, current=site.DEMO_PASSWORD, new=NEW, again=NEW):
    return client.post("/profil/mot-de-passe", {"current": current, "new": new, "again": again})


def ask(email):
    return Client().post("/mot-de-passe/oublie", {"email": email})


def link():
    return re.search(r"http://testserver(\S+)", mail.outbox[-1].body)[1]


def test_a_changed_password_closes_every_other_session(world, page, api):
    mine, elsewhere, token = page(world.analyst), page(world.analyst), api(world.analyst)

    assert change(mine)["Location"] == "/profil"

    assert mine.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert token.get("/api/v1/features-names").status_code == 401
    assert world.user(world.analyst).check_password(NEW)


@pytest.mark.parametrize(
    "given",
    [
        {"current": "faux"},
        {"again": "Autre-chose-42-autre"},
        {"new": "123456789012345", "again": "123456789012345"},
        {"new": "court", "again": "court"},
    ],
)
def test_a_bad_change_is_refused(world, page, given):
    client = page(world.analyst)

    assert change(client, **given).status_code == 422
    assert world.user(world.analyst).check_password(site.DEMO_PASSWORD)
    assert client.get("/").status_code == 200


def test_the_answer_does_not_tell_whether_the_email_exists(world):
    strip = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"|nonce="[^"]+"')
    known, unknown = (strip.sub("", ask(email).content.decode()) for email in (world.analyst, "x@y.zz"))

    assert known == unknown
    assert [message.to for message in mail.outbox] == [[world.analyst]]


def test_a_link_serves_once_and_closes_sessions(world, page):
    session = page(world.analyst)
    ask(world.analyst)
    client, thief = Client(), Client()

    assert client.get(link())["Location"] == "/mot-de-passe/nouveau"
    thief.get(link())
    assert client.post("/mot-de-passe/nouveau", {"new": NEW, "again": NEW})["Location"] == "/connexion"

    assert session.get("/").status_code == 302
    assert thief.post("/mot-de-passe/nouveau", {"new": NEW, "again": NEW}).status_code == 410
    answer = Client().post("/connexion", {"email": world.analyst, "password": NEW})
    assert answer["Location"] == "/"


def test_a_weak_password_is_refused_and_the_link_still_serves(world):
    ask(world.analyst)
    client = Client()
    client.get(link())

    assert client.post("/mot-de-passe/nouveau", {"new": "court", "again": "court"}).status_code == 422
    assert client.post("/mot-de-passe/nouveau", {"new": NEW, "again": NEW}).status_code == 302


def test_a_forged_link_is_refused(world):
    ask(world.analyst)
    client = Client()
    client.get(link().replace(str(world.user(world.analyst).uid), str(world.user(world.auditor).uid)))

    assert client.get("/mot-de-passe/nouveau").status_code == 410


def test_one_message_in_two_minutes(world):
    ask(world.analyst)
    ask(world.analyst)

    assert len(mail.outbox) == 1


def test_the_message_is_in_the_language_of_the_person(world):
    User.objects.filter(email=world.analyst).update(language="en")

    ask(world.analyst)

    assert mail.outbox[0].subject == "New password for CrediSense"
