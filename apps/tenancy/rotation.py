"""Giving the newest key to what older keys encrypted, a chunk at a time, while the site runs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Cast

from apps.tenancy.context import tenant_scope
from apps.tenancy.encryption import EncryptedTextField, cipher
from apps.tenancy.models import TenantModel
from apps.tenancy.tenants import every_institution

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was found in one column: values under the newest key, under an older one, under none of ours."""

    column: str
    newest: int = 0
    older: int = 0
    unreadable: int = 0


def encrypted_columns() -> list[tuple[type[models.Model], str]]:
    """Return ``(model, field name)`` of every encrypted column of the platform, shared tables included."""
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def rotate(*, check: bool = False, chunk: int = CHUNK) -> Iterator[Rotated]:
    """Yield, per column, what was found; unless ``check``, encrypt it again with the newest key.

    One short transaction a chunk. Interrupted, it is simply started again: a value under the newest key
    is left alone. A value that no configured key reads is counted and kept as it is.
    """
    for model, name in encrypted_columns():
        found: Counter[str] = Counter()
        for scope_of in _scopes(model):
            after: int | None = 0
            while after is not None:
                with scope_of():
                    after = _chunk(model, name, after=after, size=chunk, check=check, found=found)
        yield Rotated(f"{model._meta.label}.{name}", **found)


def _scopes(model: type[models.Model]) -> Iterator[Any]:
    """Yield one opener of transactions per institution, suspended ones included; one for a shared table."""
    if not issubclass(model, TenantModel):
        yield nullcontext
        return
    yield from (partial(tenant_scope, key) for key in every_institution())


@transaction.atomic
def _chunk(
    model: type[models.Model], name: str, *, after: int, size: int, check: bool, found: Counter[str]
) -> int | None:
    """Treat the next ``size`` rows; return the last key seen, or ``None`` at the end."""
    rows = model._default_manager.filter(pk__gt=after).order_by("pk")
    if not check:
        rows = rows.select_for_update()
    stored = list(
        rows.annotate(ciphertext=Cast(name, models.TextField())).values_list("pk", "ciphertext")[:size]
    )
    for key, token in stored:
        if not token:
            continue
        state = state_of(token)
        found[state] += 1
        if state == "older" and not check:
            again = models.Value(cipher().rotate(token.encode()).decode(), models.TextField())
            model._default_manager.filter(pk=key).update(**{name: again})
    return stored[-1][0] if len(stored) == size else None


def state_of(token: str) -> str:
    """Return ``"newest"``, ``"older"`` or ``"unreadable"`` for one stored ciphertext."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        pass
    else:
        return "newest"
    try:
        cipher().decrypt(token.encode())
    except InvalidToken:
        return "unreadable"
    return "older"
