"""Training runs: what enters, what is left out, what a run keeps, and what stops or fails."""

import datetime as dt
import os
import shutil
import sys
from contextlib import nullcontext
from math import log

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import Client, Credit, CreditApplication
from apps.engine.ledger import add_months
from apps.files.models import StoredFile
from apps.files.services import path_of
from apps.institutions.models import Institution
from apps.institutions.services import set_setting
from apps.jobs.enums import JobStatus
from apps.jobs.errors import JobNotChangeable, JobStopped
from apps.jobs.models import Job
from apps.jobs.services import claim_job, recover_jobs, release_job
from apps.jobs.tasks import requeue_lost_jobs
from apps.outbox.models import OutboxMessage
from apps.registry.enums import HistoryLevel, ModelStatus
from apps.registry.errors import ModelNotAllowed, ModelRefused, TrainingRefused
from apps.registry.loader import load_scorer, model_folder
from apps.registry.models import ModelVersion, TrainingRun
from apps.registry.queries import history_standing, level_of, standing_with
from apps.registry.services import training_work
from apps.registry.services.gates import checklist
from apps.registry.services.recalibrating import ask_recalibration, recalibrate
from apps.registry.services.tracking import track_run
from apps.registry.services.training_data import GROUPS, facts_of, read_rows
from apps.registry.services.training_keeping import purge_candidates, register_candidate
from apps.registry.services.training_runs import ask_training, cancel_training, retrain_if_due, retry_training
from apps.registry.services.training_work import train
from apps.registry.tasks import purge_models, recalibrate_model
from apps.scoring.services.training import price_rows
from apps.scoring.tasks import retrain_due, train_candidates
from apps.tenancy.actor import task_actor
from apps.tenancy.celery import HEADER, sign
from apps.tenancy.errors import InvalidValues, NotAllowed
from tests.dictionary import SHARES, declared
from tests.world import AS_OF

pytestmark = pytest.mark.django_db(databases=["default", "platform"])

TASK = "apps.scoring.tasks.train_candidates"
RECALIBRATION = "apps.registry.tasks.recalibrate_model"


@pytest.fixture
def manager(world):
    return world.actor(world.risk_manager)


@pytest.fixture
def scope(world):
    with world.scope():
        yield


@pytest.fixture
def done(scope):
    """Return the run of the world, which has ended."""
    return TrainingRun.objects.select_related("job", "snapshot").get()


def ask(manager, **wish):
    return ask_training(by=manager, **{"candidates": ("scorecard", "dummy"), "split": "nested", **wish})


def work(run):
    """Do the work of a run as a worker would."""
    task_id = "id-1"
    headers = {HEADER: sign(task_id, TASK, run.institution_id)}
    train_candidates.apply([str(run.job.uid)], task_id=task_id, headers=headers, throw=True)
    run.refresh_from_db()
    return run


# --- what enters -------------------------------------------------------------------------------------


def rows_of(run):
    return read_rows(run, chunk=nullcontext, tell=lambda _share: None)


def test_whole_cohorts_enter_and_the_rest_is_counted(done):
    last = add_months(done.observed_on, -done.horizon_months)
    whole = Credit.objects.filter(disbursed_on__lte=last, exclusion="").exclude(application__outcome="")

    rows = rows_of(done)
    facts = facts_of(rows)

    assert (rows.rows, rows.defaults) == (whole.count(), whole.filter(application__outcome="default").count())
    assert facts["rows"] == done.data["rows"] == rows.rows
    assert facts["excluded"]["young"] == Credit.objects.filter(disbursed_on__gt=last).count()
    assert facts["excluded"]["refused"] == CreditApplication.objects.filter(status="declined").count()
    everything = rows.rows + sum(facts["excluded"].values())
    assert everything == CreditApplication.objects.filter(applied_on__lte=done.observed_on).count()


