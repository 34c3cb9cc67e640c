"""The beginning of a request that must be quick: everything that is to be known, in one statement.

Whoever opens names a function of the database, ``function(institution, date) -> text``, that reads what the
answer needs. Nothing of what it says is believed from one request to the next: closing a session counts at
once.
"""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

from apps.tenancy.actor import Actor
from apps.tenancy.prepared import Call, Row
from apps.tenancy.roles import KEY_SCOPES, Role
from apps.users.backends import client_address
from apps.users.queries import limited_agencies
from apps.users.services import limits
from apps.users.services.keys import note_key_seen
from apps.users.services.limits import Limit, Rate, limit_after, limit_of, window_of
from apps.users.services.sessions import note_seen
from apps.users.tokens import Claims, ShownKey


@dataclass(frozen=True, slots=True)
class Opening:
    """Who asks (nobody when the token's session is over), the limits, and what was read for the answer.

    ``told`` is what the database said of the caller, as it said it; ``done`` whether the ``Then`` was.
    """

    actor: Actor | None
    limits: tuple[Limit, ...]
    ahead: str
    told: tuple[str | None, ...] = ()
    done: bool = False

    def limits_before(self, requests: int) -> tuple[Limit, ...]:
        """Return the limits as they stood before the last so many of the requests that were counted."""
        if not requests:
            return self.limits
        return tuple(
            Limit(limit.name, limit.rate, limit.used - requests, limit.reset) for limit in self.limits
        )


@dataclass(frozen=True, slots=True)
class Then:
    """What to do in the statement that opens, if no limit is passed and all is still as ``known`` has it.

    ``sql`` is an expression that is not null, given the number of its first parameter; it must be the same
    object for the same text. ``values`` are its parameters.
    """

    sql: Callable[[int], str]
    values: tuple[str | None, ...]
    known: Opening


@dataclass(frozen=True, slots=True)
class _Door:
    """A function of the database that opens: its columns, and those that tell who the caller is.

    ``within`` says in SQL that no limit is passed; the requests that the route allows follow it.
    """

    function: str
    parameters: int
    columns: tuple[str, ...]
    telling: tuple[str, ...]
    within: str


_PERSON = _Door(
    "users_api_opening",
    11,
    ("session_id", "last_seen_at", "user_id", "full_name", "institution_id", "agencies", "used"),
    ("user_id", "full_name", "institution_id", "agencies"),
    "coalesce(o.used, 0) <= ",
)
_KEY = _Door(
    "users_key_opening",
    9,
    (
        "key_id", "key_uid", "key_name", "last_used_at", "institution_id", "scopes", "limited", "agencies",
        "quota", "used", "used_today",
    ),
    ("key_id", "key_uid", "key_name", "institution_id", "scopes", "limited", "agencies", "quota"),
    "coalesce(o.used_today <= o.quota, true) AND coalesce(o.used, 0) <= ",
)  # fmt: skip


def open_ahead(
    request: Any, claims: Claims, *, reading: str, count: int = 1, then: Then | None = None
) -> Opening:
    """Ask in one statement whether the token still holds, count the request, and call ``reading``.

    ``count`` requests of the same caller may be opened at once: the limits are those after the last. What
    ``then`` wants is done in the same statement, all or nothing.
    """
    name, rate = limit_of(request.path)
    moment, address = limits.now(), client_address(request)
    given = (
        str(claims.session),
        str(claims.user),
        str(claims.institution),
        claims.role,
        (moment - settings.SESSION_LIFETIME).isoformat(),
        "t" if settings.DEMO_MODE else "f",
        None if rate is None else name,
        address,
        "0" if rate is None else str(window_of(moment, rate)),
        moment.isoformat(),
        str(count),
    )
    found, told, ahead, done = _asked(_PERSON, reading, moment, given, rate, then)
    session_id, seen_at, user_id, full_name, institution_id, agencies, used = found
    counted = () if rate is None or used is None else (limit_after(name, rate, int(used), moment),)
    if session_id is None or seen_at is None or user_id is None or institution_id is None:
        return Opening(None, counted, "")
    note_seen(int(session_id), dt.datetime.fromisoformat(seen_at))
    actor = Actor(
        kind="user",
        id=int(user_id),
        uid=claims.user,
        institution_id=int(institution_id),
        role=claims.role,
        agency_ids=limited_agencies(_numbers(agencies), role=claims.role),
        display_name=full_name or "",
        request_id=request.request_id,
        address=address,
    )
    return Opening(actor, counted, ahead, told, done)


