"""kill -9 of the database while scores are asked for: what was answered is there afterwards."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from apps.demo.cast import PEOPLE
from config import postgres
from tests.predict import BODY

ROOT = Path(__file__).resolve().parents[2]
ANALYST = f"{PEOPLE[0][0]}@horizon.demo"
ENOUGH = 20  # scores answered before the database is killed


class Site:
    """The site as a demonstration runs it, on a durable database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE")}
        self.environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "CREDISENSE_DATA_DIR": str(folder),
            "CREDISENSE_MODELS_DIR": str(folder / "models"),
            "CREDISENSE_DEMO": "1",
            "CREDISENSE_RATE_PREDICT": "1000/s",  # limits would hide what is asked here
            "CREDISENSE_RATE_DEFAULT": "100000/min",
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable, "-m", "granian", "config.serving:application", "--factory", "--interface", "wsgi",
            "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2], "--http", "1", "--no-ws",
            "--blocking-threads", "4", "--workers-kill-timeout", "10", "--log-level", "critical",
        ]  # fmt: skip
        with (self.folder / "web.log").open("wb") as log:
            web = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, start_new_session=True, stderr=log
            )
        for _ in range(300):
            if self.ask("/readyz")[0] == 200:
                return web
            time.sleep(0.2)
        pytest.fail("the site did not become ready")
        return web

    def ask(self, path: str, body: object = None, token: str = "") -> tuple[int, dict]:
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")
        except OSError:
            return 0, {}


def kill_database(folder: Path) -> None:
    """Kill the postmaster and every backend at once, as the machine's memory killer would."""
    postmaster = int((postgres.state.plan(folder).pgdata / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to find the backends")
@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="kills the embedded database only")
def test_no_answered_score_is_lost(tmp_path):
    site = Site(tmp_path)
    postgres.ensure_running(tmp_path)
    web = None
    try:
        site.manage("migrate", "--database=owner", "-v0")
        site.manage("seed_demo", "--rows", "1200")
        web = site.start()
        answered, refused, token = score_while(site, lambda: kill_database(tmp_path))
        postgres.ensure_running(tmp_path)

        assert len(answered) >= ENOUGH
        assert set(refused) <= {0, 401, 500, 503}
        for uid, probability in answered.items():
            status, body = site.ask(f"/api/v1/predictions/{uid}", token=token)
            assert (status, body["probabilite_defaut"]) == (200, probability)
        assert site.ask("/readyz")[0] == 200
    finally:
        if web is not None:
            os.killpg(web.pid, signal.SIGTERM)
            web.wait(20)
        postgres.remove(tmp_path)


def score_while(site, disturb):
    """Ask for scores from four threads, disturb once scores come, go on a little; return what came back."""
    login = {"email": ANALYST, "password": "Demo-CrediSense-2026"}
    token = site.ask("/api/v1/login", login)[1]["access"]
    answered, refused, stop = {}, [], threading.Event()

    def ask_on(number):
        while not stop.is_set():
            status, body = site.ask("/api/v1/predict", {**BODY, "age": 20 + number}, token)
            if status == 201:
                answered[body["id"]] = body["probabilite_defaut"]
            else:
                refused.append(status)
                time.sleep(0.05)

    threads = [threading.Thread(target=ask_on, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    patience = time.monotonic() + 60  # the first scores wait for the model, long on a busy machine
    while len(answered) < ENOUGH and time.monotonic() < patience:
        time.sleep(0.05)
    disturb()
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    return answered, refused, token
