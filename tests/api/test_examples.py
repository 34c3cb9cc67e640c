"""What partners copy works as it is printed: the client, the collection, the lines of the README."""

import hashlib
import hmac
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from apps.outbox.rules import signature_of

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "examples" / "python" / "client.py"
GUIDE = ROOT / "docs" / "guide" / "api.md"
DEMO = "http://127.0.0.1:8000"


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.django_db(transaction=True)
def test_the_client_and_the_readme_work_against_the_site(world, live_server):
    """One test, since each one that serves costs a fresh database."""
    client = module(CLIENT)

    ran = subprocess.run(
        [sys.executable, CLIENT, live_server.url, world.analyst, settings.DEMO_PASSWORD],
        capture_output=True,
        text=True,
        check=True,
    )
    assert " points (" in ran.stdout
    assert len(ran.stdout.splitlines()) >= 2

    api = client.CrediSense(live_server.url, email=world.analyst, password=settings.DEMO_PASSWORD)
    with pytest.raises(client.Refused) as refusal:
        api.predict({**client.EXAMPLE, "age": 12})
    assert (refusal.value.status, list(refusal.value.problem["fields"])) == (422, ["age"])
    rows = list(api.listed("agencies", limit=1))
    assert len(rows) > 1
    assert len({row["id"] for row in rows}) == len(rows)

    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    lines = re.search(r"```sh\n(TOKEN=.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert lines.count("curl ") == 3
    told = subprocess.run(
        ["sh", "-e", "-c", lines.replace(DEMO, live_server.url)], capture_output=True, text=True, check=True
    ).stdout
    score, listed = re.split(r"(?<=})(?={\"results)", told)
    assert json.loads(score)["id"] == json.loads(listed)["results"][0]["id"]
    the_lines_of_the_guide_work(live_server.url)


def the_lines_of_the_guide_work(site):
    """Run what the guide prints for partners; a second time, the same key gives the same score."""
    lines = re.search(r"```sh\n(SITE=.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    assert lines.count("curl ") == 4
    lines = lines.replace(DEMO, site).replace("curl -s", "echo; curl -s")
    for _ in range(2):
        told = subprocess.run(["sh", "-e", "-c", lines], capture_output=True, text=True, check=True).stdout
        names, score, listed, refused = (json.loads(line) for line in told.splitlines() if line)
        assert "montant_credit" in str(names)
        assert [score["id"]] == [row["id"] for row in listed["results"]][:1]
        assert (refused["status"], refused["code"]) == (422, "invalid_values")
        assert "age" in refused["fields"]


def test_the_signature_of_the_guide_is_ours():
    """The lines of Python that the guide prints tell a webhook from a forgery."""
    code = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    place = {"hmac": hmac, "hashlib": hashlib, "time": time}
    exec(code, place)  # noqa: S102  what the guide prints
    body = b'{"event": "prediction.created"}'
    signature = signature_of(body, secret="secret", at=int(time.time()))

    assert place["vient_de_credisense"](signature, body, "secret")
    assert not place["vient_de_credisense"](signature, body + b" ", "secret")
    assert not place["vient_de_credisense"](signature, body, "another")
    late = signature_of(body, secret="secret", at=int(time.time()) - 301)
    assert not place["vient_de_credisense"](late, body, "secret")


def test_a_webhook_is_told_from_a_forgery():
    client = module(CLIENT)
    body, secret = b'{"event": "prediction.created"}', "secret"
    signature = f"t=1000,v1={hmac.new(secret.encode(), b'1000.' + body, hashlib.sha256).hexdigest()}"

    assert client.is_ours(signature, body, secret, now=1_010)
    assert not client.is_ours(signature, body + b" ", secret, now=1_010)
    assert not client.is_ours(signature, body, "other", now=1_010)
    assert not client.is_ours(signature, body, secret, now=9_999)
    assert not client.is_ours("v1=x", body, secret, now=1_010)


def test_the_collection_is_that_of_the_document():
    generate = module(ROOT / "examples" / "postman" / "generate.py")
    fresh = generate.collection(json.loads(generate.DOCUMENT.read_text()))

    assert json.loads(generate.COLLECTION.read_text()) == fresh, "run `make schema` and commit what changed"
