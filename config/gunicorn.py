"""What gunicorn does beside its command line: the metrics of its processes, machine code for scores."""

import shutil
import threading
from pathlib import Path
from typing import Any

from config import env

_COMPILED_AFTER_S = 5
_FOLDER = env.text("PROMETHEUS_MULTIPROC_DIR", "")


def on_starting(_server: Any) -> None:
    """Begin with no figures of processes that an earlier run had."""
    if _FOLDER:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        Path(_FOLDER).mkdir(parents=True)


def post_worker_init(_worker: Any) -> None:
    """Compile what scores one row, a moment after the first requests: they are answered meanwhile."""
    later = threading.Timer(_COMPILED_AFTER_S, _prepare)
    later.daemon = True
    later.start()


def _prepare() -> None:
    from apps.engine.compiled import prepare

    prepare()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the live figures of a process that ended; what it counted stays in the sums."""
    if _FOLDER:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
