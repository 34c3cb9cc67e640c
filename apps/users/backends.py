"""The lock-out: django-axes with three limits at once, which its single failure limit cannot express.

One row counts the failures of one account from one address, whatever the browser says it is. The account is
stored as a keyed hash: people type passwords into the wrong field.
"""

import hashlib
import hmac
import ipaddress
from functools import lru_cache
from typing import Any

from axes.handlers.base import AbstractAxesHandler, AxesBaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Max, Q, Sum, When
from django.utils import timezone

UNKNOWN_ADDRESS = "::"


def account_key(email: str) -> str:
    """Return what stands for an account in the counters: 64 hexadecimal characters."""
    message = f"login:{email.strip().lower()}".encode()
    return hmac.new(settings.BLIND_INDEX_KEY.encode(), message, hashlib.sha256).hexdigest()


def client_address(request: Any) -> str:
    """Return the address that the connection came from; behind a proxy of ours, the one that it names.

    ``X-Forwarded-For`` is read from the right: what stands left of the first address that is not a proxy of
    ours was written by whoever sent the request.
    """
    address = str(request.META.get("REMOTE_ADDR") or UNKNOWN_ADDRESS)
    if not is_trusted_proxy(address):
        return address
    hops = [str(hop).strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    for hop in reversed(hops):
        if _parsed(hop) is None:
            return address
        address = hop
        if not is_trusted_proxy(hop):
            return address
    return address


def is_trusted_proxy(address: str) -> bool:
    """Say whether an address is one of ``TRUSTED_PROXIES``."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in settings.TRUSTED_PROXIES)


@lru_cache(maxsize=256)
def _parsed(address: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def seconds_locked(*, email: str, address: str) -> int:
    """Return for how many seconds this account is locked from this address; 0 when it is not.

    Limits (settings, failures within ``LOGIN_WINDOW``): account and address, account, address.
    """
    now = timezone.now()
    scopes = {
        "pair": (Q(username=account_key(email), ip_address=address), settings.LOGIN_LIMIT_PAIR),
        "account": (Q(username=account_key(email)), settings.LOGIN_LIMIT_ACCOUNT),
        "address": (Q(ip_address=address), settings.LOGIN_LIMIT_ADDRESS),
    }
    figures: dict[str, Any] = {}
    for name, (rows, _limit) in scopes.items():
        figures[name] = Sum("failures_since_start", filter=rows)
        figures[f"{name}_last"] = Max("attempt_time", filter=rows)
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - settings.LOGIN_WINDOW)
    found = recent.filter(scopes["account"][0] | scopes["address"][0]).aggregate(**figures)
    ends = [
        found[f"{name}_last"] + settings.LOGIN_WINDOW
        for name, (_rows, limit) in scopes.items()
        if (found[name] or 0) >= limit
    ]
    return max((int((end - now).total_seconds()) + 1 for end in ends), default=0)


def count_failure(*, email: str, address: str) -> None:
    """Add one failure; a row older than the window starts again from one."""
    now = timezone.now()
    with transaction.atomic():
        row, _created = AccessAttempt.objects.get_or_create(
            username=account_key(email),
            ip_address=address,
            user_agent="",
            defaults={"failures_since_start": 0},
        )
        recent = When(attempt_time__gt=now - settings.LOGIN_WINDOW, then=F("failures_since_start") + 1)
        AccessAttempt.objects.filter(pk=row.pk).update(
            failures_since_start=Case(recent, default=1), attempt_time=now
        )


def forget_failures(*, email: str, address: str) -> None:
    """Forget the failures of this account from this address, after a complete log-in."""
    AccessAttempt.objects.filter(username=account_key(email), ip_address=address).delete()


class ThreeLimits(AbstractAxesHandler, AxesBaseHandler):  # type: ignore[misc]
    """What axes asks and tells; the services ask the functions above themselves before authenticating."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        return seconds_locked(email=_email(credentials), address=client_address(request)) > 0

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        return settings.LOGIN_LIMIT_PAIR if self.is_locked(request, credentials) else 0

    def user_login_failed(
        self, _sender: Any, credentials: dict[str, Any], request: Any = None, **_extra: Any
    ) -> None:
        if request is not None:
            count_failure(email=_email(credentials), address=client_address(request))

    def user_logged_in(self, _sender: Any, _request: Any, _user: Any, **_extra: Any) -> None:
        """Nothing: a log-in is complete after the second factor, and the service forgets then."""

    def user_logged_out(self, _sender: Any, _request: Any, _user: Any, **_extra: Any) -> None:
        """Nothing is kept of a log-out here: the audit trail tells."""

    def post_save_access_attempt(self, _instance: Any, **_extra: Any) -> None:
        """Nothing follows a row that is saved."""

    def post_delete_access_attempt(self, _instance: Any, **_extra: Any) -> None:
        """Nothing follows a row that is deleted."""


def _email(credentials: dict[str, Any] | None) -> str:
    return str((credentials or {}).get("username") or "")
