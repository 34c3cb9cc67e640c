"""training-runs: list, request, detail, cancel, a candidate kept."""

import pytest

from apps.jobs.models import Job
from apps.registry.models import TrainingRun
from apps.scoring.tasks import train_candidates
from tests.api.sending import NOBODY, send

pytestmark = pytest.mark.django_db

RUNS = "/api/v1/training-runs"


@pytest.fixture
def risks(api, world):
    return api(world.risk_manager)


@pytest.fixture
def sent(monkeypatch):
    found = []
    monkeypatch.setattr(train_candidates, "apply_async", lambda args, **_told: found.append(args))
    return found


@pytest.fixture
def run(risks):
    """Return the run of the world, as the API tells it."""
    (line,) = risks.get(RUNS).json()["results"]
    return risks.get(f"{RUNS}/{line['id']}").json()


def test_runs_are_listed_and_read(api, world):
    client = api(world.auditor)

    (line,) = client.get(RUNS).json()["results"]
    body = client.get(f"{RUNS}/{line['id']}").json()

    assert (line["status"], line["candidates"]) == ("done", ["scorecard", "dummy"])
    assert {name: body[name] for name in line} == line
    assert body["result"]["recommended"]["kind"] == line["recommended"] == "scorecard"
    assert len(body["data_sha256"]) == 64
    assert body["versions"] == {}
    assert client.get(RUNS, {"status": "failed"}).json()["results"] == []
    assert client.get(RUNS, {"status": "x"}).status_code == 422


def test_a_run_is_asked_and_followed(risks, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(risks, "post", RUNS, {"candidates": ["scorecard"], "seed": 7})

    body = answer.json()
    assert (answer.status_code, answer["Location"]) == (202, body["links"]["self"])
    assert (body["status"], body["settings"]["seed"], body["settings"]["split"]) == ("queued", 7, "auto")
    assert len(sent) == 1
    assert send(risks, "post", RUNS).json()["code"] == "training_refused"


def test_a_run_is_cancelled_and_tried_again(risks, world, sent):
    body = send(risks, "post", RUNS).json()

    assert send(risks, "post", body["links"]["cancel"]).json()["status"] == "cancelled"
    assert send(risks, "post", body["links"]["cancel"]).status_code == 409
    again = send(risks, "post", body["links"]["retry"])

    assert (again.status_code, again.json()["status"]) == (202, "queued")
    with world.scope():
        uid = TrainingRun.objects.latest("number").job.uid
        assert Job.objects.get(uid=uid).attempts == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"candidates": []}, "candidates"),
        ({"candidates": ["magic"]}, "candidates.0"),
        ({"folds": 1}, "folds"),
        ({"split": "x"}, "split"),
        ({"observed_on": "2999-01-01"}, "observed_on"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wish_that_cannot_be_is_named(risks, body, field):
    answer = send(risks, "post", RUNS, body)

    assert answer.status_code == 422
    assert field in answer.json()["fields"]


def test_a_candidate_is_kept(risks, run):
    answer = send(risks, "post", run["links"]["keep"], {"kind": "scorecard"})

    version = answer.json()
    assert (answer.status_code, version["status"], version["origin"]) == (201, "candidate", "trained")
    assert risks.get(run["links"]["self"]).json()["versions"] == {"scorecard": version["id"]}
    assert send(risks, "post", run["links"]["keep"], {"kind": "scorecard"}).json()["code"] == "model_refused"
    assert send(risks, "post", run["links"]["keep"], {"kind": "dummy"}).status_code == 422


def test_others_ask_and_keep_nothing(api, run):
    committee = api("comite@horizon.demo")

    assert send(committee, "post", RUNS).status_code == 403
    assert send(committee, "post", run["links"]["keep"], {"kind": "scorecard"}).status_code == 403
    assert committee.get(RUNS).status_code == 200


def test_an_unknown_run_is_not_found(risks):
    assert risks.get(f"{RUNS}/{NOBODY}").status_code == 404
    assert send(risks, "post", f"{RUNS}/{NOBODY}/cancel").status_code == 404
