"""kill -9 of worker, web and database at random for minutes: jobs end once, answered writes stay.

SOAK_MINUTES says for how long (5), SOAK_SEED repeats a run.
"""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from config import postgres
from config.postgres import roles
from tests.e2e.test_crash import ANALYST, ROOT, Site, kill_database
from tests.predict import BODY

MINUTES = float(os.environ.get("SOAK_MINUTES", "5"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(10**6)  # noqa: S311  a choice of victims
CODES = ("horizon", "ngwa")

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="needs Linux's /proc to find the backends"
    ),
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="kills the embedded database only"),
]


class KilledSite(Site):
    """A site whose parts can be killed and started again one by one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environment["DJANGO_SETTINGS_MODULE"] = "tests.soak_settings"
        self.web = self.worker = None

    def start_all(self) -> None:
        postgres.ensure_running(self.folder)
        self.start_worker()
        self.web = self.start()

    def start_worker(self) -> None:
        schedule = self.folder / "schedule"
        for left in self.folder.glob("schedule*"):
            left.unlink()
        command = [
            sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--loglevel", "error",
            "--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat",
            "--beat", "--schedule", str(schedule),
        ]  # fmt: skip
        with (self.folder / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, start_new_session=True, stdout=log, stderr=log
            )

    def kill(self, part: str) -> None:
        if part == "database":
            kill_database(self.folder)
            return
        process = self.web if part == "web" else self.worker
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restore(self, part: str) -> None:
        if part == "database":
            postgres.ensure_running(self.folder)
        elif part == "web":
            self.web = self.start()
        else:
            self.start_worker()

    def stop(self) -> None:
        for process in (self.web, self.worker):
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def rows(self, query: str) -> list[tuple]:
        """Read across institutions, as the backup role may."""
        server = postgres.state.plan(self.folder)
        with psycopg.connect(server.dsn(roles.BACKUP)) as connection:
            return connection.execute(query).fetchall()


class Askers:
    """Threads that ask for scores and jobs and remember every answer."""

    def __init__(self, site: KilledSite) -> None:
        self.site, self.stop = site, threading.Event()
        self.scores: dict[str, float] = {}
        self.jobs: set[str] = set()
        self.token = site.ask("/api/v1/login", {"email": ANALYST, "password": "Demo-CrediSense-2026"})[1][
            "access"
        ]
        self.threads = [threading.Thread(target=self._scores, args=(number,)) for number in range(2)]
        self.threads.append(threading.Thread(target=self._jobs))

    def _scores(self, number: int) -> None:
        while not self.stop.is_set():
            status, body = self.site.ask("/api/v1/predict", {**BODY, "age": 20 + number}, self.token)
            if status == 201:
                self.scores[body["id"]] = body["probabilite_defaut"]
            time.sleep(0.05)

    def _jobs(self) -> None:
        turn = 0
        while not self.stop.is_set():
            command = [sys.executable, "manage.py", "rescore", CODES[turn % 2]]
            done = subprocess.run(
                command, cwd=ROOT, env=self.site.environment, capture_output=True, text=True, check=False
            )
            self.jobs |= set(re.findall(r"^Job (\S+)$", done.stdout, re.MULTILINE))
            turn += 1
            self.stop.wait(2)


def test_jobs_end_once_and_nothing_answered_is_lost(tmp_path, record_property):
    site = KilledSite(tmp_path)
    postgres.ensure_running(tmp_path)
    try:
        site.manage("migrate", "--database=owner", "-v0")
        site.manage("seed_demo", "--rows", "1200")
        site.start_all()
        askers, kills = harass(site)
        open_jobs = wait_for_jobs(site)

        told = f"{dict(kills)}, {len(askers.scores)} scores, {len(askers.jobs)} jobs"
        record_property(f"seed {SEED}", told)
        assert open_jobs == []
        assert_jobs_ended_once(site, askers.jobs)
        assert_scores_stand(site, askers.scores)
        assert set(kills) == {"web", "worker", "database"}
        site.manage("verify_audit")
    finally:
        site.stop()
        postgres.remove(tmp_path)


def harass(site: KilledSite) -> tuple[Askers, Counter]:
    """Kill a part every few seconds while scores and jobs are asked for; leave everything running."""
    chance = random.Random(SEED)  # noqa: S311  repeatable on purpose
    kills, askers = Counter(), Askers(site)
    for thread in askers.threads:
        thread.start()
    try:
        # A shuffled round of the three parts at a time, so that a short run kills each of them too.
        deadline, round_of_parts = time.monotonic() + MINUTES * 60, []
        while time.monotonic() < deadline or len(kills) < 3:
            round_of_parts = round_of_parts or chance.sample(["web", "worker", "database"], 3)
            part = round_of_parts.pop()
            time.sleep(chance.uniform(0.5, 6))
            site.kill(part)
            time.sleep(chance.uniform(0, 2))
            site.restore(part)
            kills[part] += 1
    finally:
        askers.stop.set()
        for thread in askers.threads:
            thread.join()
    return askers, kills


def wait_for_jobs(site: KilledSite) -> list[tuple]:
    """Return the jobs that did not end although nothing is killed any more."""
    for _ in range(240):
        left = site.rows("SELECT uid, kind, status FROM jobs_job WHERE status IN ('queued', 'running')")
        if not left:
            break
        time.sleep(1)
    return left


def assert_jobs_ended_once(site: KilledSite, answered: set[str]) -> None:
    statuses = {str(uid): status for uid, status in site.rows("SELECT uid, status FROM jobs_job")}
    ends = Counter(
        str(uid) for (uid,) in site.rows("SELECT object_uid FROM audit_auditentry WHERE action = 'job.end'")
    )
    assert answered
    assert answered <= set(statuses)
    assert ends == Counter(dict.fromkeys(statuses, 1))
    assert "done" in statuses.values()
    assert set(statuses.values()) <= {"done", "failed"}


def assert_scores_stand(site: KilledSite, answered: dict[str, float]) -> None:
    stored = {str(uid): pd for uid, pd in site.rows("SELECT uid, pd FROM scoring_prediction")}
    assert answered
    assert {uid: round(stored[uid], 6) for uid in answered} == {
        uid: round(probability, 6) for uid, probability in answered.items()
    }
