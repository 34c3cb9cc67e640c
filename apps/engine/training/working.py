"""Work on several folds at once while somebody is told, and may stop it."""

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

#: What a job calls between its steps; it raises once the work is to stop.
Tick = Callable[[], None]

_BETWEEN_SECONDS = 0.2
_TOLD_EVERY_SECONDS = 1.0
_GRACE_SECONDS = 5.0


class Stopped(Exception):
    """The work was given up; raised inside jobs only."""


def work[Done](
    jobs: Sequence[Callable[[Tick], Done]], threads: int, told: Callable[[int], None]
) -> list[Done]:
    """Run ``jobs`` on joblib's threads and give their results in order.

    ``told(jobs done)`` is called in the caller's thread each second; what it raises stops the jobs at their
    next tick and comes out, and so does what a job raises. A library's own fit in between cannot be broken
    off: it ends in its thread, and nobody waits for it longer than five seconds.
    """
    crew = _Crew(jobs, threads)
    thread = Thread(target=crew.run, daemon=True)
    thread.start()
    last = float("-inf")
    try:
        while thread.is_alive():
            if time.monotonic() - last >= _TOLD_EVERY_SECONDS:
                told(len(crew.done))
                last = time.monotonic()
            thread.join(_BETWEEN_SECONDS)
        told(len(crew.done))
    except BaseException:
        crew.stop.set()
        thread.join(_GRACE_SECONDS)
        raise
    if crew.error is not None:
        raise crew.error
    return crew.results


class _Crew[Done]:
    def __init__(self, jobs: Sequence[Callable[[Tick], Done]], threads: int) -> None:
        self.jobs, self.threads = jobs, threads
        self.stop = Event()
        self.done: list[None] = []
        self.results: list[Done] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        from sklearn.utils.parallel import Parallel, delayed  # joblib's, as scikit-learn has it
        from threadpoolctl import threadpool_limits

        try:
            with threadpool_limits(1, user_api="blas"):
                parallel = Parallel(n_jobs=self.threads, backend="threading")
                self.results = list(parallel(delayed(self._one)(job) for job in self.jobs))
        except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
            self.error = error

    def _one(self, job: Callable[[Tick], Done]) -> Done:
        from threadpoolctl import threadpool_limits

        self._tick()
        with threadpool_limits(1, user_api="openmp"):  # each thread has a limit of its own
            result = job(self._tick)
        self.done.append(None)
        return result

    def _tick(self) -> None:
        if self.stop.is_set():
            raise Stopped
