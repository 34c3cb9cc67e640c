"""kill -9 of the worker in the middle of a training run: it ends as failed, and can be tried again."""

import datetime as dt

import pytest
from django.conf import settings
from django.utils import timezone

from apps.jobs.models import Job
from apps.jobs.services import recover_jobs
from apps.registry.models import ModelVersion, TrainingRun
from apps.registry.services.training_runs import ask_training, retry_training
from tests.workers import Queue, kill, wait_for

TASK = "apps.scoring.tasks.train_candidates"
#: Beyond this share of the whole the data are read and the first candidate is being trained.
TRAINING = 13


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_a_run_that_failed_and_can_be_tried_again(world, tmp_path):
    horizon, manager = world.institution_id("horizon"), world.actor(world.risk_manager)
    with world.scope():
        versions = ModelVersion.objects.count()
        run = ask_training(by=manager, candidates=("scorecard", "logistic"), split="nested")
    uid, queue = run.job.uid, Queue(tmp_path)
    queue.send(TASK, uid, horizon)

    killed = queue.start()
    half = wait_for(world, uid, progress=TRAINING)
    kill(killed)

    assert half.status == "running"
    with world.scope():
        silent = timezone.now() - settings.JOB_LOST_AFTER - dt.timedelta(seconds=1)
        Job.objects.filter(uid=uid).update(heartbeat_at=silent)  # as if that time had passed
        assert recover_jobs() == [(uid, TASK)]
    queue.send(TASK, uid, horizon)
    with queue.worker():
        failed = wait_for(world, uid)

        with world.scope():
            run = TrainingRun.objects.select_related("job").get(pk=run.pk)
            assert (failed.status, failed.attempts, run.result, run.written) == ("failed", 2, None, {})
            assert failed.error
            assert run.data["rows"] > 0  # what it had read is still told
            assert ModelVersion.objects.count() == versions
            retry_training(run=run, by=manager)
        queue.send(TASK, uid, horizon)
        again = wait_for(world, uid)

    assert (again.status, again.error) == ("done", "")
    with world.scope():
        run.refresh_from_db()
    assert {each["kind"] for each in run.result["candidates"]} == {"scorecard", "logistic"}
    assert set(run.written) == {"scorecard"}
