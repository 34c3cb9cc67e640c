"""Who may open a page: every view carries a rule, and a view without one does not run."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

PUBLIC = "public"
MEMBER = "member"
PERSON = "person"

View = Callable[..., HttpResponse]


class ActorRequest(HttpRequest):
    """What the middleware adds to a request, for readers and the type checker."""

    actor: Actor
    membership: Any
    request_id: str
    login_session: Any
    user: Any
    htmx: Any


def allow(rule: Verb | str) -> Callable[[View], View]:
    """Let a page run for a rule: ``PUBLIC``, ``PERSON``, ``MEMBER`` or a verb.

    ``PERSON`` is anybody logged in, the operator too; ``MEMBER`` anybody of an institution.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            refusal = _refusal(rule, request)
            return refusal if refusal is not None else view(request, *args, **kwargs)

        guarded.rule = rule  # type: ignore[attr-defined]
        return guarded

    return decorate


def _to_log_in(request: HttpRequest) -> HttpResponse:
    """Lead to the log-in page; HTMX would put a redirect's target inside the page, so it is told."""
    if not getattr(request, "htmx", False):
        return redirect_to_login(request.get_full_path())
    page = request.headers.get("HX-Current-URL", "")
    back = urlsplit(page)._replace(scheme="", netloc="").geturl() or "/"
    return HttpResponseClientRedirect(redirect_to_login(back).url)


def _refusal(rule: Verb | str, request: HttpRequest) -> HttpResponse | None:
    if rule == PUBLIC:
        return None
    actor = cast("Actor | None", getattr(request, "actor", None))
    if actor is None:
        return _to_log_in(request)
    if rule == PERSON:
        return None
    if actor.institution_id is None or (isinstance(rule, Verb) and not actor.may(rule)):
        raise PermissionDenied
    return None
