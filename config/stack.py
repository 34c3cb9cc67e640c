"""`python -m config.stack demo|run|worker|catalogues`: everything that CrediSense needs, in one command.

What was started is stopped by Ctrl-C or SIGTERM in the order site, tasks, database, with exit code 0; the
code is 1 when a step fails or a program ends by itself.
"""

import argparse
import fcntl
import http.client
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured

from config import assets, catalogues, env, icons, postgres
from config.env import REPOSITORY
from config.postgres import process
from config.postgres.state import Server
from config.supervisor import Child, ChildStoppedError, StopAskedError, Supervisor

HOST = "127.0.0.1"
READY_SECONDS = 90
WEB, WORKER = "site", "tâches"
#: Starts a line under a step, whose own line has not ended yet.
MARGIN = "\n      "


class RefusedError(Exception):
    """The command cannot start; the message says why, in French."""


@dataclass
class Stack:
    """What one command has started, and the environment it gives to its programs."""

    mode: str
    port: int
    data_dir: Path
    supervisor: Supervisor = field(default_factory=Supervisor)
    server: Server | None = None
    relayed: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The programs' environment: local settings, and one thread per scoring call."""
        fixed = {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "CREDISENSE_DATA_DIR": str(self.data_dir),
            "PYTHONUNBUFFERED": "1",
        }
        if self.mode == "demo":
            fixed["CREDISENSE_DEMO"] = "1"
        return {"OMP_NUM_THREADS": "1"} | os.environ | fixed

    def log(self, name: str) -> Path:
        return self.data_dir / "logs" / f"{name}.log"


type Step = tuple[str, str, Callable[[Stack], None]]


