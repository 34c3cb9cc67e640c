"""What is told to the outside: with the fact or not at all, again after a failure, once."""

import datetime as dt
import smtplib
import threading

import pytest
from django.core import mail
from django.db import connection, models
from django.db.models.functions import Cast
from django.utils import timezone

from apps.institutions.models import Institution
from apps.outbox.enums import MessageKind
from apps.outbox.models import Alert, OutboxMessage
from apps.outbox.queries import unread_alerts
from apps.outbox.services import (
    MAX_ATTEMPTS,
    Letter,
    delay_after,
    deliver_next,
    enqueue,
    enqueue_alert,
    mark_read,
)
from apps.outbox.tasks import deliver_outbox

LETTER = Letter(to="paul@example.org", subject="Bonjour", text="Votre lien : secret-651234567")


@pytest.fixture(autouse=True)
def _empty(world):
    """Start from empty boxes: the world holds one message in each institution."""
    for code in ("horizon", "ngwa"):
        with world.scope(code):
            Alert.objects.all().delete()
            OutboxMessage.objects.all().delete()


def letter():
    return enqueue(kind=MessageKind.EMAIL, payload={"about": "x"}, letter=LETTER)


def again(message):
    return OutboxMessage.objects.get(pk=message.pk)


@pytest.fixture
def broken_server(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise smtplib.SMTPRecipientsRefused({"paul@example.org": (550, b"no")})

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    return monkeypatch


@pytest.mark.django_db(transaction=True)
def test_a_letter_leaves_once_and_is_forgotten(world):
    with world.scope():
        message = letter()

    deliver_outbox()
    deliver_outbox()

    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == ([LETTER.to], LETTER.subject, LETTER.text)
    assert sent.extra_headers["Message-ID"] == f"<{message.uid}@credisense>"
    with world.scope():
        assert (again(message).status, again(message).letter, again(message).attempts) == ("sent", "", 1)


@pytest.mark.django_db(transaction=True)
def test_nothing_leaves_for_what_was_undone(world):
    def undone():
        with world.scope():
            letter()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()

    deliver_outbox()

    assert mail.outbox == []


@pytest.mark.django_db
def test_a_waiting_letter_is_unreadable_in_the_table(world):
    with world.scope():
        letter()
        (raw,) = OutboxMessage.objects.annotate(raw=Cast("letter", models.TextField())).values_list(
            "raw", flat=True
        )

    assert "651234567" not in raw
    assert "paul" not in raw


@pytest.mark.django_db
def test_a_failure_waits_longer_each_time_then_is_final(world, broken_server):
    with world.scope():
        message = letter()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            assert again(message).status == "pending"
            assert deliver_next()
            assert not deliver_next()
            kept = again(message)
            assert (kept.attempts, kept.last_error) == (attempt, "SMTPRecipientsRefused")
            if attempt < MAX_ATTEMPTS:
                wait = (kept.next_attempt_at - timezone.now()).total_seconds()
                assert wait == pytest.approx(delay_after(attempt).total_seconds(), abs=5)
            OutboxMessage.objects.filter(pk=message.pk).update(next_attempt_at=timezone.now())
        assert (again(message).status, again(message).letter) == ("failed", "")
        assert not deliver_next()


def test_delays_grow_and_stay_bounded():
    assert [delay_after(n).total_seconds() for n in range(1, 8)] == [30, 120, 480, 1920, 7680, 21600, 21600]


@pytest.mark.django_db
def test_after_a_failure_the_next_attempt_succeeds(world, broken_server):
    with world.scope():
        message = letter()
        deliver_next()
        broken_server.undo()
        OutboxMessage.objects.filter(pk=message.pk).update(
            next_attempt_at=timezone.now() - dt.timedelta(seconds=1)
        )

        assert deliver_next()

        assert (again(message).status, again(message).attempts, again(message).last_error) == ("sent", 2, "")


@pytest.mark.django_db(transaction=True)
def test_one_bad_message_does_not_hold_back_the_others(world):
    with world.scope():
        bad = enqueue_alert(code="x", recipients=[0], payload={})
        letter()
    with world.scope("ngwa"):
        letter()

    deliver_outbox()

    assert len(mail.outbox) == 2
    with world.scope():
        assert again(bad).status == "pending"


@pytest.mark.django_db(transaction=True)
def test_an_alert_reaches_its_people_and_is_read_by_them_only(world):
    analyst, auditor = world.actor(world.analyst), world.actor(world.auditor)
    with world.scope():
        enqueue_alert(code="drift", recipients=[analyst.id, analyst.id], payload={"model": "m"})

    deliver_outbox()

    with world.scope():
        (alert,) = unread_alerts(analyst)
        assert (alert.code, alert.payload) == ("drift", {"model": "m"})
        assert not unread_alerts(auditor).exists()
        assert not mark_read(alert=alert, by=auditor)
        assert mark_read(alert=alert, by=analyst)
        assert not unread_alerts(analyst).exists()
    with world.scope("ngwa"):
        assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_letter_once(world):
    with world.scope():
        for _ in range(20):
            letter()

    def work():
        deliver_outbox()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver_outbox()

    identifiers = [sent.extra_headers["Message-ID"] for sent in mail.outbox]
    assert len(identifiers) == len(set(identifiers)) == 20


@pytest.mark.django_db(transaction=True)
def test_a_suspended_institution_sends_nothing_until_it_is_back(world):
    with world.scope():
        letter()
    Institution.objects.filter(code="horizon").update(status="suspended")

    deliver_outbox()
    assert mail.outbox == []

    Institution.objects.filter(code="horizon").update(status="active")
    deliver_outbox()
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_an_e_mail_needs_a_letter_and_nothing_else_has_one(world):
    with world.scope():
        with pytest.raises(ValueError, match="letter"):
            enqueue(kind=MessageKind.EMAIL, payload={})
        with pytest.raises(ValueError, match="letter"):
            enqueue(kind=MessageKind.ALERT, payload={}, letter=LETTER)
