"""Real workers on the embedded queue, for what only another process can show."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from celery import current_app
from kombu import Connection

from apps.jobs.models import Job

ROOT = Path(__file__).resolve().parents[1]
ENDED = {"done", "failed", "cancelled"}


class Queue:
    """A queue of files of its own, and the workers that take from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.worker_settings",
            "TEST_QUEUE": str(folder),
        }

    def send(self, task: str, uid: object, institution_id: int, times: int = 1) -> None:
        """Send the message of a job, ``times`` times, as a door does."""
        options = {"data_folder_in": self.folder / "messages", "data_folder_out": self.folder / "messages"}
        options["control_folder"] = self.folder / "control"
        for folder in options.values():
            folder.mkdir(parents=True, exist_ok=True)
        places = {name: str(folder) for name, folder in options.items()}
        import_module(task.rpartition(".")[0])
        with Connection("filesystem://", transport_options=places) as connection:
            for _ in range(times):
                current_app.tasks[task].apply_async(
                    [str(uid)], institution_id=institution_id, connection=connection
                )

    def start(self, concurrency: int = 1) -> subprocess.Popen[bytes]:
        command = [
            *(sys.executable, "-m", "celery", "-A", "config.celery", "worker"),
            *("--concurrency", str(concurrency), "-l", "warning"),
        ]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)

    @contextmanager
    def worker(self, concurrency: int = 1) -> Iterator[subprocess.Popen[bytes]]:
        """Let a worker work inside the block."""
        worker = self.start(concurrency)
        try:
            yield worker
        finally:
            stop(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and its pool at once, as the machine's memory killer would."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(15)


def stop(worker: subprocess.Popen[bytes]) -> None:
    """Ask the worker to end (its pool must not be told too), then end the whole group."""
    if worker.poll() is not None:
        return
    worker.terminate()
    try:
        worker.wait(15)
    except subprocess.TimeoutExpired:
        kill(worker)


def wait_for(world, uid, code="horizon", *, progress=None, seconds=180):
    """Return the job once it has ended, or is so far when ``progress`` says how far."""
    for _ in range(10 * seconds):
        with world.scope(code):
            job = Job.objects.get(uid=uid)
        if job.status in ENDED or (progress is not None and job.progress >= progress):
            return job
        time.sleep(0.1)
    pytest.fail("the worker did not finish the job")
    return None
