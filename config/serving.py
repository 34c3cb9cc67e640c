"""A process of the site, whatever server starts it: `application` begins it and returns what answers.

Processes of one server share nothing but the folder of their figures, so each looks after itself.
"""

import fcntl
import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from config import env

if TYPE_CHECKING:
    from django.core.handlers.wsgi import WSGIHandler

PREPARED_AFTER_S = 5
#: What an ended server leaves has so long to answer what it has in hand.
_GRACE_S = 30
_FOLDER = env.text("PROMETHEUS_MULTIPROC_DIR", "")
#: A file in the folder of the figures: which server they are of.
_RUN = "run"


def application() -> "WSGIHandler":
    """Return what answers, once the figures are sorted; the models are loaded while it does."""
    _end_with_server()
    if _FOLDER:
        sort_figures(Path(_FOLDER), _named(os.getppid()))
    from config import wsgi  # opens the figures' files

    later = threading.Timer(PREPARED_AFTER_S, _prepare)
    later.daemon = True
    later.start()
    return wsgi.application


def sort_figures(folder: Path, run: str) -> None:
    """Empty the folder in the first process of a run; in others, forget the live figures of ended processes.

    What an ended process of this run counted stays in the sums.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _RUN).open("a+") as named:
        fcntl.flock(named, fcntl.LOCK_EX)
        named.seek(0)
        is_first = named.read() != run
        for file in folder.glob("*.db"):
            if is_first or (file.name.startswith("gauge_live") and not _lives(file.stem.rpartition("_")[2])):
                file.unlink()
        named.truncate(0)
        named.write(run)


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    return True


def _named(process: int) -> str:
    """Name a process by its number and, as numbers come back, by when it began."""
    began = ""
    with suppress(OSError):  # no such folder but on Linux
        began = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{process} {began}"


def _end_with_server() -> None:
    """Do not outlive a server that was killed: the port would be held by nobody's process."""
    server = multiprocessing.parent_process()
    if server is not None:
        threading.Thread(target=_end_after, args=(server,), daemon=True).start()


def _end_after(server: "multiprocessing.process.BaseProcess") -> None:
    server.join()
    for _second in range(_GRACE_S):  # one that comes while the process begins is not heard
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    os._exit(1)


def _prepare() -> None:
    """Load the models in production and compile what scores one row."""
    from django.db import connections

    from apps.engine.compiled import prepare
    from apps.registry.services.versions import load_champions

    try:
        load_champions()
    finally:
        connections.close_all()  # those of this thread
    prepare()
