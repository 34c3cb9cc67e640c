"""Where a webhook may lead, and how what it is sent is signed: pure rules."""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Container, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.outbox.errors import ForbiddenAddress

SECRET_BYTES = 32
#: All that IANA gives out of IPv6; outside are forms that lead to IPv4 addresses of any kind.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
NAME = re.compile(rf"{LABEL}(\.{LABEL})*")
LONGEST_NAME = 253
#: A last label that some resolvers read as a number makes the whole an address: ``127.1``, ``0x7f.1``.
NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """A web address taken apart; ``path`` holds the query too."""

    secure: bool
    host: str
    port: int
    path: str


def target_of(url: str, *, ports: Container[int], plain: bool = False) -> Target:
    """Take a web address apart; raise ``ForbiddenAddress`` for a scheme, a port or a form not allowed.

    ``plain`` allows http beside https.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddress("invalid address") from error
    if parts.scheme not in ({"https", "http"} if plain else {"https"}):
        raise ForbiddenAddress("https is required")
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise ForbiddenAddress("invalid address")
    if any(ord(letter) <= ord(" ") or ord(letter) > ord("~") for letter in url):
        raise ForbiddenAddress("invalid address")
    if not _is_host(parts.hostname):
        raise ForbiddenAddress("invalid address")
    secure = parts.scheme == "https"
    if port is None:
        port = 443 if secure else 80
    if port not in ports:
        raise ForbiddenAddress(f"port {port} is not allowed")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return Target(secure, parts.hostname, port, path)


def _is_host(host: str) -> bool:
    """Say whether a host is a plain name, or an IP address written the one way that all read alike."""
    try:
        return "%" not in str(ipaddress.ip_address(host))
    except ValueError:
        return len(host) <= LONGEST_NAME and bool(NAME.fullmatch(host)) and not NUMBER.fullmatch(host)


def is_public(address: str, *, allowed: Iterable[str] = ()) -> bool:
    """Say whether an IP address is on the public internet, or in one of the networks ``allowed``.

    Private, loopback, link-local (cloud metadata), unique-local, shared, multicast and unspecified ones are
    not, nor are those inside an IPv6 address (mapped, 6to4, Teredo, NAT64).
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if any(ip in ipaddress.ip_network(network) for network in allowed):
        return True
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour or ip.teredo or ip not in GLOBAL_UNICAST):
        return False
    return ip.is_global and not ip.is_multicast


def new_webhook_secret() -> str:
    """Return a fresh secret of 256 bits."""
    return f"whsec_{secrets.token_urlsafe(SECRET_BYTES)}"


def signature_of(body: bytes, *, secret: str, at: int) -> str:
    """Return ``t=<seconds since the epoch>,v1=<HMAC-SHA256 of "t.body", hexadecimal>``."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
