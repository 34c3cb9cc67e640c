"""The queue in files gives whole messages only, however many write and read at once."""

import threading
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue
from kombu.transport import filesystem

from config.queue_files import WholeFilesChannel, use_whole_files

JOBS = Queue("jobs", Exchange("jobs", type="direct"), routing_key="jobs")


@pytest.fixture
def broker(tmp_path: Path) -> Connection:
    use_whole_files()
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "messages"),
        "data_folder_out": str(tmp_path / "messages"),
        "control_folder": str(tmp_path / "control"),
    }
    return Connection("filesystem://", transport_options=options)


def test_the_address_of_the_queue_means_this_transport(broker: Connection) -> None:
    assert type(broker.default_channel) is WholeFilesChannel


def test_a_half_written_message_is_left_out_and_the_next_one_is_read(
    broker: Connection, tmp_path: Path
) -> None:
    queue = broker.SimpleQueue(JOBS)
    (tmp_path / "messages" / "0_half.jobs.msg").write_bytes(b'{"body": "eyJ')
    with pytest.raises(ValueError, match="Unterminated"):
        filesystem.Channel._get(broker.default_channel, "jobs")
    (tmp_path / "messages" / "0_half.jobs.msg").write_bytes(b"")
    queue.put({"number": 1})

    assert queue.get(timeout=5).payload == {"number": 1}
    assert [path.name for path in (tmp_path / "messages").glob("*.msg")] == []


def test_an_empty_table_of_queues_does_not_stop_a_worker(broker: Connection, tmp_path: Path) -> None:
    (tmp_path / "control" / "torn.exchange").write_bytes(b"")
    queue = broker.SimpleQueue(Queue("torn", Exchange("torn", type="direct"), routing_key="torn"))
    queue.put({"number": 2})

    assert queue.get(timeout=5).payload == {"number": 2}


def test_a_message_is_never_seen_before_it_is_whole(broker: Connection, monkeypatch) -> None:
    """A reader looks at the folder at every moment of a write: the name comes with the last byte."""
    channel = broker.default_channel
    seen, write = [], Path.write_bytes

    def write_slowly(path: Path, content: bytes) -> int:
        write(path, content[:5])
        seen.append(channel._size("jobs"))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_slowly)
    channel._put("jobs", {"body": "x" * 100})

    assert seen == [0]
    assert channel._get("jobs") == {"body": "x" * 100}


def test_many_writers_bind_and_send_at_once_and_nothing_is_lost(broker: Connection) -> None:
    options, failures = broker.transport_options, []

    def send(writer: int) -> None:
        try:
            with Connection("filesystem://", transport_options=options) as own:
                own_queue = Queue(f"q{writer}", Exchange("fan", type="fanout"))
                own_queue(own.default_channel).declare()
                for number in range(50):
                    own.default_channel._put("jobs", {"number": writer * 100 + number})
        except Exception as error:  # noqa: BLE001  a thread's failure must reach the test
            failures.append(repr(error))

    threads = [threading.Thread(target=send, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    got = set()
    while any(thread.is_alive() for thread in threads) or broker.default_channel._size("jobs"):
        try:
            got.add(broker.default_channel._get("jobs")["number"])
        except filesystem.Empty:
            continue

    assert failures == []
    assert got == {writer * 100 + number for writer in range(4) for number in range(50)}
    assert {row.queue for row in broker.default_channel.get_table("fan")} == {"q0", "q1", "q2", "q3"}