def test_a_young_credit_that_defaulted_does_not_enter(done):
    before = rows_of(done)
    young = Credit.objects.order_by("-disbursed_on")[0].application
    CreditApplication.objects.filter(pk=young.pk).update(outcome="default", outcome_date=AS_OF)

    after = rows_of(done)

    assert (after.rows, after.defaults) == (before.rows, before.defaults)


@pytest.mark.parametrize("exclusion", ["staff", "overdraft", "fraud", "death"])
def test_an_excluded_credit_is_counted_and_left_out(done, exclusion):
    before = rows_of(done)
    credit = Credit.objects.filter(application__outcome="good").order_by("disbursed_on")[0]
    Credit.objects.filter(pk=credit.pk).update(exclusion=exclusion)

    after = rows_of(done)

    assert (after.rows, after.excluded[exclusion]) == (before.rows - 1, 1)


def test_what_happened_after_the_observation_date_is_not_known(done):
    done.observed_on = add_months(AS_OF, -6)

    rows = rows_of(done)

    assert 0 < rows.rows < done.data["rows"]
    assert max(rows.days) <= add_months(done.observed_on, -done.horizon_months)


def test_an_outcome_without_its_credit_enters_by_the_day_of_its_application(done):
    before = rows_of(done)
    application = CreditApplication.objects.filter(status="declined").order_by("applied_on")[0]
    CreditApplication.objects.filter(pk=application.pk).update(outcome="good", outcome_date=AS_OF)

    assert rows_of(done).rows == before.rows + 1


def test_merged_files_are_one_person(done):
    credit = Credit.objects.filter(application__outcome="good").order_by("disbursed_on")[0]
    kept = Client.objects.exclude(pk=credit.client_id).order_by("pk")[0]
    Client.objects.filter(pk=credit.client_id).update(merged_into=kept, merged_at=timezone.now())

    rows = rows_of(done)

    assert rows.merged >= 1
    assert credit.client_id not in rows.people
    assert kept.pk in rows.people


def test_a_variable_of_the_institution_is_learnt_from_and_named_by_the_model(scope, world, manager):
    declared(world)
    for number, application in enumerate(CreditApplication.objects.matured().order_by("pk")):
        risky = application.outcome == "default" and number % 3
        extra = {SHARES: 1 if risky else 5 + number % 4}
        CreditApplication.objects.filter(pk=application.pk).update(extra=extra)

    run = work(ask(manager))
    version = register_candidate(run=run, kind="scorecard", by=manager)

    assert SHARES in run.data["variables"]
    assert SHARES in load_scorer(version).variables
    assert pl.read_parquet(path_of(run.snapshot))[SHARES].max() == 8


def test_values_are_those_of_the_application_and_groups_are_no_inputs(done):
    rows = rows_of(done)

    assert {"sexe", "situation_familiale"}.isdisjoint(rows.columns)
    assert (
        set(rows.groups)
        == set(GROUPS)
        == {"type_credit", "agency", "sexe", "situation_familiale", "age_band"}
    )
    assert all(len(column) == rows.rows for column in (*rows.columns.values(), *rows.groups.values()))


def test_refused_applications_are_compared_with_those_learnt_from(done):
    refused = done.data["refused"]

    assert refused["rows"] == done.data["excluded"]["refused"]
    assert refused["share"] == pytest.approx(refused["rows"] / (refused["rows"] + done.data["rows"]))
    debts = next(line for line in refused["means"] if line["name"] == "taux_endettement")
    assert debts["refused"] > debts["lent"]  # the synthetic officers refuse the indebted


def test_the_snapshot_names_nobody(done):
    frame = pl.read_parquet(path_of(done.snapshot))
    keys = {str(each) for each in Client.objects.values_list("pk", flat=True)}
    uids = {str(each) for each in Client.objects.values_list("uid", flat=True)}

    assert frame.height == done.data["rows"]
    assert int(frame["defaut"].sum()) == done.data["defaults"]
    assert set(frame["personne"].str.len_chars()) == {64}
    assert not set(frame["personne"]) & (keys | uids)
    assert {"nom", "prenom", "telephone", "reference", "client"}.isdisjoint(frame.columns)
    written_on = timezone.localtime(done.snapshot.created_at).date()
    assert done.snapshot.expires_on == written_on + dt.timedelta(days=730)
    assert (path_of(done.snapshot).stat().st_mode & 0o777) == 0o600