def main(arguments: list[str] | None = None) -> int:
    """Run one command until it is stopped; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.stack", description=__doc__)
    parser.add_argument("mode", choices=[*STEPS, "catalogues"])
    mode = parser.parse_args(arguments).mode
    if mode == "catalogues":
        catalogues.compile_changed()
        icons.make_changed()
        assets.make_changed()
        return 0
    try:
        stack = Stack(mode, env.integer("PORT", 8000, minimum=1), env.data_dir())
        with _alone(stack):
            return _run(stack)
    except (RefusedError, ImproperlyConfigured) as refusal:
        _say(f"\n{refusal}", file=sys.stderr)
        return 1


def _run(stack: Stack) -> int:
    os.chdir(REPOSITORY)
    try:
        for number, step in enumerate(STEPS[stack.mode], start=1):
            _take(stack, step, f"[{number}/{len(STEPS[stack.mode])}]")
        _say(_welcome(stack))
        stack.supervisor.watch(lambda: _check_database(stack))
    except StopAskedError:
        return 0
    except ChildStoppedError as stopped:
        _say(f"\n« {stopped.name} » s'est arrêté (code {stopped.code}).\n{stopped.log}", file=sys.stderr)
        return 1
    finally:
        _stop(stack)


def _take(stack: Stack, step: Step, rank: str) -> None:
    label, done, action = step
    _say(f"{rank} {label}… ", end="")
    stack.relayed = False
    began = time.monotonic()
    action(stack)
    seconds = f"{time.monotonic() - began:.1f}".replace(".", ",")
    _say(f"{MARGIN if stack.relayed else ''}{done} ({seconds} s)")


def _stop(stack: Stack) -> None:
    _say("\nArrêt en cours…")
    stack.supervisor.stop()
    if stack.server is not None:
        postgres.stop(stack.server)
    _say("Tout est arrêté.")


def _start_database(stack: Stack) -> None:
    if postgres.is_embedded():
        stack.server = postgres.ensure_running(stack.data_dir)
    if stack.supervisor.stop_asked:
        raise StopAskedError


def _check_database(stack: Stack) -> None:
    if stack.server is not None and process.postmaster_pid(stack.server) is None:
        raise ChildStoppedError("base de données", 1, process.log_tail(stack.server))


def _manage(*arguments: str, relay: bool = False) -> Callable[[Stack], None]:
    def run(stack: Stack) -> None:
        def show(line: str) -> None:
            _say(f"{MARGIN}{line}", end="")
            stack.relayed = True

        stack.supervisor.run(
            arguments[0],
            [sys.executable, "manage.py", *arguments],
            environment=stack.environment,
            log=stack.log(arguments[0]),
            relay=show if relay else None,
        )

    return run


def _compile_catalogues(_stack: Stack) -> None:
    catalogues.compile_changed()


def _make_assets(stack: Stack) -> None:
    icons.make_changed(stack.data_dir / "assets")
    assets.make_changed(stack.data_dir / "assets", compressed=True)


def _start_site(stack: Stack) -> None:
    web = [sys.executable, "-m", "granian", "config.serving:application", "--factory", "--interface", "wsgi"]
    web += ["--host", HOST, "--port", str(stack.port), "--http", "1", "--no-ws", "--workers", "2"]
    web += ["--blocking-threads", "8", "--backpressure", "128", "--respawn-failed-workers"]
    web += ["--workers-kill-timeout", "10", "--log-level", "warning"]
    site = _start_child(stack, WEB, web)
    _start_worker(stack, beat=True)
    _wait_until_ready(stack, site)


def _start_only_worker(stack: Stack) -> None:
    """Start a worker beside a site that has the clock: two clocks would send each periodic task twice."""
    _start_worker(stack, beat=False)
    stack.supervisor.check()


def _start_worker(stack: Stack, *, beat: bool) -> None:
    folder = stack.data_dir / "celery"
    folder.mkdir(parents=True, exist_ok=True)
    worker = [sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--loglevel", "warning"]
    worker += ["--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker += ["--hostname", f"credisense-{os.getpid()}@%h"]
    if beat:
        worker += ["--beat", "--schedule", str(folder / "schedule")]
    _start_child(stack, WORKER, worker, restarted=True)


def _start_child(stack: Stack, name: str, command: list[str], *, restarted: bool = False) -> Child:
    log = stack.log(name) if stack.mode == "demo" else None
    return stack.supervisor.start(name, command, environment=stack.environment, log=log, restarted=restarted)


def _wait_until_ready(stack: Stack, site: Child) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(stack.port):
        if time.monotonic() > deadline:
            raise RefusedError(f"Le site ne répond pas après {READY_SECONDS} s.\n{site.log_tail()}")
        stack.supervisor.pause()
        stack.supervisor.check()


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(stack: Stack) -> str:
    if stack.mode == "worker":
        return "\nLes tâches sont exécutées. Ctrl-C arrête."
    return f"\nCrediSense est prêt : http://localhost:{stack.port}\nCtrl-C arrête tout."


@contextmanager
def _alone(stack: Stack) -> Iterator[None]:
    """Refuse a second site on the same data folder (one schedule of periodic tasks) or on a taken port."""
    if stack.mode == "worker":
        yield
        return
    stack.data_dir.mkdir(parents=True, exist_ok=True)
    with (stack.data_dir / "stack.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(f"CrediSense tourne déjà avec le dossier {stack.data_dir}.") from None
        _refuse_taken_port(stack)
        yield


def _refuse_taken_port(stack: Stack) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, stack.port))
        except (OSError, OverflowError) as error:
            other = f"Choisissez-en un autre : PORT=8001 make {stack.mode}"
            raise RefusedError(f"Le port {stack.port} n'est pas libre ({error}). {other}") from error


def _say(line: str, *, end: str = "\n", file: TextIO | None = None) -> None:
    """Print at once; a closed terminal must not keep the rest from being stopped."""
    with suppress(OSError):
        print(line, end=end, file=file, flush=True)


DATABASE_STEPS: list[Step] = [
    ("Base de données", "prête", _start_database),
    ("Migrations", "faites", _manage("migrate", "--database=owner", "--no-input")),
    ("Traductions", "compilées", _compile_catalogues),
    ("Fichiers des pages", "prêts", _make_assets),
    ("Contrôle de l'isolation", "sans remarque", _manage("check_isolation")),
]
SITE_STEP: Step = ("Site et tâches", "prêts", _start_site)
STEPS: dict[str, list[Step]] = {
    "demo": [
        *DATABASE_STEPS,
        ("Données de démonstration", "prêtes", _manage("seed_demo", relay=True)),
        SITE_STEP,
    ],
    "run": [*DATABASE_STEPS, SITE_STEP],
    "worker": [("Base de données", "prête", _start_database), ("Tâches", "prêtes", _start_only_worker)],
}

if __name__ == "__main__":
    sys.exit(main())
