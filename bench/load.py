"""Our own driver: keep-alive connections over one epoll loop, the same for whoever is measured.

About 15 µs of processor time a request, so that on a small machine the driver takes little from the servers.
"""

import itertools
import math
import select
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What one round saw: requests a second, times in milliseconds, answers not expected, processor ms."""

    per_second: float
    p50: float
    p95: float
    p99: float
    requests: int
    errors: int
    cost: float = 0.0


def request_bytes(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return one POST of JSON as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def get_bytes(path: str, headers: dict[str, str]) -> bytes:
    """Return one GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


class _Line:
    """One connection: what it is waiting for, and since when."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.since = 0.0

    def send(self, request: bytes) -> None:
        self.received = b""
        self.since = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> int | None:
        """Read what came; return the status once the answer is whole."""
        part = self.socket.recv(65_536)
        if not part:
            return 0
        self.received += part
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        return int(head[9:12]) if len(body) >= length else None


def drive(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float, expected: int = 200
) -> Load:
    """Send ``requests`` in turn over the connections, one at a time on each, until the time is up."""
    following = itertools.cycle(requests).__next__
    lines = {}
    poll = select.epoll()
    for _ in range(connections):
        line = _Line(port)
        lines[line.socket.fileno()] = line
        poll.register(line.socket, select.EPOLLIN)
    times: list[float] = []
    errors = 0
    started = time.perf_counter()
    deadline = started + seconds
    for line in lines.values():
        line.send(following())
    while lines:
        for number, _event in poll.poll(30) or _silent():
            line = lines[number]
            status = line.answer()
            if status is None:
                continue
            now = time.perf_counter()
            times.append(now - line.since)
            errors += status != expected
            closed = status == 0 or b"connection: close" in line.received[:600].lower()
            if now < deadline and closed:
                poll.unregister(number)
                line.socket.close()
                del lines[number]
                line = _Line(port)
                lines[line.socket.fileno()] = line
                poll.register(line.socket, select.EPOLLIN)
            if now < deadline:
                line.send(following())
            else:
                poll.unregister(number)
                line.socket.close()
                del lines[number]
    elapsed = time.perf_counter() - started
    times.sort()
    return Load(
        per_second=(len(times) - errors) / elapsed,
        p50=1000 * statistics.median(times),
        p95=1000 * percentile(times, 0.95),
        p99=1000 * percentile(times, 0.99),
        requests=len(times),
        errors=errors,
    )


def percentile(ordered: list[float], share: float) -> float:
    """Return the value under which ``share`` of an ordered list lies."""
    return ordered[min(math.ceil(share * len(ordered)) - 1, len(ordered) - 1)]


def _silent() -> list[tuple[int, int]]:
    raise SystemExit("the server has not answered for 30 seconds")