def test_the_same_person_has_another_key_in_another_run(done, manager):
    other = work(ask(manager))

    first, second = (pl.read_parquet(path_of(run.snapshot)) for run in (done, other))

    assert not set(first["personne"]) & set(second["personne"])
    assert first.drop("personne").equals(second.drop("personne"))


# --- the ladder --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("defaults", "level"),
    [
        (0, HistoryLevel.EXPERT),
        (49, HistoryLevel.EXPERT),
        (50, HistoryLevel.RECALIBRATED),
        (149, HistoryLevel.RECALIBRATED),
        (150, HistoryLevel.SCORECARD),
        (399, HistoryLevel.SCORECARD),
        (400, HistoryLevel.EVERY),
    ],
)
def test_matured_defaults_say_what_is_allowed(defaults, level):
    assert level_of(defaults) == level


def test_a_real_history_allows_what_its_defaults_do(scope, world):
    Institution.objects.filter(code="horizon").update(is_demo=False)

    few = standing_with(rows=2_000, defaults=149)
    some = standing_with(rows=3_000, defaults=150)
    many = standing_with(rows=9_000, defaults=400)

    assert [few.allows(kind) for kind in ("scorecard", "default")] == [False, False]
    assert [some.allows(kind) for kind in ("scorecard", "logistic", "default")] == [True, True, False]
    assert many.allows("default")
    assert (few.next_at, some.next_at, many.next_at) == (150, 400, None)


def test_too_short_a_history_trains_nothing(scope, manager):
    assert history_standing().defaults < 150
    Institution.objects.filter(code="horizon").update(is_demo=False)

    with pytest.raises(TrainingRefused) as refusal:
        ask(manager)

    assert "candidates" in refusal.value.fields
    assert TrainingRun.objects.count() == 1


# --- asking ------------------------------------------------------------------------------------------


def test_a_run_is_asked_with_its_number_and_settings(scope, manager):
    run = ask(manager, seed=7)

    assert (run.number, run.asked["seed"], run.job.status) == (2, 7, JobStatus.QUEUED)
    entry = AuditEntry.objects.filter(action="training.ask").order_by("-id")[0]
    assert (entry.object_uid, entry.after["number"]) == (run.uid, 2)


@pytest.mark.parametrize("who", ["analyste", "agent", "comite", "auditeur", "admin"])
def test_others_ask_for_no_run(scope, world, who):
    with pytest.raises(NotAllowed):
        ask(world.actor(f"{who}@horizon.demo"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("candidates", ()),
        ("candidates", ("scorecard", "scorecard")),
        ("candidates", ("magic",)),
        ("split", "leaky"),
        ("search", "all"),
        ("sampling", "all"),
        ("folds", 1),
        ("folds", 11),
        ("seed", -1),
        ("search_seconds", 0),
        ("observed_on", dt.date(2999, 1, 1)),
    ],
)
def test_a_wish_that_cannot_be_is_named(scope, manager, name, value):
    with pytest.raises(InvalidValues) as refusal:
        ask(manager, **{name: value})

    assert set(refusal.value.fields) == {name}


def test_one_run_at_a_time(scope, manager):
    ask(manager)

    with pytest.raises(TrainingRefused):
        ask(manager)


# --- the work ----------------------------------------------------------------------------------------


def test_a_run_ends_with_its_result(scope, manager):
    run = work(ask(manager))

    job = Job.objects.get(pk=run.job_id)
    assert (job.status, job.progress) == (JobStatus.DONE, 100)
    assert job.result["recommended"] == run.result["recommended"]["kind"]
    assert {each["kind"] for each in run.result["candidates"]} == {"scorecard", "dummy"}
    assert set(run.written) == {"scorecard"}
    told = OutboxMessage.objects.filter(payload__code="training.done").latest("pk")
    assert told.payload["recipients"] == [manager.id]


