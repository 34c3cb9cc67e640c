"""Hands on the actor that the middleware resolved; the API never reads sessions."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class ActorAuthentication(BaseAuthentication):
    """A header that led to nobody is refused, as is one whose bearer must set up a second factor first.

    No header at all leaves the caller unknown.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        resolved: Any = request._request  # the middleware set actor and membership
        if resolved.actor is not None:
            member = resolved.membership
            return member.user if member else None, resolved.actor
        if resolved.refusal is not None:
            raise resolved.refusal
        if request.headers.get("Authorization"):
            raise AuthenticationFailed
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
