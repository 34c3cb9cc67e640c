"""The only place that tells who acts and opens a tenant scope for HTTP."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_cache_control

from apps.tenancy.context import tenant_scope
from apps.tenancy.tracing import request_id
from apps.users.errors import InvalidToken
from apps.users.models import Membership, User
from apps.users.queries import active_membership, member_actor, operator_actor
from apps.users.tokens import membership_from_access

GetResponse = Callable[[HttpRequest], HttpResponse]
SERVER_ERROR = 500
API_PREFIX = "/api/"


class RequestIdMiddleware:
    """Names the request; the answer carries the name in ``X-Request-Id``."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
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
        membership = _membership(request)
        with translation.override(_language(request, membership)):
            response = self._answer(request, membership)
            response.headers.setdefault("Content-Language", translation.get_language() or "")
        return response

    def process_exception(self, request: HttpRequest, _exception: Exception) -> None:
        request.failed = True  # type: ignore[attr-defined]

    def _answer(self, request: HttpRequest, membership: Membership | None) -> HttpResponse:
        if membership is None:
            return self.get_response(request)
        with tenant_scope(membership.institution_id):
            request.membership = membership  # type: ignore[attr-defined]
            request.actor = member_actor(membership, request_id=request.request_id, address=_address(request))  # type: ignore[attr-defined]
            response = self.get_response(request)
            if request.failed or response.status_code >= SERVER_ERROR:  # type: ignore[attr-defined]
                transaction.set_rollback(True)
        patch_cache_control(response, private=True, no_store=True)  # nor the browser's back button
        return response


def _membership(request: HttpRequest) -> Membership | None:
    if request.path.startswith(API_PREFIX):
        return _bearer(request)
    user = request.user
    if not isinstance(user, User) or not user.is_authenticated:
        return None
    if user.is_operator:
        request.actor = operator_actor(user, request_id=request.request_id, address=_address(request))  # type: ignore[attr-defined]
        return None
    membership = active_membership(user.pk)
    if membership is not None:
        user.administers = membership.role == "administrateur"  # type: ignore[attr-defined]
    return membership


def _bearer(request: HttpRequest) -> Membership | None:
    scheme, _separator, raw = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not raw:
        return None
    try:
        return membership_from_access(raw.strip())
    except InvalidToken:
        return None


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _language(request: HttpRequest, membership: Membership | None) -> str:
    """Pages: the person's choice, then the institution's language; API: ``Accept-Language``."""
    if request.path.startswith(API_PREFIX):
        return (
            translation.get_language_from_request(request) if "Accept-Language" in request.headers else "fr"
        )
    known = dict(settings.LANGUAGES)
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    wishes = [cookie]
    if membership is not None:
        wishes += [membership.user.language, membership.institution.language]
    return next((wish for wish in wishes if wish in known), settings.LANGUAGE_CODE)
