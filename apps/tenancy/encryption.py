"""Personal identifiers at rest: MultiFernet with rotation, and a keyed blind index for exact search."""

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """Return the cipher of the configured keys, newest first (``FIELD_ENCRYPTION_KEYS``)."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS))


def blind_index(value: str, *, institution_id: int, purpose: str) -> str:
    """Return 64 hexadecimal characters that identify ``value`` inside one institution, or ``""``.

    HMAC-SHA256 over purpose, institution and value, so that equal numbers of two institutions, or of
    two columns, do not look equal in a dump.
    """
    if not value:
        return ""
    message = f"{purpose}:{institution_id}:{value}".encode()
    return hmac.new(settings.BLIND_INDEX_KEY.encode(), message, hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is ciphertext in the database; it cannot be filtered on, use a blind index."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, *_args: Any) -> str | None:
        return cipher().decrypt(value.encode()).decode() if value else value
