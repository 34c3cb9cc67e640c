"""The only place that tells who acts and opens a tenant scope for HTTP."""

import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope, undo_writes
from apps.tenancy.tracing import request_id
from apps.users.backends import client_address, is_trusted_proxy
from apps.users.enums import SessionKind
from apps.users.errors import InvalidToken, SecondFactorMissing
from apps.users.models import LoginSession, Membership, PartnerKey, User
from apps.users.queries import key_actor, live_sessions, member_actor, operator_actor, operator_session
from apps.users.services.keys import key_seen
from apps.users.services.limits import api_limits
from apps.users.services.sessions import SESSION_KEY, seen
from apps.users.tokens import key_from_header, session_from_access

GetResponse = Callable[[HttpRequest], HttpResponse]
SERVER_ERROR = 500
GIVEN_ID = re.compile(r"[0-9a-f]{32}")
API_PREFIX = "/api/"
#: Where people prove who they are: nobody is known there, or the entry about a person of one institution
#: would be written in the scope of another, or be undone with the refusal that it tells of.
NOBODY_PREFIXES = ("/connexion", "/mot-de-passe/", "/api/v1/login", "/api/v1/token/")
#: What a person who must set up a second factor may still open.
SETUP_PREFIXES = ("/profil/double-authentification", "/deconnexion", "/langue", "/api/v1/logout")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request comes from, inside one institution: a member or a partner key."""

    institution_id: int
    membership: Membership | None = None
    key: PartnerKey | None = None


class RequestIdMiddleware:
    """Names the request; the answer carries the name in ``X-Request-Id``."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = name_of(request)  # type: ignore[attr-defined]
        token = request_id.set(request.request_id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class ActorMiddleware:
    """Resolves the actor, opens the scope around the whole view, and undoes what a failed view wrote.

    Pages know people by their session, the API by its token only, so that a foreign page cannot use a
    session to write through the API.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        request.membership = None  # type: ignore[attr-defined]
        request.failed = False  # type: ignore[attr-defined]
        request.login_session = None  # type: ignore[attr-defined]
        counted = getattr(request, "limits", None)  # by the direct way, which left the answer to this one
        request.limits = counted or ()  # type: ignore[attr-defined]
        request.refusal = None  # type: ignore[attr-defined]
        caller = _caller(request)
        if request.path.startswith(API_PREFIX) and counted is None:
            # Before the scope: inside its transaction the counter would keep a caller's requests in line.
            request.limits = api_limits(  # type: ignore[attr-defined]
                path=request.path, who=_who(request, caller), key=caller.key if caller else None
            )
        membership = caller.membership if caller else None
        return self._in_language(request, membership, lambda: self._answer(request, caller))

    def _in_language(
        self, request: HttpRequest, membership: Membership | None, answer: Callable[[], HttpResponse]
    ) -> HttpResponse:
        with translation.override(_language(request, membership)):
            response = answer()
            response.headers.setdefault("Content-Language", translation.get_language() or "")
        return response

    def process_exception(self, request: HttpRequest, _exception: Exception) -> None:
        request.failed = True  # type: ignore[attr-defined]

    def _answer(self, request: HttpRequest, caller: Caller | None) -> HttpResponse:
        if caller is None or any(limit.refused for limit in request.limits):  # type: ignore[attr-defined]
            return self.get_response(request)  # nobody is known: apps.api answers 401 or 429
        session: LoginSession | None = request.login_session  # type: ignore[attr-defined]
        if session and session.must_set_totp and not request.path.startswith(SETUP_PREFIXES):
            if not request.path.startswith(API_PREFIX):
                return redirect("web:second_factor")
            request.refusal = _setup_missing(session)  # type: ignore[attr-defined]
            return self.get_response(request)
        with tenant_scope(caller.institution_id):
            request.membership = caller.membership  # type: ignore[attr-defined]
            request.actor = _actor(request, caller)  # type: ignore[attr-defined]
            response = self.get_response(request)
            if _has_failed(request, response):
                undo_writes()
        patch_cache_control(response, private=True, no_store=True)  # nor the browser's back button
        return response


def _has_failed(request: HttpRequest, response: HttpResponse) -> bool:
    return request.failed or response.status_code >= SERVER_ERROR  # type: ignore[attr-defined]


def _caller(request: HttpRequest) -> Caller | None:
    if request.path.startswith(NOBODY_PREFIXES):
        return None
    if request.path.startswith(API_PREFIX):
        scheme, _separator, raw = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "api-key":
            return _partner(raw.strip())
        session = _api_session(request)
    else:
        session = _browser(request)
    if session is None:
        return None
    seen(session)
    request.login_session = session  # type: ignore[attr-defined]
    membership = session.membership
    return None if membership is None else Caller(membership.institution_id, membership=membership)


def _actor(request: HttpRequest, caller: Caller) -> Actor:
    about = {"request_id": request.request_id, "address": client_address(request)}  # type: ignore[attr-defined]
    if caller.key is not None:
        return key_actor(caller.key, **about)
    assert caller.membership is not None
    return member_actor(caller.membership, **about)


def _who(request: HttpRequest, caller: Caller | None) -> str:
    if caller is None:
        return f"address:{client_address(request)}"
    if caller.key is not None:
        return f"key:{caller.key.pk}"
    assert caller.membership is not None
    return f"user:{caller.membership.user_id}"


def _partner(raw: str) -> Caller | None:
    try:
        key = key_from_header(raw)
    except InvalidToken:
        return None
    key_seen(key)
    return Caller(key.institution_id, key=key)


def _browser(request: HttpRequest) -> LoginSession | None:
    user = request.user
    if not isinstance(user, User) or not user.is_authenticated:
        return None
    session = _page_session(user, request.session.get(SESSION_KEY, ""))
    if session is None:
        request.session.flush()
        request.user = AnonymousUser()
    elif session.membership is None:
        request.actor = operator_actor(user, request_id=request.request_id, address=client_address(request))  # type: ignore[attr-defined]
    else:
        user.administers = session.membership.role == "administrateur"  # type: ignore[attr-defined]
    return session


def _page_session(user: User, sid: str) -> LoginSession | None:
    if not sid:
        return None
    if user.is_operator:
        return operator_session(sid=uuid.UUID(sid), user_id=user.pk)
    return live_sessions(SessionKind.WEB).filter(uid=sid, user_id=user.pk).first()


def _api_session(request: HttpRequest) -> LoginSession | None:
    scheme, _separator, raw = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return session_from_access(raw.strip())
    except InvalidToken:
        return None


def _setup_missing(session: LoginSession | None) -> SecondFactorMissing | None:
    """Return what the API answers instead of the page on which a second factor is set up."""
    if session is None or not session.must_set_totp:
        return None
    return SecondFactorMissing(_("Set up the second factor on the site first: your role requires it."))


def name_of(request: HttpRequest) -> str:
    """Take the name that a proxy of ours gave, to find its lines and ours together; else make one."""
    given = str(request.META.get("HTTP_X_REQUEST_ID", ""))
    if GIVEN_ID.fullmatch(given) and is_trusted_proxy(str(request.META.get("REMOTE_ADDR", ""))):
        return given
    return secrets.token_hex(16)


def api_language(request: HttpRequest) -> str:
    """Return what ``Accept-Language`` asks of the API, French without one."""
    return translation.get_language_from_request(request) if "HTTP_ACCEPT_LANGUAGE" in request.META else "fr"


def _language(request: HttpRequest, membership: Membership | None) -> str:
    """Pages: the person's choice, then the institution's language; API: ``Accept-Language``."""
    if request.path.startswith(API_PREFIX):
        return api_language(request)
    known = dict(settings.LANGUAGES)
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    wishes = [cookie]
    if membership is not None:
        wishes += [membership.user.language, membership.institution.language]
    return next((wish for wish in wishes if wish in known), settings.LANGUAGE_CODE)
