"""What waits at the same moment for the same is answered together."""

from collections.abc import Callable, Hashable, Sequence
from threading import Lock

#: So many at most: whoever comes first waits for all of them.
MOST = 16


class _Waiting[Asked, Answer]:
    """One who asks, until answered or called to answer for all that wait."""

    __slots__ = ("answer", "asked", "done", "signal")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answer: Answer | None = None
        self.done = False
        self.signal = Lock()
        self.signal.acquire()


class Gathering[Asked, Answer]:
    """Lets one thread answer for all that asked the same key while another was at work for it.

    ``answer(key, asked, hand_over)`` returns one answer for each, in order, ``None`` where it has none; once
    it has called ``hand_over``, the next thread may begin on those that came meanwhile. Alone, nobody waits.
    What ``answer`` raises is raised to the one who called it; the others are left without an answer.
    """

    def __init__[Key: Hashable](
        self,
        answer: Callable[[Key, Sequence[Asked], Callable[[], None]], Sequence[Answer | None]],
        most: int = MOST,
    ) -> None:
        self._answer: Callable[..., Sequence[Answer | None]] = answer
        self._most = most
        self._lock = Lock()
        #: Keys for which a thread is at work, and who waits for it to hand over.
        self._queues: dict[Hashable, list[_Waiting[Asked, Answer]]] = {}

    def __call__(self, key: Hashable, asked: Asked) -> Answer | None:
        """Return the answer to ``asked``, given by this thread or by another."""
        own = _Waiting[Asked, Answer](asked)
        with self._lock:
            queue = self._queues.get(key)
            if queue is None:
                self._queues[key] = []
            else:
                queue.append(own)
        if queue is not None:
            own.signal.acquire()  # answered, or called to answer
            if own.done:
                return own.answer
        self._lead(key, own)
        return own.answer

    def _lead(self, key: Hashable, own: _Waiting[Asked, Answer]) -> None:
        with self._lock:
            queue = self._queues[key]
            others, queue[:] = queue[: self._most - 1], queue[self._most - 1 :]
        together, handed = [own, *others], False

        def hand_over() -> None:
            nonlocal handed
            if not handed:
                handed = True
                self._call_next(key)

        try:
            answers = self._answer(key, [each.asked for each in together], hand_over)
            for each, answer in zip(together, answers, strict=True):
                each.answer = answer
        finally:
            hand_over()
            for each in others:
                each.done = True
                each.signal.release()

    def _call_next(self, key: Hashable) -> None:
        with self._lock:
            queue = self._queues[key]
            if queue:
                queue.pop(0).signal.release()
            else:
                del self._queues[key]
