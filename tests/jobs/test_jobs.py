"""A job's life: claimed by one worker, stopped when asked, tried again, ended once."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import CreditApplication
from apps.institutions.models import Institution
from apps.jobs.errors import JobNotChangeable, JobStopped
from apps.jobs.models import Job
from apps.jobs.services import (
    MAX_ATTEMPTS,
    claim_job,
    create_job,
    fail_job,
    finish_job,
    recover_jobs,
    release_job,
    report_progress,
    request_cancel,
    retry_job,
)
from apps.jobs.tasks import requeue_lost_jobs
from apps.scoring.models import Prediction
from apps.scoring.tasks import RESCORE, rescore_institution
from apps.tenancy.celery import HEADER, sign
from apps.tenancy.errors import InvalidValues

TASK = "apps.scoring.tasks.rescore_institution"


@pytest.fixture
def manager(world):
    return world.actor(world.risk_manager)


@pytest.fixture
def job(world, manager):
    with world.scope():
        yield create_job(kind=RESCORE, by=manager)


def again(job):
    return Job.objects.get(pk=job.pk)


def ends(job):
    return AuditEntry.objects.filter(action="job.end", object_uid=job.uid).count()


def silence(job, minutes=11):
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - dt.timedelta(minutes=minutes))


def run(institution_id, job, *, copies=1):
    """Run the task's body here, as a worker would on a signed message."""
    for number in range(copies):
        task_id = f"id-{number}"
        headers = {HEADER: sign(task_id, TASK, institution_id)}
        rescore_institution.apply([str(job.uid)], task_id=task_id, headers=headers, throw=True)


@pytest.mark.django_db
def test_a_job_is_claimed_progresses_and_ends(job):
    claim = claim_job(uid=job.uid)
    report_progress(claim=claim, percent=40)
    assert (again(job).status, again(job).progress, again(job).attempts) == ("running", 40, 1)

    finish_job(claim=claim, result={"scored": 3})

    ended = again(job)
    assert (ended.status, ended.progress, ended.result, ended.claim) == ("done", 100, {"scored": 3}, None)
    assert ended.started_at <= ended.finished_at
    assert ends(job) == 1


@pytest.mark.django_db
def test_a_running_job_is_refused_to_a_second_worker(job):
    assert claim_job(uid=job.uid) is not None
    assert claim_job(uid=job.uid) is None


@pytest.mark.django_db
def test_a_silent_worker_loses_its_job_and_writes_nothing_more(job):
    dead = claim_job(uid=job.uid)
    silence(job)
    alive = claim_job(uid=job.uid)

    for late in (
        lambda: report_progress(claim=dead, percent=99),
        lambda: finish_job(claim=dead, result={"by": "dead"}),
    ):
        with pytest.raises(JobStopped):
            late()
    fail_job(claim=dead, error="late", again=False)
    release_job(claim=dead)
    assert again(job).status == "running"
    finish_job(claim=alive, result={"by": "alive"})

    assert (again(job).result, again(job).attempts, ends(job)) == ({"by": "alive"}, 2, 1)
    with pytest.raises(JobStopped):
        finish_job(claim=alive, result={"by": "twice"})
    assert ends(job) == 1


@pytest.mark.django_db
def test_a_queued_job_is_cancelled_at_once(job, manager):
    request_cancel(job=job, by=manager)

    assert again(job).status == "cancelled"
    assert claim_job(uid=job.uid) is None
    assert ends(job) == 1
    with pytest.raises(JobNotChangeable):
        request_cancel(job=job, by=manager)


@pytest.mark.django_db
def test_a_running_job_stops_at_its_next_chunk(job, manager):
    claim = claim_job(uid=job.uid)
    request_cancel(job=job, by=manager)
    assert again(job).status == "running"

    with pytest.raises(JobStopped):
        report_progress(claim=claim, percent=50)
    release_job(claim=claim)

    assert (again(job).status, ends(job)) == ("cancelled", 1)


@pytest.mark.django_db
def test_a_failure_is_tried_again_until_its_attempts_are_used(job):
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claim = claim_job(uid=job.uid)
        fail_job(claim=claim, error=f"error {attempt}", again=True)
        expected = "failed" if attempt == MAX_ATTEMPTS else "queued"
        assert (again(job).status, again(job).attempts) == (expected, attempt)

    assert (again(job).error, ends(job)) == (f"error {MAX_ATTEMPTS}", 1)
    assert claim_job(uid=job.uid) is None


@pytest.mark.django_db
def test_a_failed_job_can_be_asked_for_again(job, manager):
    with pytest.raises(JobNotChangeable):
        retry_job(job=job, by=manager)
    fail_job(claim=claim_job(uid=job.uid), error="refused", again=False)

    retry_job(job=job, by=manager)

    assert (again(job).status, again(job).attempts, again(job).finished_at) == ("queued", 0, None)
    finish_job(claim=claim_job(uid=job.uid), result={})
    assert again(job).error == ""


