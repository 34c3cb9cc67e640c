"""What a failed view wrote is undone; the site's answer says so and tells nothing."""

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.services import record
from apps.credits.models import CreditApplication
from apps.scoring.models import Prediction
from apps.tenancy.errors import DomainError
from tests.predict import BODY

pytestmark = pytest.mark.django_db


class Boom(Exception):
    pass


def failing(error):
    def score(*_args, by, **_kwargs):
        record(by=by, action="test.written")
        raise error

    return score


def entries(world):
    with world.scope():
        return AuditEntry.objects.filter(action="test.written").count()


def scores(world):
    with world.scope():
        return Prediction.objects.count(), AuditEntry.objects.count()


@pytest.fixture
def reference(world):
    """Return the body of a score with a client's file behind it, which goes through a transaction."""
    with world.scope():
        client = CreditApplication.objects.select_related("client").first().client
    loan = {key: BODY[key] for key in ("montant_credit", "duree_mois", "taux_interet", "type_credit")}
    return {"client_reference": client.reference, **loan}


def test_a_500_leaves_nothing_written(api, world, monkeypatch, reference):
    monkeypatch.setattr("apps.api.v1.scoring.views.score_values", failing(Boom("password=secret")))
    client = api(world.analyst)
    client.raise_request_exception = False

    answer = client.post("/api/v1/predict", reference, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "secret" not in answer.content.decode()
    assert entries(world) == 0


def test_a_refusal_after_a_write_leaves_nothing_written(api, world, monkeypatch, reference):
    monkeypatch.setattr("apps.api.v1.scoring.views.score_values", failing(DomainError("non")))

    answer = api(world.analyst).post("/api/v1/predict", reference, content_type="application/json")

    assert answer.status_code == 422
    assert entries(world) == 0


@pytest.mark.parametrize(
    ("error", "status"), [(Boom("password=secret"), 500), (DomainError("non"), 422)], ids=["500", "422"]
)
@pytest.mark.parametrize("with_reference", [False, True], ids=["values", "reference"])
def test_an_answer_that_fails_after_the_score_stores_none(
    api, world, monkeypatch, reference, error, status, with_reference
):
    def render(*_given, **_named):
        raise error

    monkeypatch.setattr("apps.api.v1.scoring.views.prediction_body", render)
    monkeypatch.setattr("apps.api.direct.direct_body", render)
    client, before = api(world.analyst), scores(world)
    client.raise_request_exception = False
    body = reference if with_reference else BODY

    answer = client.post("/api/v1/predict", body, content_type="application/json")

    assert answer.status_code == status
    assert scores(world) == before


@pytest.mark.django_db(transaction=True)
def test_a_score_that_cannot_be_written_is_not_answered(api, world, monkeypatch):
    def refuse(*_given, **_named):
        raise IntegrityError("no")

    monkeypatch.setattr("apps.api.direct.keep_direct", refuse)
    monkeypatch.setattr("apps.scoring.services.scores.insert", refuse)
    client, before = api(world.analyst), scores(world)
    client.raise_request_exception = False

    answer = client.post("/api/v1/predict", BODY, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    monkeypatch.undo()
    assert scores(world) == before


def test_a_page_that_fails_leaves_nothing_written(page, world, monkeypatch):
    monkeypatch.setattr("apps.web.scoring.views.get_visible_prediction", failing(Boom()))
    monkeypatch.setattr(
        "apps.web.scoring.views.get_visible_prediction",
        lambda actor, _uid: failing(Boom())(by=actor),
    )
    client = page(world.analyst)
    client.raise_request_exception = False
    with world.scope():
        uid = Prediction.objects.first().uid

    assert client.get(f"/scores/{uid}").status_code == 500
    assert entries(world) == 0


@pytest.mark.parametrize("path", ["/connexion", "/api/v1/features-names"])
def test_a_database_that_is_down_is_503(path, monkeypatch):
    def down(*_args, **_kwargs):
        raise OperationalError("connection refused at /secret/path")

    monkeypatch.setattr("apps.users.middleware._caller", down)
    client = Client(raise_request_exception=False)

    answer = client.get(path)

    assert answer.status_code == 503
    assert "secret" not in answer.content.decode()
