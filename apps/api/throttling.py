"""Limits as the caller sees them: 429 with ``Retry-After``, and the ``RateLimit`` headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit-Policy: "predict";q=20;w=1``
(quota, window in seconds) and ``RateLimit: "predict";r=19;t=1`` (remaining, seconds until the next window).
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled

from apps.api.errors import problem_response
from apps.users.backends import account_key
from apps.users.services.limits import Limit, count, rate_of


class ThrottleMiddleware:
    """Answers for the limits that ``ActorMiddleware`` counted; stands right inside it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused = [limit for limit in _limits(request) if limit.refused]
        response = _refusal(request, refused) if refused else self.get_response(request)
        limits = _limits(request)  # the view may have counted more
        announce_limits(response, limits)
        return response


def announce_limits(response: HttpResponse, limits: tuple[Limit, ...]) -> None:
    """Write how limits stand in the headers of an answer."""
    if limits:
        response["RateLimit-Policy"] = ", ".join(
            f'"{limit.name}";q={limit.rate.requests};w={limit.rate.seconds}' for limit in limits
        )
        response["RateLimit"] = ", ".join(
            f'"{limit.name}";r={limit.remaining};t={limit.reset}' for limit in limits
        )


def count_login(request: Any, email: str) -> None:
    """Count one try at an account, right or wrong; raise ``Throttled`` beyond the limit."""
    rate = rate_of(settings.API_RATES["login_account"])
    if rate is None:
        return
    limits = count([("login_account", account_key(email), rate)])
    request.limits += limits
    if limits[0].refused:
        raise Throttled(wait=limits[0].reset)


def _limits(request: HttpRequest) -> tuple[Limit, ...]:
    return getattr(request, "limits", ())


def _refusal(request: HttpRequest, refused: list[Limit]) -> HttpResponse:
    worst = max(refused, key=lambda limit: limit.reset)
    code, detail = "throttled", _("Too many requests: wait before asking again.")
    if worst.name == "quota":
        code, detail = "quota_exceeded", _("This key has used up its requests of today.")
    response = problem_response(request, status=429, code=code, detail=detail)
    response["Retry-After"] = str(worst.reset)
    return response
