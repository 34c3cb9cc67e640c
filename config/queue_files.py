"""The queue in files, for one machine without a broker: kombu's own, with whole files only.

Kombu writes a message in place and empties a table before it locks it, so that a reader may meet half a text:
the `JSONDecodeError` then ends the worker. Here a file appears by a rename, when all of it is written.
"""

import fcntl
import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

#: The installed stubs describe an older kombu, without the methods that this one overrides.
_Channel: Any = filesystem.Channel
_Transport: Any = filesystem.Transport


class WholeFilesChannel(_Channel):  # type: ignore[misc]
    """Messages and tables that are there entirely or not at all."""

    def get_table(self, exchange: str) -> list[Any]:
        """Return the queues of an exchange; a table that an older version left half-written is empty."""
        try:
            rows = loads(bytes_to_str(self._exchange_file(exchange).read_bytes()))
        except (FileNotFoundError, ValueError):
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._locked():
            table = self.get_table(exchange)
            if row not in table:
                self._write(self._exchange_file(exchange), [row, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: Any, **__: Any) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._locked():
            table = self.get_table(exchange)
            if row in table:
                self._write(self._exchange_file(exchange), [kept for kept in table if kept != row])

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        self._write(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str) -> Any:
        """Return the next message; one that nobody can read is lost, and its job is sent again."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                logger.warning("A message of the queue could not be read and was left out")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        with (self.control_folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, target: Path, content: Any) -> None:
        partial = target.with_name(f".{uuid.uuid4().hex}")
        try:
            partial.write_bytes(str_to_bytes(dumps(content)))
            os.replace(partial, target)  # noqa: PTH105  the names are kombu's texts
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise ChannelError(f"The queue cannot write {target.name}") from error


class Transport(_Transport):  # type: ignore[misc]
    """What `filesystem://` means once `use_whole_files` was called."""

    Channel = WholeFilesChannel
    # Kombu keeps this on the class: two applications of one process would share their exchanges.
    global_state = _Transport.global_state


def use_whole_files() -> None:
    """Let `filesystem://` mean this transport in this process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
