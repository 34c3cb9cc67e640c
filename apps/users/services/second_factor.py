"""The second factor: setting it up, accepting codes, switching it off."""

import time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.users.errors import InvalidOtp, SecondFactorRequired
from apps.users.models import LoginSession, RecoveryCode, SecondFactor, User
from apps.users.queries import second_factor_of, second_factor_required
from apps.users.rules import new_recovery_codes, new_secret, recovery_hash, step_of
from apps.users.services.sessions import note


def accept_code(*, user: User, code: str) -> bool:
    """Say whether ``code`` is a fresh one-time code or an unused recovery code of ``user``, and use it up.

    Each is used up by one conditional UPDATE, so two requests at once cannot both use it.
    """
    factor = second_factor_of(user.pk)
    if factor is None:
        return False
    step = step_of(factor.secret, code, now=time.time())
    if step is not None:
        rows = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step)
        return rows.update(last_step=step) == 1
    spare = RecoveryCode.objects.filter(
        user=user, code_hash=recovery_hash(code, owner=str(user.uid)), used_at=None
    )
    return spare.update(used_at=timezone.now()) == 1


def begin_second_factor(*, user: User) -> str:
    """Return the secret that waits for its first code; the same one until it is confirmed."""
    factor, _created = SecondFactor.objects.get_or_create(user=user, defaults={"secret": new_secret()})
    if factor.confirmed_at is not None:
        raise InvalidOtp(_("The second factor is already on."))
    return str(factor.secret)


@transaction.atomic
def confirm_second_factor(*, user: User, code: str, by: Any) -> list[str]:
    """Switch the second factor on with a first code; return the recovery codes, shown this once.

    Raises ``InvalidOtp``.
    """
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    step = step_of(factor.secret, code, now=time.time()) if factor else None
    if factor is None or step is None:
        raise InvalidOtp(_("This code is wrong or was already used."))
    factor.confirmed_at, factor.last_step = timezone.now(), step
    factor.save(update_fields=["confirmed_at", "last_step"])
    LoginSession.objects.filter(user=user).update(must_set_totp=False)
    codes = new_recovery_codes()
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=recovery_hash(code, owner=str(user.uid))) for code in codes
    )
    note(by, "totp.on")
    return codes


@transaction.atomic
def remove_second_factor(*, user: User, by: Any) -> None:
    """Switch the second factor off; the door asked for a code before.

    Raises ``SecondFactorRequired`` where the institution requires it of the person's role.
    """
    if by.institution_id is not None and second_factor_required(by.role):
        raise SecondFactorRequired(_("Your role requires the second factor."))
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    note(by, "totp.off")