def open_for_key(
    request: Any, shown: ShownKey, *, reading: str, count: int = 1, then: Then | None = None
) -> Opening:
    """Do the same for a partner key: its quota of the day is counted beside the route's limit."""
    name, rate = limit_of(request.path)
    moment, address = limits.now(), client_address(request)
    day = Rate(0, limits.DAY)
    given = (
        shown.prefix,
        shown.secret_hash,
        "t" if settings.DEMO_MODE else "f",
        None if rate is None else name,
        address,
        "0" if rate is None else str(window_of(moment, rate)),
        str(window_of(moment, day)),
        moment.isoformat(),
        str(count),
    )
    found, told, ahead, done = _asked(_KEY, reading, moment, given, rate, then)
    key_id, uid, key_name, last_used_at, institution_id, scopes, limited, agencies, quota, *used = found
    counted = []
    if rate is not None and used[0] is not None:
        counted.append(limit_after(name, rate, int(used[0]), moment))
    if quota is not None and used[1] is not None:
        counted.append(limit_after("quota", Rate(int(quota), limits.DAY), int(used[1]), moment))
    if key_id is None or uid is None or institution_id is None:
        return Opening(None, tuple(counted), "")
    note_key_seen(int(key_id), None if last_used_at is None else dt.datetime.fromisoformat(last_used_at))
    granted = json.loads(scopes or "[]")
    actor = Actor(
        kind="key",
        id=int(key_id),
        uid=UUID(uid),
        institution_id=int(institution_id),
        role=Role.PARTENAIRE,
        agency_ids=frozenset(_numbers(agencies)) if limited == "t" else None,
        display_name=key_name or "",
        request_id=request.request_id,
        address=address,
        scopes=frozenset(verb for verb in KEY_SCOPES if verb in granted),
    )
    return Opening(actor, tuple(counted), ahead, told, done)


def _numbers(array: str | None) -> list[int]:
    """Return the numbers of an array as PostgreSQL writes it."""
    return [int(number) for number in (array or "{}")[1:-1].split(",") if number]


@cache
def _statement(door: _Door, reading: str, then: Callable[[int], str] | None) -> Call:
    """Return the statement; names and expressions in it are constants of the caller, never of a request."""
    last = 1 + door.parameters
    places = ", ".join(f"${place}" for place in range(2, last + 1))
    source = f" FROM {door.function}({places}) o, LATERAL {reading}(o.institution_id, $1) AS a(said)"
    if then is None:
        return Call(f"SELECT o.*, a.said{source}")
    same = [f"o.{name} IS NOT DISTINCT FROM ${last + 2 + place}" for place, name in enumerate(door.telling)]
    after = last + 2 + len(same)
    holds = " AND ".join((f"{door.within}${last + 1}", *same, f"a.said = ${after}"))
    return Call(f"SELECT o.*, a.said, CASE WHEN {holds} THEN {then(after + 1)} END IS NOT NULL{source}")


def _asked(
    door: _Door,
    reading: str,
    moment: dt.datetime,
    given: tuple[str | None, ...],
    rate: Rate | None,
    then: Then | None,
) -> tuple[Row, tuple[str | None, ...], str, bool]:
    """Return the door's columns, those that tell who asks, what was read, and whether ``then`` was done."""
    values = (moment.date().isoformat(), *given)
    if then is not None:
        allowed = "0" if rate is None else str(rate.requests)
        values = (*values, allowed, *then.known.told, then.known.ahead, *then.values)
    row = _tried(_statement(door, reading, None if then is None else then.sql), values)
    found, rest = row[: len(door.columns)], row[len(door.columns) :]
    told = tuple(found[door.columns.index(name)] for name in door.telling)
    return found, told, rest[0] or "", rest[-1] == "t" and then is not None


def _tried(call: Call, values: tuple[str | None, ...]) -> Row:
    """Run the statement without asking first whether the connection still works: that is its answer."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.health_check_done = True
    try:
        return call.row(values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return call.row(values)