@pytest.mark.django_db
def test_only_lost_jobs_are_sent_again_and_not_twice(job, manager):
    waiting, running = create_job(kind=RESCORE, by=manager), create_job(kind=RESCORE, by=manager)
    claim_job(uid=running.uid)
    claim_job(uid=job.uid)
    silence(job)
    Job.objects.filter(pk=waiting.pk).update(queued_at=timezone.now() - dt.timedelta(minutes=11))

    assert sorted(recover_jobs()) == sorted([(job.uid, TASK), (waiting.uid, TASK)])
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now())
    assert recover_jobs() == []


@pytest.mark.django_db
def test_a_job_that_kills_its_workers_ends_as_failed(job):
    for _ in range(MAX_ATTEMPTS):
        claim_job(uid=job.uid)
        silence(job)

    assert recover_jobs() == []

    assert (again(job).status, again(job).attempts, ends(job)) == ("failed", MAX_ATTEMPTS, 1)
    assert again(job).error


@pytest.mark.django_db
def test_a_dead_worker_does_not_outlive_a_cancellation(job, manager):
    claim_job(uid=job.uid)
    request_cancel(job=job, by=manager)
    silence(job)

    assert recover_jobs() == []
    assert (again(job).status, ends(job)) == ("cancelled", 1)


@pytest.mark.django_db
def test_a_job_of_another_institution_cannot_be_claimed(world, manager):
    with world.scope():
        uid = create_job(kind=RESCORE, by=manager).uid

    with world.scope("ngwa"):
        assert claim_job(uid=uid) is None
    with world.scope():
        assert claim_job(uid=uid) is not None


@pytest.mark.django_db(transaction=True)
def test_of_ten_workers_at_once_one_gets_the_job(world):
    with world.scope("ngwa"):
        job = create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo"))
    start, claims = threading.Barrier(10), []

    def take():
        start.wait()
        with world.scope("ngwa"):
            claims.append(claim_job(uid=job.uid))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claims) == 10
    assert sum(claim is not None for claim in claims) == 1


@pytest.mark.django_db(transaction=True)
def test_the_task_ends_its_job_once_however_often_it_is_delivered(world):
    ngwa = world.institution_id("ngwa")
    with world.scope("ngwa"):
        job = create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo"))

    run(ngwa, job, copies=3)

    with world.scope("ngwa"):
        assert (again(job).status, again(job).attempts, ends(job)) == ("done", 1, 1)
        assert again(job).result["scored"] + again(job).result["unchanged"] == (
            CreditApplication.objects.undecided().count()
        )


@pytest.mark.django_db(transaction=True)
def test_a_refusal_fails_the_job_and_a_crash_queues_it(world, monkeypatch):
    ngwa = world.institution_id("ngwa")
    with world.scope("ngwa"):
        refused, crashed = (create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo")) for _ in range(2))

    def failing(cause):
        def chunk(**_kwargs):
            raise cause

        return chunk

    monkeypatch.setattr("apps.scoring.tasks.rescore_next", failing(InvalidValues("Refusé.")))
    run(ngwa, refused)
    monkeypatch.setattr("apps.scoring.tasks.rescore_next", failing(ZeroDivisionError("client 699001122")))
    run(ngwa, crashed)

    with world.scope("ngwa"):
        assert (again(refused).status, again(refused).error) == ("failed", "Refusé.")
        assert (again(crashed).status, again(crashed).error) == ("queued", "ZeroDivisionError")


@pytest.mark.django_db(transaction=True)
def test_a_suspended_institution_has_no_task_run(world):
    ngwa = world.institution_id("ngwa")
    with world.scope("ngwa"):
        job = create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo"))
    Institution.objects.filter(pk=ngwa).update(status="suspended")

    run(ngwa, job)
    requeue_lost_jobs()

    with world.scope("ngwa"):
        assert (again(job).status, again(job).attempts) == ("queued", 0)


@pytest.mark.django_db(transaction=True)
def test_a_suspension_stops_a_running_task_at_its_next_chunk(world, monkeypatch):
    ngwa = world.institution_id("ngwa")
    with world.scope("ngwa"):
        job = create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo"))
        before = Prediction.objects.count()
    from apps.scoring.services.portfolio import rescore_next

    def chunk_then_suspend(**kwargs):
        done = rescore_next(**{**kwargs, "size": 5})
        Institution.objects.filter(pk=ngwa).update(status="suspended")
        return done

    monkeypatch.setattr("apps.scoring.tasks.rescore_next", chunk_then_suspend)
    run(ngwa, job)

    with world.scope("ngwa"):
        assert (again(job).status, again(job).attempts) == ("queued", 0)
        assert 0 <= Prediction.objects.count() - before <= 5


@pytest.mark.django_db(transaction=True)
def test_lost_jobs_are_sent_again_with_their_institution(world, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "apps.tenancy.celery.TenantTask.apply_async",
        lambda _task, args, **options: sent.append((args, options)),
    )
    with world.scope("ngwa"):
        job = create_job(kind=RESCORE, by=world.actor("risques@ngwa.demo"))
        Job.objects.filter(pk=job.pk).update(queued_at=timezone.now() - dt.timedelta(minutes=11))

    requeue_lost_jobs()

    assert sent == [([str(job.uid)], {"institution_id": world.institution_id("ngwa")})]
