"""Writing the trail: one entry per verb, in the transaction of the verb; seals come after."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit import validators
from apps.audit.errors import BrokenTrail
from apps.audit.models import AuditEntry, AuditHead, PlatformEntry
from apps.audit.queries import CHUNK, Trail, head_is_whole, unsealed
from apps.tenancy.actor import Actor
from apps.tenancy.prepared import insert

IDLE_UPDATE = dt.timedelta(minutes=10)


def record(
    *,
    by: Actor,
    action: str,
    target: models.Model | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Insert an entry in the open scope. Values must not hold personal data in clear.

    ``target`` is any row with a ``uid``, a person or an institution too: logging in is an entry whose
    target is the user.
    """
    entry = AuditEntry(
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.display_name,
        action=action,
        object_type=target._meta.label_lower if target is not None else "",
        object_uid=getattr(target, "uid", None),
        before=before,
        after=after,
        request_id=by.request_id,
        address=by.address,
    )
    insert(entry)
    return entry


def record_read(*, by: Actor, target: models.Model) -> AuditEntry:
    """Insert the entry of one showing of a client's file: who, when, which, from where."""
    return record(by=by, action=f"{target._meta.model_name}.read", target=target)


def record_platform(*, by: Actor, action: str, institution_id: int | None, reason: str) -> PlatformEntry:
    """Insert an operator's entry, outside any institution; ``reason`` says why it was needed."""
    return PlatformEntry.objects.create(
        actor_id=by.id,
        actor_name=by.display_name,
        action=action,
        institution_id=institution_id,
        reason=reason,
    )


def seal_trail(trail: Trail, *, everything: bool = False) -> int:
    """Link what is not yet sealed, in the order of the numbers, and return how many entries that was.

    The head is locked for each chunk, so that two sealers take turns; writers of entries never wait.
    ``everything`` looks at every entry and not only at the recent ones. Raises ``BrokenTrail`` when the
    head was tampered with: sealing upon it would hide that.
    """
    sealed = 0
    while _has_work(trail, everything=everything):
        count, more = _seal_chunk(trail, everything=everything)
        sealed += count
        if not more:
            break
    return sealed


def _has_work(trail: Trail, *, everything: bool) -> bool:
    head: Any = trail.heads.objects.first()
    if head is None or everything or not head_is_whole(trail, head):
        return True
    if head.caught_up_at is None or head.caught_up_at < timezone.now() - IDLE_UPDATE:
        return True
    return unsealed(trail, after=head.settled_id).exists()


@transaction.atomic
def _seal_chunk(trail: Trail, *, everything: bool) -> tuple[int, bool]:
    head = _locked_head(trail)
    now = timezone.now()
    due = head.frontier_at is None or head.frontier_at < now - validators.LATE_AFTER
    after = None if everything or due else head.settled_id
    entries = list(unsealed(trail, after=after).order_by("pk")[:CHUNK])
    _append(trail, head, entries, now)
    more = len(entries) == CHUNK
    if not more:
        head.caught_up_at = now
        if due:
            head.settled_id, head.frontier_at = head.frontier_id, now
            head.frontier_id = max([head.frontier_id, *(entry.pk for entry in entries)])
    head.signature = validators.head_signature(trail=trail.name, head=head)
    head.save()
    return len(entries), more


def _locked_head(trail: Trail) -> Any:
    heads = trail.heads.objects.select_for_update()
    head = heads.first()
    if head is None:
        fresh: Any = trail.heads() if trail.heads is AuditHead else trail.heads(pk=1)
        trail.heads.objects.bulk_create([fresh], ignore_conflicts=True)  # another sealer may be first
        head = heads.get()
    if not head_is_whole(trail, head):
        raise BrokenTrail(_("The head of the chain was deleted or changed without the key."))
    return head


def _append(trail: Trail, head: Any, entries: list[Any], now: dt.datetime) -> None:
    seals = []
    for entry in entries:
        late = validators.is_late(entry.at, caught_up_at=head.caught_up_at, now=now)
        seal: Any = trail.seals(position=head.count + 1, entry_id=entry.pk, sealed_at=now, late=late)
        seal.hash = validators.seal_hash(
            trail=trail.name, previous=head.hash, seal=seal, entry=entry, fields=trail.fields
        )
        head.count, head.hash = seal.position, seal.hash
        seals.append(seal)
    trail.seals.objects.bulk_create(seals)
