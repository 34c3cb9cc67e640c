"""Schemathesis: bodies and parameters made from the document, right and wrong; documented answers only."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.audit.models import AuditEntry
from apps.credits.models import Client, Credit, CreditApplication, ExternalCredit, ImportRun
from apps.institutions.models import Agency
from apps.outbox.models import Webhook
from apps.registry.models import ModelVersion, TrainingRun
from apps.reports.models import Report
from apps.scoring.models import PolicyProposal, Prediction, ScoringBatch
from config.wsgi import application
from tests.dictionary import SHARES, declared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("connection_kept")]


def as_of_an_institution(document):
    """Return the document with the one variable that the institution declares in place of any."""
    for schema in document["components"]["schemas"].values():
        if schema.pop("patternProperties", None):
            schema["properties"][SHARES] = {"type": ["integer", "null"], "minimum": 0, "maximum": 50}
    return document


DOCUMENT = as_of_an_institution(json.loads((Path(__file__).parent / "openapi.json").read_text()))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


def closed(environ, start_response):
    """Answer as the site does and close the answer, as every server does and the client of tests does not."""
    answer = application(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


SCHEMA.app = closed
SCHEMA.config.update(base_url="http://localhost")
OPERATIONS = {
    f"{method.upper()} {path}": (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
}
ROLES = ("analyste", "admin")
HEADERS = set(DOCUMENT["components"]["headers"])


def headers_are_documented(_context, response, case):
    """Assert that a header which the document knows is sent only where it says so."""
    answers = case.operation.definition.raw["responses"]
    told = set(answers.get(str(response.status_code), {}).get("headers", {}))
    sent = {name for name in HEADERS if name.lower() in response.headers}
    assert sent <= told, f"{sent - told} with {response.status_code}"


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    headers_are_documented,
]
#: Schemathesis asks for compressed answers and does not unpack what a WSGI application compresses.
PLAIN = {"Accept-Encoding": "identity"}
#: Resource -> the model whose rows it shows.
MODELS = {
    "agencies": Agency,
    "applications": CreditApplication,
    "audit": AuditEntry,
    "batches": ScoringBatch,
    "clients": Client,
    "credits": Credit,
    "external-credits": ExternalCredit,
    "imports": ImportRun,
    "models": ModelVersion,
    "policies": PolicyProposal,
    "predictions": Prediction,
    "reports": Report,
    "training-runs": TrainingRun,
    "webhooks": Webhook,
}
#: Field of a body or a query -> the resource that it names.
FIELDS = {
    "agency": "agencies",
    "application": "applications",
    "application_id": "applications",
    "client": "clients",
    "client_id": "clients",
    "credit": "credits",
    "prediction": "predictions",
}
#: A body names one of these at most.
REFERENCES = ("client_id", "client_reference", "application_id")


@pytest.fixture
def connection_kept():
    """Keep the connection open at the end of a request: the test's transaction is in it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def cases(world, path, method):
    """Return right and wrong cases of an operation; two thirds of them name only objects that exist."""
    operation = SCHEMA[path][method.upper()]
    modes = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
    found = existing(world)
    return st.one_of(modes).flatmap(
        lambda case: st.just(case) | named(case, path, found) | named(case, path, found)
    )


@st.composite
def named(draw, case, path, found):
    """Return the case with identifiers of rows that exist, past ``If-Match`` and ``Idempotency-Key``."""
    if "{uid}" in path:
        case.path_parameters = {"uid": draw(st.sampled_from(found[path.split("/")[3]]))}
    for part in ("query", "body"):
        given = getattr(case, part)
        if isinstance(given, dict):
            right = {name: draw(st.sampled_from(found[FIELDS[name]])) for name in FIELDS if name in given}
            several = [name for name in REFERENCES if name in given][1:]
            kept = {name: value for name, value in given.items() if name not in several}
            setattr(case, part, {**kept, **{name: right[name] for name in right if name in kept}})
    if case.method == "PATCH":
        case.headers["If-Match"] = "*"
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
    return case


def existing(world):
    """Return identifiers of rows: of applications, one in each state."""
    with world.scope():
        found = {
            name: [str(uid) for uid in model.objects.order_by("pk").values_list("uid", flat=True)[:5]]
            for name, model in MODELS.items()
        }
        states = CreditApplication.objects.order_by("status", "pk").distinct("status")
        found["applications"] = [str(uid) for uid in states.values_list("uid", flat=True)]
    return {**found, "users": [str(world.user(world.auditor).uid)]}


def attack(world, name, roles, examples):
    """Send the cases of an operation, each as one of the roles; nobody logs in twice."""
    path, method = OPERATIONS[name]
    declared(world)
    tokens = [world.access_token(f"{role}@horizon.demo") for role in roles]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(world, path, method), token=st.sampled_from(tokens))
    def answers_as_documented(case, token):
        case.call_and_validate(headers={**PLAIN, "Authorization": f"Bearer {token}"}, checks=CHECKS)

    answers_as_documented()


@pytest.mark.parametrize("name", OPERATIONS)
def test_fifty_cases_a_route(world, name):
    attack(world, name, ROLES, 50)


@pytest.mark.soak
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_two_thousand_cases_a_role(world, name, role):
    attack(world, name, [role], 2_000)
