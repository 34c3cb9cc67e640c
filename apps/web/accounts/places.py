"""The institution whose link a browser last came in by: its log-in page offers that way again."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from apps.users.models import IdentityProvider
from apps.users.queries import log_in_provider

COOKIE = "institution"
YEAR = 365 * 24 * 60 * 60


def known_place(request: HttpRequest) -> IdentityProvider | None:
    """Return the provider that this browser came in by, while it is in service."""
    try:
        return log_in_provider(UUID(request.COOKIES[COOKIE]))
    except (KeyError, ValueError):
        return None


def remember_place(request: HttpRequest, response: HttpResponse, institution: UUID) -> HttpResponse:
    """Keep the way in for the next log-in of this browser; others are told of no institution."""
    response.set_cookie(
        COOKIE, str(institution), max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
    )
    return response
