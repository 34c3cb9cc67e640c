"""The arithmetic of the seals: pure functions of rows and of a key that the database does not hold.

A seal is ``HMAC-SHA256(key, [trail, position, previous hash, time, late or not, every column])``
over canonical JSON. Position, not the entry's number, is the order of the chain: numbers are given before
transactions commit, so an entry may be sealed after a higher one, and gaps between numbers mean nothing.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

AUDIT_FIELDS = (
    "id",
    "uid",
    "institution_id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "object_type",
    "object_uid",
    "before",
    "after",
    "request_id",
    "address",
)
HEAD_FIELDS = ("count", "hash", "caught_up_at", "settled_id", "frontier_id", "frontier_at")
PLATFORM_FIELDS = ("id", "uid", "at", "actor_id", "actor_name", "action", "institution_id", "reason")


LATE_AFTER = dt.timedelta(hours=1)
UNSEALED_FOR_LONG = dt.timedelta(days=1)


def is_late(at: dt.datetime, *, caught_up_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Say whether an entry dated ``at`` appears too long after its date.

    An hour is more than any transaction of the site lasts. A trail that was never sealed has a day for
    its first seal: seals and head deleted together, and made anew over a changed history, show by that.
    """
    if caught_up_at is None:
        return at < now - UNSEALED_FOR_LONG
    return at < caught_up_at - LATE_AFTER


def seal_hash(*, trail: str, previous: str, seal: Any, entry: Any, fields: Sequence[str]) -> str:
    """Return the hash (64 hexadecimal characters) of ``seal`` over ``entry``, after ``previous``."""
    values = [_plain(getattr(entry, name)) for name in fields]
    return _mac(["seal", trail, seal.position, previous, _plain(seal.sealed_at), seal.late, values])


def head_signature(*, trail: str, head: Any) -> str:
    """Return what only a holder of the key can write beside the length of a chain."""
    return _mac(["head", trail, *(_plain(getattr(head, name)) for name in HEAD_FIELDS)])


def same(one: str, other: str) -> bool:
    """Compare two seals without telling by the time it takes where they differ."""
    return hmac.compare_digest(one, other)


def _plain(value: Any) -> Any:
    """Write instants to the microsecond in UTC: Django's encoder would cut them to the millisecond."""
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value


def _mac(message: list[Any]) -> str:
    canonical = json.dumps(message, sort_keys=True, separators=(",", ":"), cls=DjangoJSONEncoder)
    return hmac.new(settings.AUDIT_KEY.encode(), canonical.encode(), hashlib.sha256).hexdigest()
