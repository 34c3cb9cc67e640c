"""What identifies a client stays in its row: not in logs, error reports, messages of tasks, the trail."""

import io
import json
import logging

import pytest
from django.core import mail
from django.test import Client as Browser

from apps.audit.models import AuditEntry
from apps.credits.models import Client, CreditApplication
from apps.scoring.services.scores import score_application
from apps.scoring.tasks import rescore_institution
from tests.predict import BODY

pytestmark = pytest.mark.django_db

NAME, PHONE, DOCUMENT = "Zzmarqueurnom", "690123987", "ZZMARQUE987"
MARKERS = (NAME, PHONE, DOCUMENT)


class Boom(Exception):
    pass


@pytest.fixture
def written(settings):
    """Return what every handler of the log would write, at every level, with traces."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("", "apps", "django", "django.request", "celery")]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    yield stream.getvalue
    for logger, level in before:
        logger.setLevel(level)
        logger.removeHandler(handler)


@pytest.fixture
def application(world):
    """Mark a client that has an undecided application."""
    with world.scope():
        found = CreditApplication.objects.undecided().select_related("client").first()
        client = found.client
        client.last_name, client.phone, client.document_number = NAME, PHONE, DOCUMENT
        client.save()
        return CreditApplication.objects.select_related("client").get(pk=found.pk)


def absent(text):
    return [marker for marker in MARKERS if marker.lower() in text.lower()]


def test_the_marker_would_be_seen(written):
    logging.getLogger("apps.example").warning("Client %s", NAME)

    assert absent(written()) == [NAME]


def test_a_score_logs_and_records_no_personal_data(world, application, written, page):
    with world.scope():
        prediction, _created = score_application(application=application, by=world.actor(world.analyst))
        uid = prediction.uid
    shown = page(world.analyst).get(f"/scores/{uid}")

    assert NAME in shown.content.decode()
    assert absent(written()) == []
    with world.scope():
        trail = list(AuditEntry.objects.order_by("-pk").values()[:20])
    assert absent(json.dumps(trail, default=str)) == []


def test_a_refusal_and_a_failure_log_no_personal_data(world, application, written, api, page, monkeypatch):
    body = {**BODY, "age": NAME, "revenu_mensuel": PHONE, "type_credit": DOCUMENT}
    refused = api(world.analyst).post("/api/v1/predict", body, content_type="application/json")

    def fail(*_args, **_kwargs):
        raise Boom(f"client {application.client.uid}")

    monkeypatch.setattr("apps.api.v1.scoring.views.score_values", fail)
    monkeypatch.setattr("apps.api.direct.score_direct", fail)
    client = api(world.analyst)
    client.raise_request_exception = False
    failed = client.post("/api/v1/predict", {**BODY, "note": NAME}, content_type="application/json")
    form = {"nom": NAME, "telephone": PHONE, "numero": DOCUMENT}
    page(world.analyst).post("/demandes/nouvelle", form)
    Browser().post("/connexion", {"email": f"{NAME}@example.cm", "password": DOCUMENT})

    assert (refused.status_code, failed.status_code) == (422, 500)
    assert "Internal Server Error" in written()
    assert absent(written()) == []
    assert not mail.outbox


def test_messages_of_tasks_hold_identifiers_only(world, application, monkeypatch):
    sent = []
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda _task, *a, **k: sent.append((a, k)))

    rescore_institution.apply_async([str(application.uid)], institution_id=world.institution_id("horizon"))

    assert len(sent) == 1
    assert absent(json.dumps(sent, default=str)) == []


def test_rows_describe_themselves_without_document_or_phone(world, application):
    with world.scope():
        client = Client.objects.get(pk=application.client_id)

    assert absent(repr(client) + str(client)) == [NAME]
