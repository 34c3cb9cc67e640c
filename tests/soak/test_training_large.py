"""The default pipeline on 100,000 rows through the job: within 5 minutes under 4 GB, stopped within 10 s.

SOAK_TRAINING_ROWS says how many rows (100,000); the limits are for two cores that do nothing else.
"""

import os
import threading
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.demo.synthetic.portfolio import generate
from apps.jobs.models import Job
from apps.registry.models import TrainingRun
from apps.registry.services.training_runs import ask_training, cancel_training
from apps.registry.services.training_work import OUT_OF_TIME_MONTHS
from tests.workers import Queue, wait_for

ROWS = int(os.environ.get("SOAK_TRAINING_ROWS", "100000"))
MOST_SECONDS, MOST_BYTES, CANCELLED_WITHIN = 300, 4 * 1024**3, 10
#: Of the generator's applications so many have a known outcome, with some to spare.
MATURED = 0.4
TASK = "apps.scoring.tasks.train_candidates"
KEPT = (
    *("age", "revenu_mensuel", "type_contrat_travail", "anciennete_travail_mois", "montant_credit"),
    *("duree_mois", "taux_interet", "type_credit", "nb_retards_30j", "nb_retards_60j", "nb_retards_90j"),
    *("mensualites_en_cours", "encours_autres_dettes"),
)

pytestmark = [
    pytest.mark.soak,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc"),
]


@pytest.fixture(scope="module")
def history():
    """Return a CSV file of matured credits."""
    frame = generate(rows=int(ROWS / MATURED), as_of=timezone.localdate(), seed=1).applications
    frame = frame[frame["outcome"].notna()].sample(n=ROWS, random_state=1)
    assert len(frame) == ROWS
    table = frame[[name for name in KEPT if name in frame]].copy()
    table["date de la demande"] = frame["submitted_on"]
    table["défaut"] = frame["outcome"].eq("default").map({True: "oui", False: "non"})
    return table.to_csv(index=False).encode()


def asked(world, history, **wish):
    with world.scope():
        return ask_training(
            by=world.actor(world.risk_manager),
            candidates=("default",),
            upload=SimpleUploadedFile("historique.csv", history),
            **wish,
        )


class Memory:
    """The most memory that a group of processes held at once, each shared page counted once."""

    def __init__(self, group: int) -> None:
        self.group, self.most, self.stop = group, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.stop.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.stop.wait(0.5):
            self.most = max(self.most, sum(map(_held, _processes(self.group))))


def _processes(group: int) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                found.append(process)
        except ProcessLookupError:
            continue
    return found


def _held(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def test_a_hundred_thousand_rows_are_learnt_in_five_minutes(world, history, tmp_path, record_property):
    run, queue = asked(world, history), Queue(tmp_path)
    queue.send(TASK, run.job.uid, world.institution_id("horizon"))

    with queue.worker() as worker, Memory(worker.pid) as memory:
        wait_for(world, run.job.uid, progress=1)
        started = time.monotonic()
        job = wait_for(world, run.job.uid, seconds=2 * MOST_SECONDS)
        seconds = time.monotonic() - started

    with world.scope():
        run = TrainingRun.objects.get(pk=run.pk)
    record_property("seconds", round(seconds))
    record_property("most memory, MB", memory.most // 1024**2)
    assert (job.status, job.error) == ("done", "")
    assert run.data["rows"] == ROWS
    assert run.result["settings"]["split"] == "out_of_time", OUT_OF_TIME_MONTHS
    assert seconds < MOST_SECONDS
    assert 0 < memory.most < MOST_BYTES


@pytest.mark.parametrize("progress", [15, 40])
def test_it_stops_within_ten_seconds(world, history, tmp_path, record_property, progress):
    run, queue = asked(world, history, split="nested"), Queue(tmp_path)
    queue.send(TASK, run.job.uid, world.institution_id("horizon"))

    with queue.worker():
        wait_for(world, run.job.uid, progress=progress, seconds=2 * MOST_SECONDS)
        with world.scope():
            run = TrainingRun.objects.select_related("job").get(pk=run.pk)
            cancel_training(run=run, by=world.actor(world.risk_manager))
        started = time.monotonic()
        job = wait_for(world, run.job.uid)
        seconds = time.monotonic() - started

    record_property("seconds", round(seconds, 1))
    with world.scope():
        assert TrainingRun.objects.get(pk=run.pk).written == {}
        assert Job.objects.get(uid=run.job.uid).result is None
    assert job.status == "cancelled"
    assert seconds < CANCELLED_WITHIN
