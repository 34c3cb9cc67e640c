"""What gunicorn does beside its command line: the metrics of its processes, models loaded and compiled."""

import shutil
import threading
from pathlib import Path
from typing import Any

from config import env

_PREPARED_AFTER_S = 5
_FOLDER = env.text("PROMETHEUS_MULTIPROC_DIR", "")


def on_starting(_server: Any) -> None:
    """Begin with no figures of processes that an earlier run had."""
    if _FOLDER:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        Path(_FOLDER).mkdir(parents=True)


def post_worker_init(_worker: Any) -> None:
    """Load the models in production and compile what scores one row: requests are answered meanwhile."""
    later = threading.Timer(_PREPARED_AFTER_S, _prepare)
    later.daemon = True
    later.start()


def _prepare() -> None:
    from django.db import connections

    from apps.engine.compiled import prepare
    from apps.registry.services.versions import load_champions

    try:
        load_champions()
    finally:
        connections.close_all()  # those of this thread
    prepare()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the live figures of a process that ended; what it counted stays in the sums."""
    if _FOLDER:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