def test_the_same_settings_give_the_same_figures(scope, manager, done):
    again = work(ask(manager))

    def figures(run):
        return [(each["kind"], each["figures"]) for each in run.result["candidates"]]

    assert figures(again) == figures(done)


def test_a_silent_worker_leaves_the_run_failed_and_it_can_be_tried_again(scope, manager, settings):
    run = ask(manager)
    assert claim_job(uid=run.job.uid) is not None  # the worker is killed here
    silent = timezone.now() - settings.JOB_LOST_AFTER - dt.timedelta(seconds=1)
    Job.objects.filter(pk=run.job_id).update(heartbeat_at=silent)
    assert recover_jobs() == [(run.job.uid, TASK)]

    work(run)

    job = Job.objects.get(pk=run.job_id)
    assert (job.status, run.result) == (JobStatus.FAILED, None)
    assert job.error
    retry_training(run=TrainingRun.objects.select_related("job").get(pk=run.pk), by=manager)
    assert work(run).result is not None
    assert Job.objects.get(pk=run.job_id).status == JobStatus.DONE


def test_a_run_under_way_stops_when_asked(scope, manager):
    run = ask(manager)
    claim = claim_job(uid=run.job.uid)
    cancel_training(run=run, by=manager)

    with pytest.raises(JobStopped):
        train(claim, priced=price_rows)
    release_job(claim=claim)

    run.refresh_from_db()
    assert (Job.objects.get(pk=run.job_id).status, run.result, run.written) == (JobStatus.CANCELLED, None, {})


def test_a_run_stops_between_two_folds(scope, manager, monkeypatch):
    run = ask(manager)
    claim = claim_job(uid=run.job.uid)
    heard = []

    def tell(self, step, share):
        heard.append(step)
        if step.startswith("candidate"):
            cancel_training(run=TrainingRun.objects.select_related("job").get(pk=run.pk), by=manager)
            told(self, step, share)

    told = training_work._Beat.tell
    monkeypatch.setattr(training_work._Beat, "tell", tell)

    with pytest.raises(JobStopped):
        train(claim, priced=price_rows)

    assert heard[-1].startswith("candidate")


def test_a_run_that_ended_is_neither_stopped_nor_tried_again(done, manager):
    with pytest.raises(JobNotChangeable):
        cancel_training(run=done, by=manager)
    with pytest.raises(JobNotChangeable):
        retry_training(run=done, by=manager)


def test_a_history_without_defaults_is_refused(scope, manager):
    run = ask(manager)
    CreditApplication.objects.filter(outcome="default").update(outcome="good")

    work(run)

    job = Job.objects.get(pk=run.job_id)
    assert (job.status, run.snapshot) == (JobStatus.FAILED, None)
    assert run.data["defaults"] == 0


# --- what is kept ------------------------------------------------------------------------------------


def test_a_candidate_is_kept_with_the_gates_of_its_run(done, manager):
    version = register_candidate(run=done, kind="scorecard", by=manager)

    assert (version.status, version.origin, version.training_data) == ("candidate", "trained", "synthetic")
    assert (version.version, version.created_by_id) == (str(done.number), manager.id)
    assert version.metrics["gates"] == next(
        each["gates"] for each in done.result["candidates"] if each["kind"] == "scorecard"
    )
    assert version.metrics["own"]["rows"] == done.data["rows"]
    gates = {gate.code: str(gate.verdict) for gate in checklist(version=version, by=manager)}
    assert gates["loads"] == "passed"
    assert {code: gates[code] for code in version.metrics["gates"]} == {
        code: told["verdict"] for code, told in version.metrics["gates"].items()
    }
    assert ModelVersion.objects.get(status=ModelStatus.CHAMPION).pk != version.pk


