"""The OpenAPI document: complete, the same as its snapshot, its examples right."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from django.test import Client
from django.utils.translation import override
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from tests.dictionary import SHARES

SNAPSHOT = Path(__file__).parent / "openapi.json"
REFRESH = "The document changed: look at what changed, then `make schema` and commit tests/api/openapi.json."


@pytest.fixture(scope="module")
def document():
    GENERATOR_STATS.reset()
    with override("en"):
        generated = SchemaGenerator().get_schema(public=True)
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})
    return json.loads(json.dumps(generated, default=str))


def operations(document):
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_equals_its_snapshot(document):
    assert document == json.loads(SNAPSHOT.read_text()), REFRESH


@pytest.mark.django_db  # the limit of the caller's address is counted
def test_the_document_is_what_the_site_serves(document):
    answer = Client().get("/api/schema")

    assert answer["Content-Type"].startswith("application/json")
    assert answer.json() == document
    assert answer.json()["openapi"].startswith("3.1")


def test_every_operation_is_described_in_french_with_its_refusals(document):
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags, path
        assert all(answer["description"] for answer in operation["responses"].values()), path
        if operation.get("security", [{}]) != [{}]:
            assert {"401"} <= set(operation["responses"]), (method, path)


def test_no_word_for_us_is_in_the_document(document):
    told = [operation.get("description", "") for _method, _path, operation in operations(document)]
    told += [schema.get("description", "") for schema in document["components"]["schemas"].values()]

    assert not [text for text in told if re.search(r"\b(the|that|which|with|without|of)\b", text)]


def test_every_post_but_those_of_authentication_takes_an_idempotency_key(document):
    taking, posts = set(), set()
    for method, path, operation in operations(document):
        if method == "post":
            posts.add(path)
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", [])):
            taking.add(path)
            assert {"409", "422"} <= set(operation["responses"]), path

    assert posts - taking == {"/api/v1/login", "/api/v1/logout", "/api/v1/token/refresh"}
    assert taking <= posts


def test_every_body_and_answer_has_an_example(document):
    schemas = document["components"]["schemas"]
    for method, path, operation in operations(document):
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (content for part in parts for content in part.get("content", {}).values()):
            if content["schema"].get("format") == "binary":  # a file
                continue
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert schemas[name].get("examples"), (method, path, name)


def test_every_example_is_what_its_schema_says(document):
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            jsonschema.Draft202012Validator(root).validate(example)


# --- headers and references ---------------------------------------------------------------------------

LIMITS = {"RateLimit", "RateLimit-Policy"}


def headers_of(document, path, method, status):
    return set(document["paths"][f"/api/v1/{path}"][method]["responses"][status]["headers"])


def test_every_answer_announces_its_limits_and_a_429_when_to_come_back(document):
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            named = set(answer["headers"])
            assert named >= LIMITS, (method, path, status)
            assert ("Retry-After" in named) is (status == "429"), (method, path, status)
            for name, header in answer["headers"].items():
                assert header == {"$ref": f"#/components/headers/{name}"}
    for header in document["components"]["headers"].values():
        assert header["description"]
        jsonschema.Draft202012Validator(header["schema"]).validate(header["example"])


@pytest.mark.parametrize(
    ("path", "method", "status", "others"),
    [
        ("clients/{uid}", "get", "200", {"ETag"}),
        ("clients/{uid}", "get", "304", {"ETag"}),
        ("clients/{uid}", "get", "404", set()),
        ("clients/{uid}", "patch", "200", {"ETag"}),
        ("clients/{uid}", "patch", "412", set()),
        ("clients", "get", "200", set()),
        ("clients", "post", "201", {"ETag", "Idempotent-Replayed"}),
        ("clients", "post", "401", set()),
        ("clients", "post", "409", {"Idempotent-Replayed"}),
        ("predict", "post", "201", {"Idempotent-Replayed"}),
        ("predict", "post", "422", {"Idempotent-Replayed"}),
        ("predict", "post", "503", set()),
        ("login", "post", "200", set()),
        ("webhooks", "post", "201", {"ETag", "Idempotent-Replayed"}),
    ],
)
def test_headers_are_told_where_they_are_sent(document, path, method, status, others):
    assert headers_of(document, path, method, status) == LIMITS | others


def test_the_three_references_of_a_score_exclude_each_other(document):
    root = {"$ref": "#/components/schemas/Predict", "components": document["components"]}
    fits = jsonschema.Draft202012Validator(root).is_valid
    uid = "6b0b8d1e-31f0-4f0e-9e0e-2f5a9d3c7b11"
    given = {"application_id": uid, "client_id": uid, "client_reference": "C-1"}

    assert "s'excluent" in document["components"]["schemas"]["Predict"]["description"]
    assert all(fits({name: given[name]}) for name in given)
    for left_out in given:
        assert not fits({name: given[name] for name in given if name != left_out})
    assert not fits(given)


def test_bodies_of_variables_take_those_that_an_institution_declared(document):
    schemas = document["components"]["schemas"]
    open_ones = {name for name, schema in schemas.items() if "patternProperties" in schema}

    assert open_ones == {"Predict", "NewApplication", "PatchedApplicationChange"}
    for name in open_ones:
        root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        check = jsonschema.Draft202012Validator(root)
        assert check.is_valid({"montant_credit": 450_000, SHARES: 4})
        assert not check.is_valid({"montant_credit": 450_000, "Inconnu": 4})
        assert not check.is_valid({"montant_credit": 450_000, SHARES: [4]})
