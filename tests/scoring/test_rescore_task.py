"""The background score, by a real worker on the embedded queue."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import CreditApplication
from apps.jobs.models import Job
from apps.jobs.services import create_job
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.services.portfolio import Report, rescore_if_due, rescore_next
from apps.scoring.services.scores import score_application
from apps.scoring.tasks import RESCORE, rescore_institution
from apps.tenancy.actor import task_actor
from apps.tenancy.celery import sign, verify
from apps.tenancy.errors import NoTenantScope, UntrustedMessage
from tests.scoring.proposing import put_in_force
from tests.workers import Queue, wait_for

TASK = "apps.scoring.tasks.rescore_institution"


def test_a_signature_belongs_to_one_message():
    header = sign("id-1", "task", 7)

    assert verify("id-1", "task", header) == 7
    for wrong in [
        ("id-2", "task", header),
        ("id-1", "other", header),
        ("id-1", "task", header.replace("7:", "8:", 1)),
    ]:
        with pytest.raises(UntrustedMessage):
            verify(*wrong)
    with pytest.raises(UntrustedMessage):
        verify("id-1", "task", None)


def test_a_task_is_not_sent_without_an_institution():
    with pytest.raises(NoTenantScope):
        rescore_institution.apply_async(["x"])


def test_a_message_without_a_stamp_is_refused():
    with pytest.raises(UntrustedMessage):
        rescore_institution("00000000-0000-4000-8000-000000000000")


@pytest.mark.django_db(transaction=True)
def test_real_workers_given_the_same_message_four_times_score_the_institution_once(world, tmp_path):
    with world.scope("ngwa"):
        job = create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo"))
        undecided = CreditApplication.objects.undecided().count()
    queue = Queue(tmp_path)
    queue.send(TASK, job.uid, world.institution_id("ngwa"), times=4)
    with queue.worker(concurrency=2):
        finished = wait_for(world, job.uid, "ngwa")

    assert (finished.status, finished.progress, finished.error, finished.attempts) == ("done", 100, "", 1)
    assert finished.result["scored"] + finished.result["unchanged"] == undecided
    with world.scope("ngwa"):
        assert Prediction.objects.filter(source="batch").count() == finished.result["scored"]
        assert AuditEntry.objects.filter(action="job.end", object_uid=job.uid).count() == 1
    with world.scope("horizon"):
        assert not Prediction.objects.filter(source="batch").exists()
    assert json.dumps(finished.result)


@pytest.mark.django_db
def test_a_run_tells_which_applications_changed_band(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        application = CreditApplication.objects.undecided().first()
        before, _created = score_application(application=application, by=by)
        figures = figures_of_policy(before.policy)
        put_in_force(world, replace(figures, thresholds={}, default_threshold=before.pd / 2))
        report = Report()
        last = rescore_next(report=report, since=timezone.now(), after=None, size=1_000, by=by)
        ended = rescore_next(report=report, since=timezone.now(), after=last, size=1_000, by=by)

    assert ended is None
    kept = report.to_json()
    moved = next(each for each in kept["moved"] if each["application"] == str(application.uid))
    assert (moved["before"], moved["after"]) == (before.band, "eleve")
    assert moved["pd_before"] == moved["pd_after"] == before.pd
    assert sum(kept["moves"].values()) == len(kept["moved"])
    assert json.dumps(kept)


@pytest.mark.django_db
def test_a_run_is_due_when_the_last_one_is_too_old(world):
    by = task_actor(world.institution_id("horizon"))
    with world.scope():
        first = rescore_if_due(by=by)
        assert first is not None
        assert rescore_if_due(by=by) is None
        Job.objects.filter(pk=first.pk).update(created_at=timezone.now() - dt.timedelta(days=91))
        assert rescore_if_due(by=by) is not None