def test_a_kept_candidate_scores(done, manager):
    version = register_candidate(run=done, kind="scorecard", by=manager)

    scorer = load_scorer(version)

    assert model_folder(version).name == version.sha256
    assert 0 < float(scorer.score_columns({"age": [40, 22]}, 2).pd[0]) < 1


def test_a_candidate_is_kept_once(done, manager):
    register_candidate(run=done, kind="scorecard", by=manager)

    with pytest.raises(ModelRefused):
        register_candidate(run=done, kind="scorecard", by=manager)


def test_what_serves_the_comparison_is_not_kept(done, manager):
    with pytest.raises(InvalidValues) as refusal:
        register_candidate(run=done, kind="dummy", by=manager)

    assert "kind" in refusal.value.fields


def test_others_keep_nothing(done, world):
    with pytest.raises(NotAllowed):
        register_candidate(run=done, kind="scorecard", by=world.actor(world.analyst))


def test_a_real_institution_needs_its_history_to_keep_a_candidate(done, manager):
    Institution.objects.filter(code="horizon").update(is_demo=False)

    with pytest.raises(TrainingRefused):
        register_candidate(run=done, kind="scorecard", by=manager)


# --- scheduled ---------------------------------------------------------------------------------------


@pytest.fixture
def monthly(scope, manager):
    set_setting(key="retrain_every_months", value=1, by=manager, reason="Chaque mois")


def test_nothing_is_scheduled_unless_the_institution_wants_it(scope, world):
    assert retrain_if_due(by=task_actor(world.institution_id("horizon"))) is None


def test_a_scheduled_run_keeps_a_candidate_and_no_more(world, monthly, done):
    old = timezone.now() - dt.timedelta(days=40)
    TrainingRun.objects.filter(pk=done.pk).update(created_at=old)

    run = retrain_if_due(by=task_actor(world.institution_id("horizon")))
    work(run)

    assert (run.origin, run.asked_by, run.asked["candidates"]) == ("scheduled", None, ["scorecard", "dummy"])
    version = ModelVersion.objects.get(origin="trained", sha256=run.written["scorecard"]["sha256"])
    assert (version.status, version.created_by) == (ModelStatus.CANDIDATE, None)


def test_a_recent_run_makes_a_scheduled_one_useless(world, monthly, done):
    assert retrain_if_due(by=task_actor(world.institution_id("horizon"))) is None


