"""From the institution's own history to production under load: no error, no mixture, all replayed."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.registry.models import ModelVersion, TrainingRun
from apps.registry.services.promotions import approve_promotion, propose_promotion
from apps.registry.services.training_keeping import register_candidate
from apps.scoring.models import Prediction
from apps.scoring.services.scores import replay_prediction
from tests.predict import BODY

COMMITTEE = "comite@horizon.demo"
#: Requests a second, for how long, and after how many of them the second person approves.
RATE, SECONDS, APPROVED_AFTER = 50, 6, 100
THREADS = 4


def asked_for(token, answers):
    """Start threads that send requests at their hours, whatever the answers take; return them."""
    begins = time.monotonic() + 0.2

    def ask(number):
        client = Client(headers={"Authorization": f"Bearer {token}"})
        for place in range(number, RATE * SECONDS, THREADS):
            time.sleep(max(0.0, begins + place / RATE - time.monotonic()))
            body = {**BODY, "age": 20 + place % 40}
            answers.append(client.post("/api/v1/predict", body, content_type="application/json"))
        connection.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.django_db(transaction=True)
def test_fifty_requests_a_second_while_an_own_model_comes_into_production(world, record_property):
    with world.scope():
        risks, committee = world.actor(world.risk_manager), world.actor(COMMITTEE)
        version = register_candidate(run=TrainingRun.objects.get(), kind="scorecard", by=risks)
        promotion = propose_promotion(
            version=version, by=risks, reason="Entraîné sur nos crédits", explanation="Vu en comité"
        )
        before = Prediction.objects.count()
    answers = []

    started = time.monotonic()
    threads = asked_for(world.access_token(world.analyst), answers)
    while len(answers) < APPROVED_AFTER:
        time.sleep(0.02)
    with world.scope():
        approve_promotion(promotion=promotion, by=committee)
    switched = timezone.now()
    for thread in threads:
        thread.join()

    record_property("requests a second", round(len(answers) / (time.monotonic() - started), 1))
    assert [answer.status_code for answer in answers] == [201] * (RATE * SECONDS)
    bodies = {answer.json()["id"]: answer.json() for answer in answers}
    settled = switched + dt.timedelta(seconds=1)
    late = [each for each in bodies.values() if dt.datetime.fromisoformat(each["date"]) > settled]
    assert {each["modele"]["nom"] for each in late} == {version.name}
    with world.scope():
        stored = list(Prediction.objects.select_related("model_version", "policy").order_by("pk")[before:])
        used = {each.model_version_id for each in stored}
        replays = [replay_prediction(prediction=each, by=risks) for each in stored]
        names = dict(ModelVersion.objects.values_list("pk", "name"))

    assert {str(each.uid) for each in stored} == set(bodies)
    assert {names[pk] for pk in used} == {"defaut-imf", version.name}
    assert all(bodies[str(each.uid)]["modele"]["nom"] == names[each.model_version_id] for each in stored)
    assert all(replay.identical for replay in replays)
