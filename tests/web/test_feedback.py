"""Opinions go to the institution's administrators; neither the alert nor the e-mail holds their text."""

import json

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.outbox.models import Alert, OutboxMessage
from apps.outbox.services import deliver_next
from apps.users.models import Feedback

pytestmark = pytest.mark.django_db

GIVEN = {"kind": "idea", "text": "Afficher le taux en grand.", "page": "/scores"}


def deliver(world, code="horizon"):
    with world.scope(code):
        while deliver_next():
            pass


def test_an_opinion_reaches_the_administrator(page, world, mailoutbox):
    answer = page(world.agent).post("/avis", GIVEN, follow=True)
    deliver(world)
    admin = page(world.administrator)
    home, alerts, received = admin.get("/"), admin.get("/alertes"), admin.get("/avis/recus")

    assert "Vos administrateurs ont reçu votre avis" in answer.content.decode()
    assert "Alertes, 1 non lue" in home.content.decode()
    assert "Un collègue a donné un avis." in alerts.content.decode()
    (opinion,) = received.context["opinions"]
    assert (opinion.kind, opinion.text, opinion.page) == ("idea", GIVEN["text"], "/scores")
    (letter,) = [each for each in mailoutbox if each.to == [world.administrator]]
    assert GIVEN["text"] not in letter.body


def test_the_text_is_neither_in_clear_nor_in_the_trail(page, world):
    page(world.agent).post("/avis", GIVEN)

    with world.scope(), connection.cursor() as cursor:
        cursor.execute("SELECT text FROM users_feedback")
        stored = cursor.fetchone()[0]
        entry = AuditEntry.objects.get(action="feedback.create")
        told = [json.dumps(each.payload) for each in OutboxMessage.objects.all()]
    assert "taux" not in f"{stored} {entry.after} {told}"
    assert entry.after == {"kind": "idea"}


def test_an_opinion_is_handled_then_taken_back(page, world):
    page(world.agent).post("/avis", GIVEN)
    admin = page(world.administrator)
    (opinion,) = admin.get("/avis/recus").context["opinions"]

    handled = admin.post(f"/avis/recus?avis={opinion.uid}", follow=True)
    with world.scope():
        assert Feedback.objects.get().handled_at is not None
    undo = f"/avis/recus?avis={opinion.uid}&amp;annuler=1"
    assert f'action="{undo}"' in handled.content.decode()
    admin.post(undo.replace("&amp;", "&"))

    with world.scope():
        assert Feedback.objects.get().handled_at is None
        trail = AuditEntry.objects.filter(action__startswith="feedback.").order_by("pk")
        assert list(trail.values_list("action", flat=True)) == [
            "feedback.create",
            "feedback.handle",
            "feedback.reopen",
        ]


def test_ten_opinions_a_day_are_enough(page, world):
    client = page(world.agent)
    for _ in range(10):
        assert client.post("/avis", GIVEN).status_code == 302

    answer = client.post("/avis", GIVEN)

    assert answer.status_code == 429
    assert GIVEN["text"] in answer.content.decode()  # what was typed is not lost
    assert page(world.analyst).post("/avis", GIVEN).status_code == 302


@pytest.mark.parametrize("change", [{"text": ""}, {"text": "x" * 2001}, {"kind": "insulte"}])
def test_an_incomplete_opinion_is_refused(page, world, change):
    assert page(world.agent).post("/avis", {**GIVEN, **change}).status_code == 422
    with world.scope():
        assert not Feedback.objects.exists()


def test_only_administrators_of_the_same_institution_read_opinions(page, world):
    page(world.agent).post("/avis", GIVEN)
    with world.scope():
        uid = Feedback.objects.get().uid
    foreign = page(world.outsider_admin)

    assert page(world.analyst).get("/avis/recus").status_code == 403
    assert list(foreign.get("/avis/recus").context["opinions"]) == []
    assert foreign.post(f"/avis/recus?avis={uid}").status_code == 404
    assert foreign.post("/avis/recus?avis=x").status_code == 404
    with world.scope():
        assert Feedback.objects.get().handled_at is None


def test_the_page_one_comes_from_is_filled_in(page, world):
    body = page(world.agent).get("/scores").content.decode()

    assert 'href="/avis?page=/scores"' in body
    assert page(world.agent).get("/avis?page=/scores").context["form"]["page"].value() == "/scores"


def test_alerts_are_marked_read_one_by_one_or_all(page, world):
    for _ in range(3):
        page(world.agent).post("/avis", GIVEN)
    deliver(world)
    admin = page(world.administrator)
    first = admin.get("/alertes").context["alerts"][0]

    admin.post(f"/alertes?alerte={first.uid}")
    assert "Alertes, 2 non lues" in admin.get("/").content.decode()
    second = admin.get("/alertes").context["alerts"][1]
    assert admin.post(f"/alertes?alerte={second.uid}&ouvrir=1")["Location"] == "/avis/recus"
    assert "Alertes, 1 non lue" in admin.get("/").content.decode()
    admin.post("/alertes")

    assert "Alertes, 0 non lue" in admin.get("/").content.decode()


def test_alerts_of_others_are_neither_shown_nor_marked(page, world):
    page(world.agent).post("/avis", GIVEN)
    deliver(world)
    with world.scope():
        alert = Alert.objects.get(code="feedback.received")

    for email in (world.analyst, world.outsider_admin):
        client = page(email)
        assert client.get("/alertes").context["alerts"] == []
        client.post(f"/alertes?alerte={alert.uid}")
        assert client.post(f"/alertes?alerte={alert.uid}&ouvrir=1")["Location"] == "/alertes"
        client.post("/alertes")

    with world.scope():
        assert Alert.objects.get(pk=alert.pk).read_at is None
