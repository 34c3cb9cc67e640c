"""Every door that exists, and one way to knock: nothing of horizon may come out of any of them.

Doors are read from the URL configuration, the back-office, the tasks and the commands, so that a new
one is attacked without anyone remembering.
"""

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import get_resolver

from apps.tenancy.checks import routes
from tests.isolation.loot import foreign_uids, loot
from tests.world import WORLD

#: Kind of door -> how many were tried in this run; printed at its end.
TRIED: Counter[str] = Counter()
METHOD_REFUSED = 405
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
#: The kind that is tried where every kind would only repeat what the twins' test tries with each.
SCORE = "scoring.prediction"
#: Attacker and route -> the methods that it answers to this attacker.
_ANSWERED: dict[tuple[str, str], tuple[str, ...]] = {}
#: What changes from one answer to the next without telling anything.
NOISE = [
    (re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"'), b""),
    (re.compile(rb'"X-CSRFToken": "[^"]+"'), b""),
    (re.compile(rb' nonce="[^"]+"'), b""),
    (re.compile(rb'"request_id":"[0-9a-f]+"'), b""),
    (re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"), b"<uid>"),
]


@dataclass
class Attacker:
    """A logged-in member of ngwa, by session and by token, and what was logged meanwhile."""

    name: str
    log: Any
    kind: str = "page"
    extra: set[str] = field(default_factory=set)

    @cached_property
    def session(self) -> Client:
        """A browser in which the attacker is logged in."""
        client = Client(raise_request_exception=False)
        client.force_login(WORLD.user(self.name))
        return client

    @cached_property
    def token(self) -> Client:
        """A program that sends a token of the attacker."""
        authorization = {"Authorization": f"Bearer {WORLD.access_token(self.name)}"}
        return Client(raise_request_exception=False, headers=authorization)

    def strike(self, method: str, path: str, data: Any = None, *, sent: Any = (), **extra: Any) -> Any:
        """Send one request; fail when a byte of horizon is in the answer, its headers, the log or a mail."""
        api = path.startswith("/api/")
        client = self.token if api else self.session
        self.log.clear()
        mail.outbox.clear()
        if api and data is not None and method != "GET":
            extra.setdefault("content_type", "application/json")
        answer = getattr(client, method.lower())(path, **({} if data is None else {"data": data}), **extra)
        TRIED[self.kind] += 1
        told = "\n".join(
            [
                body_of(answer).decode("utf-8", "replace"),
                repr(dict(answer.headers)),
                repr(answer.cookies),
                self.log.text,
                *(f"{each.to} {each.subject} {each.body}" for each in mail.outbox),
            ]
        )
        leaked = loot().found_in(told, sent=sent)
        assert leaked == [], f"{self.name}: {method} {path} {data} told {leaked[:5]}"
        assert answer.status_code < 500, f"{self.name}: {method} {path} {data} broke: {answer.status_code}"
        return answer


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def same(one: Any, other: Any) -> bool:
    """Say whether two answers cannot be told apart once identifiers are covered."""
    return (one.status_code, _plain(one)) == (other.status_code, _plain(other))


def _plain(answer: Any) -> bytes:
    body = body_of(answer)
    for pattern, replacement in NOISE:
        body = pattern.sub(replacement, body)
    return body


def site_routes() -> list[tuple[str, Any]]:
    """Return ``(path, pattern)`` of every route outside the back-office."""
    return list(routes(get_resolver()))


def filled(path: str, pattern: Any, value: Any) -> str:
    """Return the address of a route with every parameter set to ``value``."""
    return "/" + re.sub(r"<[^>]+>", str(value), path).lstrip("^").rstrip("$")


def addresses(path: str, pattern: Any, *labels: str) -> Iterator[tuple[str, str]]:
    """Yield ``(address, value sent)``: once, or per foreign object of ``labels`` where the route takes one.

    Without labels, per kind of foreign object.
    """
    if "<" not in path:
        yield filled(path, pattern, ""), ""
        return
    for label, uid in foreign_uids().items():
        if not labels or label in labels:
            yield filled(path, pattern, uid), uid


def answered(attacker: Attacker, path: str, pattern: Any) -> tuple[str, ...]:
    """Return the methods that a route does not refuse as such (405); each was tried once, to know.

    What ends the attacker's own session answers to nothing here.
    """
    if "logout" in (pattern.name or ""):
        return ()
    key = attacker.name, path
    if key not in _ANSWERED:
        address = filled(path, pattern, unknown())
        told = {method: attacker.strike(method, address).status_code for method in METHODS}
        _ANSWERED[key] = tuple(method for method, status in told.items() if status != METHOD_REFUSED)
    return _ANSWERED[key]


def attempts(
    path: str, pattern: Any, own: str, methods: Iterable[str], looking: Iterable[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield ``(method, address, value sent)``: every kind of foreign object by the methods ``looking``.

    By the other ``methods``, which refuse before they look: the kind ``own``, for which the route is made,
    and a score.
    """
    for label, uid in foreign_uids().items():
        tried = methods if label in {own, SCORE} else looking
        yield from ((method, filled(path, pattern, uid), uid) for method in tried)


def unknown() -> str:
    """Return an identifier that nobody has."""
    return str(uuid.uuid4())
