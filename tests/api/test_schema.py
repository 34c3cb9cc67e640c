"""The OpenAPI document: complete, the same as its snapshot, its examples right."""

import json
from pathlib import Path

import jsonschema
import pytest
from django.test import Client
from django.utils.translation import override
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

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
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert schemas[name].get("examples"), (method, path, name)


def test_every_example_is_what_its_schema_says(document):
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            jsonschema.Draft202012Validator(root).validate(example)
