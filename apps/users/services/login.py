"""Who may come in: the lock-out first, then the password, then the one-time code."""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.utils.translation import gettext as _

from apps.users.backends import client_address, seconds_locked
from apps.users.errors import InvalidCredentials, InvalidOtp, LockedOut, OtpRequired, PasswordClosed
from apps.users.models import User
from apps.users.queries import active_membership, password_closed, second_factor_of
from apps.users.services.members import FICTIONAL_DOMAIN
from apps.users.services.second_factor import accept_code
from apps.users.services.sessions import PASSWORD, acting_as, note, open_api_session
from apps.users.tokens import Tokens

PENDING_SECONDS = 5 * 60


def check_credentials(*, request: Any, email: str, password: str) -> User:
    """Return the person of a right pair; raise ``InvalidCredentials`` for every other case alike.

    Raises ``LockedOut`` without looking at the password after too many failures, ``PasswordClosed`` for a
    right pair of a member who must come through the institution's own provider.
    """
    email = email.strip().lower()
    refuse_locked(request=request, email=email)
    user = authenticate(request, username=email, password=password)  # axes counts its failures
    membership = active_membership(user.pk) if isinstance(user, User) else None
    if isinstance(user, User) and (_may_operate(user) or membership):
        if membership is not None and password_closed(membership):
            _tell_failure(request, email, "password_closed")
            raise PasswordClosed(
                _("Log in with the account of your institution, by the link that it gave you.")
            )
        return user
    if user is not None:
        _count(request, email)
    _tell_failure(request, email, "password")
    raise InvalidCredentials(_("Wrong e-mail or password."))


def check_code(*, request: Any, user: User, code: str) -> None:
    """Accept a one-time or recovery code of ``user``; failures count for the same lock-out.

    Raises ``LockedOut`` or ``InvalidOtp``.
    """
    refuse_locked(request=request, email=user.email)
    if accept_code(user=user, code=code):
        return
    _count(request, user.email)
    _tell_failure(request, user.email, "code")
    raise InvalidOtp(_("This code is wrong or was already used."))


def pending(user: User, *, next_url: str = "", way: str = PASSWORD) -> dict[str, Any]:
    """Return what a browser session keeps between the first step and the code."""
    return {"user": user.pk, "version": user.auth_version, "at": time.time(), "next": next_url, "way": way}


def person_of_pending(kept: dict[str, Any] | None) -> User | None:
    """Return whom a browser is between two steps of logging in as, or ``None`` when that is too long ago."""
    if not kept or time.time() - kept["at"] > PENDING_SECONDS:
        return None
    return User.objects.filter(pk=kept["user"], auth_version=kept["version"], is_active=True).first()


def api_log_in(*, request: Any, email: str, password: str, otp: str = "") -> Tokens:
    """Return the tokens of a member; a person with a second factor sends ``otp`` too.

    Raises ``InvalidCredentials``, ``LockedOut``, ``OtpRequired``, ``InvalidOtp``, and
    ``SecondFactorMissing`` for a role that must have a second factor and has none.
    """
    user = check_credentials(request=request, email=email, password=password)
    membership = active_membership(user.pk)
    if membership is None or user.is_operator:  # the operator works in the back-office, not through the API
        raise InvalidCredentials(_("Wrong e-mail or password."))
    if second_factor_of(user.pk):
        if not otp:
            raise OtpRequired(_("Send the one-time code of this account too."))
        check_code(request=request, user=user, code=otp)
    return open_api_session(request=request, membership=membership)


def refuse_locked(*, request: Any, email: str) -> None:
    """Raise ``LockedOut`` while this account is locked from the address of the request."""
    wait = seconds_locked(email=email, address=client_address(request))
    if wait:
        raise LockedOut(
            _("Too many failed attempts. Try again in %(minutes)s minutes.") % {"minutes": -(-wait // 60)},
            wait=wait,
        )


def _count(request: Any, email: str) -> None:
    user_login_failed.send(sender=__name__, credentials={"username": email}, request=request)


def _tell_failure(request: Any, email: str, step: str) -> None:
    """Write the failure, and the lock when this failure closed it, in the member's trail."""
    user = User.objects.filter(email=email).first()
    membership = active_membership(user.pk) if user else None
    if user is None or not (membership or user.is_operator):
        return
    with acting_as(user, membership, request) as actor:
        note(actor, "login.failed", step=step)
        if seconds_locked(email=email, address=client_address(request)):
            note(actor, "login.locked")


def _may_operate(user: User) -> bool:
    fictional = user.email.endswith(FICTIONAL_DOMAIN)
    return user.is_operator and (settings.DEMO_MODE or not fictional)
