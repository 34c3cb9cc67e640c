"""Opening, renewing and closing sessions, of browsers and of the API."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record, record_platform
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import ObjectNotFound
from apps.users.backends import client_address, forget_failures
from apps.users.enums import SessionKind
from apps.users.errors import InvalidToken, SecondFactorMissing
from apps.users.models import LoginSession, Membership, User
from apps.users.queries import (
    active_membership,
    live_sessions,
    member_actor,
    operator_actor,
    own_sessions,
    second_factor_of,
    second_factor_required,
)
from apps.users.tokens import Tokens, read_refresh, write_tokens

SESSION_KEY = "sid"
#: How a person came in: by password, or through the institution's identity provider.
PASSWORD, OPENID = "password", "openid"
BACKEND = "django.contrib.auth.backends.ModelBackend"
SEEN_EVERY = dt.timedelta(minutes=1)  # one write a minute and session, not one a request
#: How long a log-in that ended is kept: the address of a strange one may be asked for. The trail stays.
KEPT_AFTER_END = dt.timedelta(days=90)


@contextmanager
def acting_as(user: User, membership: Membership | None, request: Any) -> Iterator[Actor]:
    """Give the actor of a person who is not yet, or no longer, that of the request, in the scope it needs."""
    about = {"request_id": getattr(request, "request_id", ""), "address": client_address(request)}
    if membership is None:
        yield operator_actor(user, **about)
        return
    with tenant_scope(membership.institution_id):
        yield member_actor(membership, **about)


def note(actor: Actor, action: str, **after: Any) -> None:
    """Write the audit entry of a person's own act: in the institution, or in the platform's trail."""
    if actor.institution_id is None:
        record_platform(by=actor, action=action, institution_id=None, reason="")
    else:
        record(by=actor, action=action, after=after or None)


def attach_session(*, request: Any, user: User) -> None:
    """Bind a browser session that Django just opened to a row of ours; the row before it is closed."""
    _revoke(LoginSession.objects.filter(uid=request.session.get(SESSION_KEY)))
    session = _new_session(user, SessionKind.WEB, client_address(request))
    session.save()
    request.session[SESSION_KEY] = str(session.uid)


def enter(*, request: Any, user: User, way: str = PASSWORD, strong: bool = False) -> None:
    """Open a browser session after a complete log-in; the session key changes.

    ``strong``: the provider's own second factor counts, so that none of ours must be set up.
    """
    login(request, user, backend=BACKEND)
    if strong:
        LoginSession.objects.filter(uid=request.session[SESSION_KEY]).update(must_set_totp=False)
    forget_failures(email=user.email, address=client_address(request))
    with acting_as(user, active_membership(user.pk), request) as actor:
        told = {"kind": "web"} if way == PASSWORD else {"kind": "web", "way": way, "strong": strong}
        note(actor, "login", **told)


def leave(*, request: Any) -> None:
    """Close the browser session of the request."""
    actor: Actor | None = request.actor
    if actor is not None:
        _revoke(LoginSession.objects.filter(uid=request.session.get(SESSION_KEY)))
        note(actor, "logout", kind="web")
    logout(request)


def open_api_session(*, request: Any, membership: Membership) -> Tokens:
    """Open an API session and return its first tokens.

    Raises ``SecondFactorMissing`` for a role that must have a second factor and has none.
    """
    with acting_as(membership.user, membership, request) as actor:
        session = _new_session(membership.user, SessionKind.API, client_address(request))
        if session.must_set_totp:
            raise SecondFactorMissing(_("Set up the second factor on the site first: your role requires it."))
        tokens = write_tokens(session)
        session.save()
        note(actor, "login", kind="api")
    forget_failures(email=membership.user.email, address=client_address(request))
    return tokens


def refresh_tokens(*, request: Any, refresh: str) -> Tokens:
    """Exchange a refresh token for new tokens; the old one is dead.

    A token that was exchanged before has been copied: the whole session is closed, and that is audited.
    Raises ``InvalidToken`` for it as for every other dead token.
    """
    sid, jti = _claims(refresh)
    with transaction.atomic():
        session = live_sessions(SessionKind.API).select_for_update(of=("self",)).filter(uid=sid).first()
        if session is None or session.membership is None:
            raise InvalidToken(_dead())
        if session.refresh_jti == jti:
            tokens = write_tokens(session)
            session.last_seen_at = timezone.now()
            session.save(update_fields=["refresh_jti", "last_seen_at"])
            return tokens
        _revoke(LoginSession.objects.filter(pk=session.pk))
        with acting_as(session.membership.user, session.membership, request) as actor:
            note(actor, "token.reuse", session=str(session.uid))
    raise InvalidToken(_dead())


def close_api_session(*, request: Any, refresh: str) -> None:
    """Close the session of a refresh token, and the one of the access token that carried the request."""
    sid, _jti = _claims(refresh)
    carried = getattr(request, "login_session", None)
    for session in live_sessions(SessionKind.API).filter(uid__in={sid, carried.uid if carried else sid}):
        _revoke(LoginSession.objects.filter(pk=session.pk))
        if session.membership is not None and (
            carried is None or carried.membership.institution_id == session.membership.institution_id
        ):
            with acting_as(session.membership.user, session.membership, request) as actor:
                note(actor, "logout", kind="api")


def close_own_session(*, uid: UUID, by: Actor) -> None:
    """Close one of the person's own open sessions; raise ``ObjectNotFound`` for any other."""
    if not _revoke(own_sessions(by.id or 0).filter(uid=uid)):
        raise ObjectNotFound(_("Not found"))
    note(by, "session.close", session=str(uid))


