"""A worker killed with -9 at 10, 50 and 90 % of a large file: it ends, every line once, the file complete.

With each broker: files (the default), Redis, RabbitMQ; those whose program is missing are skipped.
SOAK_BATCH_ROWS says how large the file is (200,000).
"""

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import postgres
from tests.e2e.test_crash import ANALYST
from tests.predict import BODY
from tests.soak.test_kill_everything import KilledSite

ROWS = int(os.environ.get("SOAK_BATCH_ROWS", "200000"))
SHARES = (0.1, 0.5, 0.9)
BOUNDARY = "soak-batch"
#: Debian's and Alpine's names.
REDIS = shutil.which("valkey-server") or shutil.which("redis-server")
RABBIT = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin:/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="runs the embedded database only"),
]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run a broker until the end; wait until it listens."""
    broker = subprocess.Popen(
        command, env={**os.environ, **environment}, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield
    finally:
        os.killpg(broker.pid, signal.SIGKILL)
        broker.wait()


@contextmanager
def broker_of(name: str, folder: Path) -> Iterator[str]:
    """Give the address of a broker of this kind."""
    port = free_port()
    if name == "files":
        yield "filesystem://"
    elif name == "redis":
        if REDIS is None:
            pytest.skip("no redis-server here")
        with running([REDIS, "--port", str(port), "--save", "", "--dir", str(folder)], port):
            yield f"redis://127.0.0.1:{port}/0"
    else:
        if RABBIT is None:
            pytest.skip("no rabbitmq-server here")
        places = {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"soak{port}@localhost",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "rabbit"),
            "RABBITMQ_LOG_BASE": str(folder / "rabbit-log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        }
        with running([RABBIT], port, **places):
            yield f"amqp://guest:guest@127.0.0.1:{port}//"


def send_file(site: KilledSite, token: str, rows: int) -> dict:
    """Post a file of numbered lines, each a little different from the one before."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["dossier", *BODY])
    for number in range(rows):
        body = {**BODY, "age": 18 + number % 63, "montant_credit": 50_000 + 5_000 * (number % 397)}
        writer.writerow([number, *body.values()])
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="soak.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    data = f"{head}{text.getvalue()}\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Authorization": f"Bearer {token}",
    }
    request = urllib.request.Request(f"http://{site.address}/api/v1/predict_file", data, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def log_in(site: KilledSite) -> str:
    return site.ask("/api/v1/login", {"email": ANALYST, "password": "Demo-CrediSense-2026"})[1]["access"]


def wait_until(site: KilledSite, lines: int) -> None:
    """Wait until so many lines are stored."""
    for _ in range(3_000):
        ((read,),) = site.rows("SELECT max(lines_read) FROM scoring_scoringbatch")
        if (read or 0) >= lines:
            return
        time.sleep(0.02)
    pytest.fail("the work does not go on")


def wait_for_end(site: KilledSite) -> tuple:
    for _ in range(1_200):
        ((status, attempts),) = site.rows(
            "SELECT j.status, j.attempts FROM jobs_job j JOIN scoring_scoringbatch b ON b.job_id = j.id"
            " AND b.institution_id = j.institution_id"
        )
        if status in {"done", "failed", "cancelled"}:
            return status, attempts
        time.sleep(0.25)
    pytest.fail("the work does not end")
    return ()


@pytest.mark.parametrize("broker", ["files", "redis", "rabbitmq"])
def test_a_worker_killed_three_times_scores_every_line_once(tmp_path, broker):
    site = KilledSite(tmp_path)
    site.environment["OMP_NUM_THREADS"] = "1"
    with broker_of(broker, tmp_path) as address:
        site.environment["CELERY_BROKER_URL"] = address
        postgres.ensure_running(tmp_path)
        try:
            site.manage("migrate", "--database=owner", "-v0")
            site.manage("seed_demo", "--rows", "1200")
            site.start_all()
            body = send_file(site, log_in(site), ROWS)
            for share in SHARES:
                wait_until(site, int(ROWS * share))
                site.kill("worker")
                site.restore("worker")
            status, attempts = wait_for_end(site)

            assert status == "done"
            assert attempts >= 2
            assert_every_line_once(site, body)
            site.manage("verify_audit")
        finally:
            site.stop()
            postgres.remove(tmp_path)


def assert_every_line_once(site: KilledSite, body: dict) -> None:
    """Compare the stored lines, the counts and the file."""
    ((read, scored, rejected),) = site.rows(
        "SELECT lines_read, lines_scored, lines_rejected FROM scoring_scoringbatch"
    )
    assert (read, scored, rejected) == (ROWS, ROWS, 0)
    stored = site.rows("SELECT pd FROM scoring_scoredline ORDER BY uid")
    assert len(stored) == ROWS
    request = urllib.request.Request(
        f"http://{site.address}{body['links']['result']}", headers={"Authorization": f"Bearer {log_in(site)}"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        rows = list(csv.DictReader(io.TextIOWrapper(answer, newline="")))
    assert [row["dossier"] for row in rows] == [str(number) for number in range(ROWS)]
    assert [float(row["probabilite_defaut"]) for row in rows] == [pd for (pd,) in stored]
    ends = site.rows("SELECT count(*) FROM audit_auditentry WHERE action = 'batch.finish'")
    assert ends == [(1,)]
    assert not list((site.folder / "institutions").rglob("*.part"))