def test_the_task_asks_for_each_institution_that_wants_it(
    world, manager, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(train_candidates, "apply_async", lambda _args, **told: sent.append(told))
    with world.scope():
        set_setting(key="retrain_every_months", value=1, by=manager, reason="Chaque mois")
        TrainingRun.objects.update(created_at=timezone.now() - dt.timedelta(days=40))

    with django_capture_on_commit_callbacks(execute=True):
        retrain_due()

    assert sent == [{"institution_id": world.institution_id("horizon")}]


def test_a_lost_run_is_sent_again(world, manager, settings, monkeypatch):
    sent = []
    monkeypatch.setattr(train_candidates, "apply_async", lambda args, **_told: sent.append(args))
    with world.scope():
        run = ask(manager)
        long_ago = timezone.now() - settings.JOB_QUEUED_TOO_LONG - dt.timedelta(seconds=1)
        Job.objects.filter(pk=run.job_id).update(queued_at=long_ago)

    requeue_lost_jobs()

    assert [str(run.job.uid)] in sent


# --- a copy elsewhere --------------------------------------------------------------------------------


class Tracker:
    """Stands for the mlflow package."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *args, **told: self.told.append((name, args or told))

    def start_run(self, run_name):
        self.told.append(("start_run", run_name))
        return nullcontext()


def test_a_run_is_copied_to_mlflow_without_a_row(done, settings, monkeypatch):
    tracker = Tracker()
    monkeypatch.setitem(sys.modules, "mlflow", tracker)
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:5000"

    track_run(done)

    started = [told for name, told in tracker.told if name == "start_run"]
    assert started == [f"{done.number}-scorecard", f"{done.number}-dummy"]
    (figures, _dummy) = [args[0] for name, args in tracker.told if name == "log_metrics"]
    assert figures["auc"] == next(each for each in done.result["candidates"])["figures"]["auc"]["value"]


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:5000"])
def test_a_run_stands_without_mlflow(done, settings, monkeypatch, address):
    monkeypatch.setitem(sys.modules, "mlflow", None)  # importing it fails
    settings.MLFLOW_TRACKING_URI = address

    track_run(done)


# --- what is put away --------------------------------------------------------------------------------


@pytest.fixture
def models(done, settings, tmp_path):
    """Return the folder of models of the institution: a copy, which may lose some."""
    shutil.copytree(settings.INSTITUTION_FILES_DIR, tmp_path / "institutions")
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    (folder,) = (tmp_path / "institutions").glob(f"*/models/{done.written['scorecard']['sha256']}")
    return folder.parent


def aged(folder):
    os.utime(folder, (0, 0))
    return folder


def expire_data_of(run):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    StoredFile.objects.filter(pk=run.snapshot_id).update(expires_on=yesterday)


def test_a_candidate_that_nobody_kept_goes_with_its_data(done, manager, models):
    folder = aged(models / done.written["scorecard"]["sha256"])

    assert purge_candidates(by=manager) == 0
    expire_data_of(done)
    assert purge_candidates(by=manager) == 1

    done.refresh_from_db()
    assert (folder.exists(), done.written) == (False, {})
    assert done.result is not None  # its figures stay
    assert AuditEntry.objects.filter(action="file.purge").latest("pk").after == {"folders": 1}
    with pytest.raises(InvalidValues):
        register_candidate(run=done, kind="scorecard", by=manager)


def test_a_candidate_that_was_kept_stays(done, manager, models):
    aged(models / done.written["scorecard"]["sha256"])
    version = register_candidate(run=done, kind="scorecard", by=manager)
    expire_data_of(done)

    assert purge_candidates(by=manager) == 0
    done.refresh_from_db()
    assert set(done.written) == {"scorecard"}
    assert load_scorer(version)


def test_what_a_stopped_worker_left_goes_after_a_day(done, manager, models):
    draft = models / ".run-left"
    draft.mkdir()

    assert purge_candidates(by=manager) == 0
    aged(draft)
    assert purge_candidates(by=manager) == 1
    assert not draft.exists()


def test_the_nightly_task_puts_away_in_every_institution(world, settings, tmp_path):
    shutil.copytree(settings.INSTITUTION_FILES_DIR, tmp_path / "institutions")
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    for folder in (tmp_path / "institutions").glob("*/models/*"):
        aged(folder)
    with world.scope():
        expire_data_of(TrainingRun.objects.get())

    purge_models.apply(throw=True)

    with world.scope():
        assert TrainingRun.objects.get().written == {}
    with world.scope("ngwa"):
        assert set(TrainingRun.objects.get().written) == {"scorecard"}


# --- recalibration -----------------------------------------------------------------------------------


@pytest.fixture
def champion(scope):
    return ModelVersion.objects.get(status=ModelStatus.CHAMPION)


def recalibrated_by(version, manager):
    """Ask for it and do its work as a worker would; return the job."""
    job = ask_recalibration(version=version, by=manager)
    headers = {HEADER: sign("id-2", RECALIBRATION, manager.institution)}
    recalibrate_model.apply([str(job.uid)], task_id="id-2", headers=headers, throw=True)
    job.refresh_from_db()
    return job


def test_a_level_is_set_on_the_outcomes(champion, manager):
    job = recalibrated_by(champion, manager)

    assert (job.status, job.progress) == (JobStatus.DONE, 100)
    recalibrated = ModelVersion.objects.get(uid=job.result["version"])
    assert recalibrated.created_by_id == manager.id
    told = OutboxMessage.objects.filter(payload__code="model.recalibrated").latest("pk")
    assert told.payload["recipients"] == [manager.id]

    own = recalibrated.metrics["own"]
    assert (recalibrated.version, recalibrated.status) == (f"{champion.version}-r1", ModelStatus.CANDIDATE)
    assert own["predicted_rate"] == pytest.approx(own["observed_rate"], rel=0.15)
    before, after = (load_scorer(version) for version in (champion, recalibrated))
    columns = {"age": [25, 40, 60], "nb_retards_30j": [3, 0, 1]}
    old, new = (scorer.score_columns(columns, 3).pd for scorer in (before, after))
    delta = recalibrated.metrics["recalibration"]["delta"]
    assert [log(p / (1 - p)) + delta for p in old] == pytest.approx([log(p / (1 - p)) for p in new])


def test_few_defaults_tell_no_level(champion, manager):
    few = list(CreditApplication.objects.filter(outcome="default").values_list("pk", flat=True)[49:])
    CreditApplication.objects.filter(pk__in=few).update(outcome="good")

    job = recalibrated_by(champion, manager)

    assert job.status == JobStatus.FAILED
    assert "50" in job.error
    assert not ModelVersion.objects.filter(version__contains="-r").exists()
    assert recalibrated_by(champion, manager).status == JobStatus.FAILED  # it may be asked for again


def test_others_set_no_level(champion, world):
    with pytest.raises(NotAllowed):
        ask_recalibration(version=champion, by=world.actor(world.analyst))


def test_a_level_is_set_once_at_a_time(champion, manager):
    ask_recalibration(version=champion, by=manager)

    with pytest.raises(ModelNotAllowed):
        ask_recalibration(version=champion, by=manager)


def test_the_work_done_twice_keeps_one_version(champion, manager):
    job = ask_recalibration(version=champion, by=manager)
    claim = claim_job(uid=job.uid)

    assert recalibrate(claim) == recalibrate(claim)
    assert ModelVersion.objects.filter(version__contains="-r").count() == 1


# --- from a file -------------------------------------------------------------------------------------


def table(lines=400, *, outcome="défaut"):
    """Return a CSV file of credits: those with three delays default, and one in eight of the others."""
    text = [f"âge,revenu mensuel,montant,durée,type de crédit,nb_retards_30j,date de la demande,{outcome}"]
    for number in range(lines):
        delays = number % 4
        bad = delays == 3 or number % 8 == 0
        day = dt.date(2024, 1, 1) + dt.timedelta(days=number)
        cells = [20 + number % 50, 80_000 + 500 * number, 200_000 + 1_000 * number, 6 + number % 12]
        text.append(",".join(map(str, [*cells, "consommation", delays, day, "oui" if bad else "non"])))
    return SimpleUploadedFile("historique.csv", "\n".join(text).encode())


def test_a_run_learns_from_a_file(scope, manager):
    run = work(ask(manager, upload=table()))

    assert Job.objects.get(pk=run.job_id).status == JobStatus.DONE, Job.objects.get(pk=run.job_id).error
    assert (run.data["rows"], run.data["defaults"]) == (400, 150)
    assert run.source.original_name == "historique.csv"
    assert run.result["recommended"]["kind"] == "scorecard"
    frame = pl.read_parquet(path_of(run.snapshot))
    assert frame["date_demande"].min() == dt.date(2024, 1, 1)


def test_lines_that_cannot_be_read_are_counted(scope, manager):
    sent = table()
    sent.file.seek(0, 2)
    sent.file.write(
        b"\nquarante,1,1,1,consommation,0,2024-01-01,non\n30,1,90000,6,consommation,0,2024-01-02,\n"
    )
    sent.size = sent.file.tell()
    sent.file.seek(0)

    run = work(ask(manager, upload=sent))

    assert run.data["excluded"] == {"unreadable": 1, "no_outcome": 1}


def test_a_file_without_outcomes_is_refused_and_not_kept(scope, manager):
    with pytest.raises(InvalidValues) as refusal:
        ask(manager, upload=table(outcome="remarque"))

    assert set(refusal.value.fields) == {"file"}
    assert TrainingRun.objects.count() == 1