def close_other_sessions(*, keep: UUID, by: Actor) -> int:
    """Close every open session of the person but ``keep``; return how many there were."""
    closed = _revoke(own_sessions(by.id or 0).exclude(uid=keep))
    note(by, "session.close_others", closed=closed)
    return closed


def end_everything(user: User) -> None:
    """Close all sessions and tokens of a person at once, in every process: none carries the new version."""
    User.objects.filter(pk=user.pk).update(auth_version=F("auth_version") + 1)
    user.refresh_from_db(fields=["auth_version"])


def seen(session: LoginSession) -> None:
    """Note that a session is in use, at most once a minute."""
    note_seen(session.pk, session.last_seen_at)


def note_seen(pk: int, last: dt.datetime) -> None:
    """Do the same for the session numbered ``pk``, last seen at ``last``."""
    now = timezone.now()
    if now - last > SEEN_EVERY:
        LoginSession.objects.filter(pk=pk).update(last_seen_at=now)


def purge_old_sessions() -> int:
    """Delete the log-ins closed or expired more than 90 days ago; return how many there were."""
    limit = timezone.now() - KEPT_AFTER_END
    ended = Q(revoked_at__lt=limit) | Q(created_at__lt=limit - settings.SESSION_LIFETIME)
    SessionStore.clear_expired()
    return LoginSession.objects.filter(ended).delete()[0]


def _new_session(user: User, kind: SessionKind, address: str) -> LoginSession:
    membership = None if user.is_operator else active_membership(user.pk)
    must = False
    if membership is not None and second_factor_of(user.pk) is None:
        with tenant_scope(membership.institution_id):
            must = second_factor_required(membership.role)
    return LoginSession(
        kind=kind,
        user=user,
        membership=membership,
        role=membership.role if membership else "",
        auth_version=user.auth_version,
        must_set_totp=must,
        address=address,
    )


def _revoke(sessions: Any) -> int:
    return int(sessions.filter(revoked_at=None).update(revoked_at=timezone.now()))


def _claims(refresh: str) -> tuple[UUID, str]:
    try:
        return read_refresh(refresh)
    except InvalidToken as error:
        raise InvalidToken(_dead()) from error


def _dead() -> str:
    return _("This token is no longer valid.")
