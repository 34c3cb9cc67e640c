"""Sending to an address that somebody else chose: checked, connected to the very address that was checked.

The name is resolved once; every address that it leads to must be public, and the connection goes to one of
them, so a changed DNS answer changes nothing. Redirects are not followed.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings

from apps.outbox.errors import DeliveryFailed, ForbiddenAddress
from apps.outbox.rules import Target, is_public, target_of

CONNECT_SECONDS = 5
TOTAL_SECONDS = 10
REDIRECTS = range(300, 400)
ACCEPTED = range(200, 300)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where requests of ours may go: ports, http beside https, networks beside the public internet."""

    ports: Container[int]
    plain: bool
    networks: Iterable[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, read up to a limit."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def webhook_bounds() -> Bounds:
    """Return the bounds of webhooks."""
    return Bounds(settings.WEBHOOK_PORTS, settings.WEBHOOK_PLAIN_HTTP, settings.WEBHOOK_NETWORKS)


def check_address(url: str, bounds: Bounds | None = None) -> tuple[Target, str]:
    """Return the target of a web address and the IP address to connect to; raise ``ForbiddenAddress``.

    Without ``bounds`` those of webhooks count. Raises ``DeliveryFailed`` when the name leads nowhere.
    """
    bounds = bounds or webhook_bounds()
    target = target_of(url, ports=bounds.ports, plain=bounds.plain)
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed("unknown host") from error
    addresses = [str(answer[4][0]) for answer in answers]
    if not addresses or not all(is_public(each, allowed=bounds.networks) for each in addresses):
        raise ForbiddenAddress("private address")
    return target, addresses[0]


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post ``body`` and return the status, one of 200 to 299; raise ``DeliveryFailed`` for anything else."""
    status = _ask("POST", url, body, headers, webhook_bounds()).status  # its body is of no interest
    if status not in ACCEPTED:
        raise DeliveryFailed(f"HTTP {status}", status=status)
    return status


def fetch(
    method: str, url: str, *, bounds: Bounds, most: int, body: bytes = b"", headers: Mapping[str, str]
) -> Answer:
    """Ask a server and return what it answers, of ``most`` bytes at most; raise ``DeliveryFailed``."""
    return _ask(method, url, body, headers, bounds, most=most)


def _ask(
    method: str, url: str, body: bytes, headers: Mapping[str, str], bounds: Bounds, *, most: int | None = None
) -> Answer:
    target, address = check_address(url, bounds)
    connection = _connection(target, address)
    watch = threading.Timer(TOTAL_SECONDS, _cut, [connection])
    watch.daemon = True
    watch.start()
    try:
        connection.request(method, target.path, body, dict(headers))
        with connection.getresponse() as answer:
            content = b"" if most is None else answer.read(most + 1)
    except ssl.SSLError as error:
        raise DeliveryFailed("TLS refused") from error
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(type(error).__name__) from error
    finally:
        watch.cancel()
        connection.close()
    if answer.status in REDIRECTS:
        raise DeliveryFailed("redirects are not followed", status=answer.status)
    if most is not None and len(content) > most:
        raise DeliveryFailed("the answer is too long", status=answer.status)
    return Answer(answer.status, dict(answer.getheaders()), content)


class _Plain(http.client.HTTPConnection):
    """Connects to an address already checked; the ``Host`` header still bears the name."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _Secure(_Plain):
    """The same, with the certificate checked against the name."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _connection(target: Target, address: str) -> http.client.HTTPConnection:
    return (_Secure if target.secure else _Plain)(target, address)


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection that drips."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
