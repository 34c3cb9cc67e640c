"""Sending to an address that somebody else chose: checked, connected to the very address that was checked.

The name is resolved once; every address that it leads to must be public, and the connection goes to one of
them, so a changed DNS answer changes nothing. Redirects are not followed.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress

from django.conf import settings

from apps.outbox.errors import DeliveryFailed, ForbiddenAddress
from apps.outbox.rules import Target, is_public, target_of

CONNECT_SECONDS = 5
TOTAL_SECONDS = 10
REDIRECTS = range(300, 400)
ACCEPTED = range(200, 300)


def check_address(url: str) -> tuple[Target, str]:
    """Return the target of a web address and the IP address to connect to; raise ``ForbiddenAddress``.

    Raises ``DeliveryFailed`` when the name leads nowhere.
    """
    target = target_of(url, ports=settings.WEBHOOK_PORTS, plain=settings.WEBHOOK_PLAIN_HTTP)
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed("unknown host") from error
    addresses = [str(answer[4][0]) for answer in answers]
    if not addresses or not all(is_public(each, allowed=settings.WEBHOOK_NETWORKS) for each in addresses):
        raise ForbiddenAddress("private address")
    return target, addresses[0]


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post ``body`` and return the status, one of 200 to 299; raise ``DeliveryFailed`` for anything else."""
    target, address = check_address(url)
    connection = _connection(target, address)
    watch = threading.Timer(TOTAL_SECONDS, _cut, [connection])
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", target.path, body, dict(headers))
        status = connection.getresponse().status  # its body is of no interest
    except ssl.SSLError as error:
        raise DeliveryFailed("TLS refused") from error
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(type(error).__name__) from error
    finally:
        watch.cancel()
        connection.close()
    if status in REDIRECTS:
        raise DeliveryFailed("redirects are not followed", status=status)
    if status not in ACCEPTED:
        raise DeliveryFailed(f"HTTP {status}", status=status)
    return status


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
