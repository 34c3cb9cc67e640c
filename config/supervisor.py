"""Start programs, watch them, and stop them in order: none outlives the command that started it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

TICK_SECONDS = 0.1
LOG_LINES = 15
#: A program that may be started again waits so long after its first end, twice as long each time, at most a
#: minute; one that lived for a minute begins anew.
RESTART_SECONDS = 1.0
RESTART_SECONDS_AT_MOST = 60.0


class StopAskedError(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


class ChildStoppedError(Exception):
    """A program ended by itself."""

    def __init__(self, name: str, code: int, log: str) -> None:
        """Keep which program it was, its exit code and the end of its log."""
        super().__init__(f"{name}: {code}")
        self.name = name
        self.code = code
        self.log = log


@dataclass(slots=True)
class Child:
    """A running program, alone in its process group; with ``revive``, started again when it ends."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path | None
    grace_seconds: float
    revive: Callable[[], "subprocess.Popen[bytes]"] | None = None
    started_at: float = field(default_factory=time.monotonic)
    delay: float = RESTART_SECONDS
    due_at: float | None = None

    def look(self) -> None:
        """Start an ended program again once its delay is over; raise ``ChildStoppedError`` if it may not."""
        code = self.process.poll()
        if code is None:
            return
        if self.revive is None:
            raise ChildStoppedError(self.name, code, self.log_tail())
        now = time.monotonic()
        if self.due_at is None:
            _sweep(self.process.pid)
            if now - self.started_at > RESTART_SECONDS_AT_MOST:
                self.delay = RESTART_SECONDS
            self.due_at = now + self.delay
            self.delay = min(self.delay * 2, RESTART_SECONDS_AT_MOST)
        elif now >= self.due_at:
            self.process, self.started_at, self.due_at = self.revive(), now, None

    def log_tail(self) -> str:
        """Return the last lines that the program wrote, when it writes to a file."""
        if self.log is None:
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])


class Supervisor:
    """The programs of one command. Signals only set a flag, so none is lost between start and bookkeeping."""

    def __init__(self) -> None:
        """Take over the signals that end a command."""
        self.stop_asked = False
        self._children: list[Child] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_stop)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path | None = None,
        grace_seconds: float = 20,
        restarted: bool = False,
    ) -> Child:
        """Start a program whose output goes to `log`, or to the terminal when there is none.

        A `restarted` program that ends by itself is started again by `check`, later each time.
        """
        child = Child(name, _launch(command, environment, log), log, grace_seconds)
        if restarted:
            child.revive = lambda: _launch(command, environment, log, keep=True)
        self._children.append(child)
        return child

    def run(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        relay: Callable[[str], None] | None = None,
    ) -> None:
        """Run a program to its end, handing each line it writes to `relay`.

        Raises `ChildStoppedError` when it fails and `StopAskedError` when a signal came.
        """
        child = self.start(name, command, environment=environment, log=log)
        with log.open(encoding="utf-8", errors="replace") as written:
            running = True
            while running:
                running = child.process.poll() is None
                if relay is not None:
                    for line in written:
                        relay(line.rstrip("\n"))
                if running:
                    self.pause()
        self._children.remove(child)
        if child.process.returncode != 0:
            raise ChildStoppedError(name, child.process.returncode, child.log_tail())

    def pause(self) -> None:
        """Wait one tick; raises `StopAskedError` once a signal came."""
        if self.stop_asked:
            raise StopAskedError
        time.sleep(TICK_SECONDS)

    def check(self) -> None:
        """Raise `ChildStoppedError` when a program has ended that is not to be started again."""
        for child in self._children:
            child.look()

    def watch(self, also: Callable[[], None]) -> NoReturn:
        """Return never: raises `StopAskedError`, `ChildStoppedError` or what `also` raises."""
        while True:
            self.pause()
            self.check()
            also()

    def stop(self) -> None:
        """Stop every program in the order of their start, each with its time to finish."""
        while self._children:
            _end(self._children.pop(0))

    def _ask_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_asked = True


def _launch(
    command: Sequence[str], environment: Mapping[str, str], log: Path | None, *, keep: bool = False
) -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C reaches the supervisor alone, which then stops things in order.
    if log is None:
        return subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603  our commands
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab" if keep else "wb") as output:
        return subprocess.Popen(  # noqa: S603  our commands
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _end(child: Child) -> None:
    """Ask, wait, insist; then sweep what the program itself may have left in its group."""
    if child.process.poll() is None:
        child.process.terminate()
        try:
            child.process.wait(child.grace_seconds)
        except subprocess.TimeoutExpired:
            child.process.kill()
    _sweep(child.process.pid)
    child.process.wait()


def _sweep(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
