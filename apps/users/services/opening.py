"""The beginning of a request that must be quick: everything that is to be known, in one statement.

Routes of ``API_READ_AHEAD`` name a function of the database, ``function(institution, date) -> text``, that
reads what their view needs. Nothing is kept from one request to the next: closing a session counts at once.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.utils import timezone

from apps.tenancy.actor import Actor
from apps.users.backends import client_address
from apps.users.errors import InvalidToken
from apps.users.queries import limited_agencies
from apps.users.services import limits
from apps.users.services.limits import Limit, limit_after, limit_of, window_of
from apps.users.services.sessions import note_seen
from apps.users.tokens import Claims, claims_of

#: The names of functions come from settings, never from a request.
OPENING = (
    "SELECT o.*, {ahead}(o.institution_id, %s)"
    " FROM users_api_opening(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) o"
)


@dataclass(frozen=True, slots=True)
class Opening:
    """Who asks (nobody when the token's session is over), the limits, and what was read for the view."""

    actor: Actor | None
    limits: tuple[Limit, ...]
    ahead: str


def open_ahead(request: Any) -> Opening | None:
    """Open a request in one statement; ``None`` for any that does not go this way.

    Those are other routes, other callers than a person with a readable token, and requests with an
    ``Idempotency-Key``, which live in one transaction.
    """
    ahead = settings.API_READ_AHEAD.get(request.path)
    scheme, _separator, raw = request.headers.get("Authorization", "").partition(" ")
    if ahead is None or request.method != "POST" or scheme.lower() != "bearer":
        return None
    if "Idempotency-Key" in request.headers:
        return None
    try:
        claims = claims_of(raw.strip())
    except InvalidToken:
        return None
    return _opening(request, claims, OPENING.format(ahead=ahead))


def _opening(request: Any, claims: Claims, sql: str) -> Opening:
    name, rate = limit_of(request.path)
    moment, address = limits.now(), client_address(request)
    session_id, seen_at, user_id, full_name, institution_id, agencies, used, ahead = _asked(
        sql,
        [
            timezone.localdate(),
            claims.session,
            claims.user,
            claims.institution,
            claims.role,
            moment - settings.SESSION_LIFETIME,
            settings.DEMO_MODE,
            None if rate is None else name,
            address,
            0 if rate is None else window_of(moment, rate),
            moment,
        ],
    )
    counted = () if rate is None else (limit_after(name, rate, used, moment),)
    if session_id is None:
        return Opening(None, counted, "")
    note_seen(session_id, seen_at)
    actor = Actor(
        kind="user",
        id=user_id,
        uid=claims.user,
        institution_id=institution_id,
        role=claims.role,
        agency_ids=limited_agencies(agencies, role=claims.role),
        display_name=full_name,
        request_id=request.request_id,
        address=address,
    )
    return Opening(actor, counted, ahead)


def _asked(sql: str, values: list[Any]) -> tuple[Any, ...]:
    """Run the statement without asking first whether the connection still works: that is its answer."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.health_check_done = True
    try:
        return _row(connection, sql, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return _row(connection, sql, values)


def _row(connection: Any, sql: str, values: list[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
