"""The command that starts everything: what it stops, in which order, and what it says."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import catalogues
from config.supervisor import Child

REPOSITORY = Path(__file__).resolve().parents[2]
#: Two programs that write their name when they stop, under one supervisor, as `config.stack` uses it.
SCRIPT = """
import os, sys
from pathlib import Path
from config.supervisor import ChildStoppedError, StopAskedError, Supervisor

folder = Path(sys.argv[1])
supervisor = Supervisor()
for name, code in zip(("first", "second"), sys.argv[2:], strict=True):
    command = [sys.executable, "-u", "-c", code, name, str(folder / "order")]
    child = supervisor.start(name, command, environment=dict(os.environ), log=folder / name, grace_seconds=1)
    (folder / "pids").open("a").write(f"{child.process.pid}\\n")
(folder / "started").touch()
try:
    supervisor.watch(lambda: None)
except StopAskedError:
    print("asked")
except ChildStoppedError as stopped:
    print(stopped.name, stopped.code, stopped.log)
finally:
    supervisor.stop()
"""
POLITE = """
import signal, sys, time
def leave(*_):
    with open(sys.argv[2], "a") as order: order.write(sys.argv[1] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
CATALOGUE = r"""
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\n"

msgid "Home"
msgstr "Accueil"
"""
FAILING = "import time; time.sleep(0.3); print('no such table'); raise SystemExit(3)"


def group_is_empty(leader: int) -> bool:
    """Say whether no process of a child's group runs any more (a zombie does not run)."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group = stat.read_text().rpartition(") ")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group) == leader and state != "Z":
            return False
    return True


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str, str], "subprocess.Popen[str]"]]:
    started = []

    def start(first: str, second: str) -> "subprocess.Popen[str]":
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path), first, second],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(supervisor)
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)  # the programs set their own handlers
        return supervisor

    yield start
    for supervisor in started:
        supervisor.kill()
        supervisor.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_programs_in_order(
    supervise: Callable, tmp_path: Path, number: signal.Signals
) -> None:
    supervisor = supervise(POLITE, POLITE)
    supervisor.send_signal(number)
    assert supervisor.communicate(timeout=60) == ("asked\n", None)
    assert supervisor.returncode == 0
    assert (tmp_path / "order").read_text() == "first second "


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
@pytest.mark.parametrize("program", [STUBBORN, PARENT], ids=["deaf", "parent"])
def test_neither_a_deaf_program_nor_a_grandchild_is_left(
    supervise: Callable, tmp_path: Path, program: str
) -> None:
    supervisor = supervise(program, POLITE)
    leaders = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert not any(group_is_empty(leader) for leader in leaders)
    supervisor.terminate()
    supervisor.communicate(timeout=60)
    assert supervisor.returncode == 0
    assert all(group_is_empty(leader) for leader in leaders)


def test_a_program_that_dies_is_told_and_stops_the_rest(supervise: Callable, tmp_path: Path) -> None:
    supervisor = supervise(POLITE, FAILING)
    assert supervisor.communicate(timeout=60)[0] == "second 3 no such table\n"
    assert (tmp_path / "order").read_text() == "first "


def test_a_program_to_be_restarted_comes_back_later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("config.supervisor.time.monotonic", lambda: clock[0])
    starts: list[float] = []

    def start() -> "subprocess.Popen[bytes]":
        starts.append(clock[0])
        done = subprocess.Popen(["false"], start_new_session=True)
        done.wait()
        return done

    child = Child("worker", start(), None, 1, revive=start, started_at=0)
    for tick in range(1, 2000):
        clock[0] = tick / 10
        child.look()

    waits = [round(after - before) for before, after in itertools.pairwise(starts)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("mode", ["demo", "run"])
def test_a_taken_port_is_told_before_anything_starts(data_dir: Path, mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = os.environ | {"PORT": str(port), "CREDISENSE_DATA_DIR": str(data_dir)}
        done = subprocess.run(
            [sys.executable, "-m", "config.stack", mode],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"Le port {port} n'est pas libre" in done.stderr
    assert f"PORT=8001 make {mode}" in done.stderr
    assert not (data_dir / "postgres.json").exists()


def test_catalogues_are_compiled_only_when_they_changed(tmp_path: Path) -> None:
    source = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(CATALOGUE)
    compiled = source.with_suffix(".mo")
    assert catalogues.compile_changed(tmp_path) == [compiled]
    assert b"Accueil" in compiled.read_bytes()
    assert catalogues.compile_changed(tmp_path) == []
    os.utime(source, (time.time() + 5, time.time() + 5))
    assert catalogues.compile_changed(tmp_path) == [compiled]
    assert [path.name for path in source.parent.iterdir() if path.suffix not in {".po", ".mo"}] == []
