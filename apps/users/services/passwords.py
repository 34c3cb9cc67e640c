"""Changing a password, and getting in again without it."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.tenancy.errors import InvalidValues
from apps.users.errors import InvalidToken
from apps.users.models import User
from apps.users.queries import active_membership
from apps.users.services.sessions import acting_as, end_everything, note

RESET_EVERY = dt.timedelta(minutes=2)  # nobody's mailbox is filled by a stranger


class ResetTokens(PasswordResetTokenGenerator):
    """Dead once used: the value hashed changes with the password and with the version of the sessions."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}:{user.auth_version}"


reset_tokens = ResetTokens()


@transaction.atomic
def change_password(*, user: User, current: str, new: str, request: Any) -> None:
    """Set a new password and close every session and token of the person, the one at hand included.

    Raises ``InvalidValues`` for a wrong current password or a weak new one.
    """
    if not user.check_password(current):
        raise InvalidValues(_("Wrong password."), fields={"current": [_("Wrong password.")]})
    _set_password(user, new)
    with acting_as(user, active_membership(user.pk), request) as actor:
        note(actor, "password.change")


def send_reset(*, request: Any, email: str, link: Callable[[str, str], str]) -> None:
    """Send a link to the person of this e-mail, if there is one; the caller answers the same in any case."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    membership = active_membership(user.pk) if user else None
    if user is None or not (membership or user.is_operator):
        return
    now = timezone.now()
    due = User.objects.filter(pk=user.pk).exclude(reset_sent_at__gt=now - RESET_EVERY)
    if not due.update(reset_sent_at=now):
        return
    language = user.language or (membership.institution.language if membership else "fr")
    with translation.override(language):
        address = link(str(user.uid), reset_tokens.make_token(user))
        body = _(
            "Someone asked for a new password for your CrediSense account. If it was you, open this address "
            "within one hour:\n\n%(address)s\n\nIf not, do nothing: your password stays the same."
        ) % {"address": address}
        send_mail(_("New password for CrediSense"), body, None, [user.email])
    with acting_as(user, membership, request) as actor:
        note(actor, "password.reset_asked")


@transaction.atomic
def reset_password(*, request: Any, uid: str, token: str, new: str) -> None:
    """Set a new password by the token of an e-mail, which serves once.

    Raises ``InvalidToken`` and ``InvalidValues``.
    """
    user = person_of_reset(uid=uid, token=token)
    _set_password(user, new)
    with acting_as(user, active_membership(user.pk), request) as actor:
        note(actor, "password.reset")


def person_of_reset(*, uid: str, token: str) -> User:
    """Return the person whose link this is; raise ``InvalidToken``."""
    try:
        user = User.objects.filter(uid=UUID(uid), is_active=True).first()
    except ValueError:
        user = None
    if user is None or not reset_tokens.check_token(user, token):
        raise InvalidToken(_("This link is no longer valid."))
    return user


def _set_password(user: User, new: str) -> None:
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise InvalidValues(" ".join(error.messages), fields={"new": error.messages}) from error
    user.set_password(new)
    user.save(update_fields=["password"])
    end_everything(user)
