"""One answer for one ``Idempotency-Key``: stored with the effects of the request, or not at all."""

import hashlib
from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from apps.tenancy.actor import Actor
from apps.tenancy.locks import take_lock
from apps.users.models import IdempotentReply


def hold_key(*, key: str, by: Actor) -> bool:
    """Take a key until the end of the open transaction; ``False`` while another request holds it.

    Whoever dies lets go of it, and the second caller is answered at once.
    """
    return take_lock(f"idempotency:{_actor(by)}:{key}")


def kept_reply(*, key: str, by: Actor) -> IdempotentReply | None:
    """Return what was answered under a key that one holds, if that is not too long ago."""
    kept = IdempotentReply.objects.filter(actor=_actor(by), key=key).first()
    if kept is not None and kept.created_at < timezone.now() - settings.IDEMPOTENCY_KEPT:
        kept.delete()
        return None
    return kept


def keep_reply(
    *, key: str, by: Actor, request_hash: str, status: int, headers: Mapping[str, str], content: bytes
) -> IdempotentReply:
    """Store an answer in the transaction of what it tells of."""
    return IdempotentReply.objects.create(
        actor=_actor(by),
        key=key,
        request_hash=request_hash,
        status=status,
        headers=dict(headers),
        reply=content.decode("latin-1"),
    )


def content_of(reply: IdempotentReply) -> bytes:
    """Return the bytes of a stored answer."""
    return str(reply.reply).encode("latin-1")


def purge_replies() -> int:
    """Delete the answers of the open scope that serve no more; return how many there were."""
    old = timezone.now() - settings.IDEMPOTENCY_KEPT
    return IdempotentReply.objects.filter(created_at__lt=old).delete()[0]


def rights_of(by: Actor) -> str:
    """Return a fingerprint of what the caller may: an answer is not given again to somebody with less."""
    told = (by.role, sorted(by.scopes), None if by.agency_ids is None else sorted(by.agency_ids))
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _actor(by: Actor) -> str:
    return f"{by.kind}:{by.id}"
