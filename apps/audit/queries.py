"""Reads of the trail, and the check of its seals."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

from apps.audit import validators
from apps.audit.models import (
    FILE_READS,
    AuditEntry,
    AuditHead,
    AuditSeal,
    PlatformEntry,
    PlatformHead,
    PlatformSeal,
)
from apps.tenancy.actor import Actor
from apps.tenancy.context import current_institution_id
from apps.tenancy.errors import ObjectNotFound

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Trail:
    """One chain: its name, which goes into every seal, and its three tables."""

    name: str
    entries: type[AuditEntry | PlatformEntry]
    seals: type[AuditSeal | PlatformSeal]
    heads: type[AuditHead | PlatformHead]
    fields: tuple[str, ...]


PLATFORM_TRAIL = Trail("platform", PlatformEntry, PlatformSeal, PlatformHead, validators.PLATFORM_FIELDS)


def institution_trail() -> Trail:
    """Return the trail of the institution in scope; raise ``NoTenantScope`` without one."""
    name = f"institution:{current_institution_id()}"
    return Trail(name, AuditEntry, AuditSeal, AuditHead, validators.AUDIT_FIELDS)


def unsealed(trail: Trail, *, after: int | None = None) -> QuerySet[Any]:
    """Return the entries (those numbered above ``after`` only, when given) that have no seal yet."""
    seals = trail.seals.objects.filter(entry_id=OuterRef("pk"))
    entries = trail.entries.objects.filter(~Exists(seals))
    return entries if after is None else entries.filter(pk__gt=after)


def history_of(uid: UUID) -> QuerySet[AuditEntry]:
    """Return what was done to one object of the open scope, the latest first, without its readings."""
    return AuditEntry.objects.filter(object_uid=uid).exclude(action__endswith=".read").order_by("-at", "-id")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the key holder did not write; ``str()`` is a sentence."""

    kind: str
    position: int = 0
    entry_id: int = 0

    def __str__(self) -> str:
        return sentence_of(self.kind) % {"position": self.position, "entry": self.entry_id}


def sentence_of(kind: str) -> str:
    """Return the sentence of a kind of finding, with its places open, in the active language."""
    sentences = {
        "altered": _("Entry %(entry)d (seal %(position)d): its content or its place was changed."),
        "deleted": _("Entry %(entry)d (seal %(position)d): it was deleted."),
        "unlinked": _("Seal %(position)d: it was deleted."),
        "inserted": _("Entry %(entry)d (seal %(position)d): it appeared long after the date it bears."),
        "head": _("The head of the chain was deleted or changed without the key."),
        "tail": _("The end of the chain does not match its head, after seal %(position)d."),
        "surplus": _("Seal %(position)d stands beyond the head of the chain."),
    }
    return sentences[kind]


def head_is_whole(trail: Trail, head: Any) -> bool:
    """Say whether ``head`` was written with the key (``None``: whether nothing was ever sealed)."""
    if head is None or not head.signature:
        return not trail.seals.objects.exists()
    return validators.same(head.signature, validators.head_signature(trail=trail.name, head=head))


def findings(trail: Trail, *, latest: int | None = None) -> Iterator[Finding]:
    """Check the seals of a trail in their order, the whole or the ``latest`` ones; read-only.

    Entries written since the last sealing are not judged. Memory does not grow with the trail.
    """
    beyond = trail.seals.objects.aggregate(last=Max("position"))["last"] or 0
    head = trail.heads.objects.first()  # read after `beyond`: a sealer at work can only bring it further
    if not head_is_whole(trail, head):
        yield Finding("head")
    count = head.count if head is not None else 0
    if beyond > count:
        yield Finding("surplus", position=beyond)
    end = max(count, beyond)
    start = 0 if latest is None else max(0, end - latest)
    last, found_hash = start, _hash_at(trail, start)
    for seal, entry in _pairs(trail, after=start, until=end):
        yield from (Finding("unlinked", position=missing) for missing in range(last + 1, seal.position))
        yield from _judge(trail, seal, entry, previous=found_hash)
        last, found_hash = seal.position, seal.hash
    if last < count or (head is not None and last == count and found_hash != head.hash):
        yield Finding("tail", position=last)


def _hash_at(trail: Trail, position: int) -> str:
    return trail.seals.objects.filter(position=position).values_list("hash", flat=True).first() or ""


def _pairs(trail: Trail, *, after: int, until: int) -> Iterator[tuple[Any, Any]]:
    seals = trail.seals.objects.filter(position__lte=until).order_by("position")
    while chunk := list(seals.filter(position__gt=after)[:CHUNK]):
        entries = trail.entries.objects.in_bulk([seal.entry_id for seal in chunk])
        yield from ((seal, entries.get(seal.entry_id)) for seal in chunk)
        after = chunk[-1].position


def _judge(trail: Trail, seal: Any, entry: Any, *, previous: str) -> Iterator[Finding]:
    if entry is None:
        yield Finding("deleted", position=seal.position, entry_id=seal.entry_id)
    elif not _holds(trail, seal, entry, previous=previous):
        yield Finding("altered", position=seal.position, entry_id=seal.entry_id)
    elif seal.late:
        yield Finding("inserted", position=seal.position, entry_id=seal.entry_id)


def _holds(trail: Trail, seal: Any, entry: Any, *, previous: str) -> bool:
    expected = validators.seal_hash(
        trail=trail.name, previous=previous, seal=seal, entry=entry, fields=trail.fields
    )
    return validators.same(seal.hash, expected)


def audit_entries(
    *,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    actor: str = "",
    action: str = "",
    object_type: str = "",
    object_uid: UUID | None = None,
) -> QuerySet[AuditEntry]:
    """Return the entries of the institution from ``start`` (included) to ``end`` (excluded)."""
    wanted: Mapping[str, Any] = {
        "at__gte": start,
        "at__lt": end,
        "actor_name__icontains": actor.strip(),
        "action": action,
        "object_type": object_type,
        "object_uid": object_uid,
    }
    return AuditEntry.objects.filter(**{name: value for name, value in wanted.items() if value})


def recent_reads(actor: Actor, *, among: int = 100) -> list[tuple[str, UUID]]:
    """Return ``(type of object, uid)`` of the files that a person opened, each once, the latest first.

    Found among the last ``among`` openings: the trail already tells them, nothing is kept twice.
    """
    reads = AuditEntry.objects.filter(actor_kind="user", actor_id=actor.id, action__in=FILE_READS)
    opened = reads.order_by("-at").values_list("object_type", "object_uid")[:among]
    return [(kind, uid) for kind, uid in dict.fromkeys(opened) if uid is not None]


def get_audit_entry(uid: UUID) -> AuditEntry:
    """Return one entry of the institution; raise ``ObjectNotFound``."""
    entry = AuditEntry.objects.filter(uid=uid).first()
    if entry is None:
        raise ObjectNotFound(_("No such entry."))
    return entry


def seal_of(entry: AuditEntry) -> tuple[AuditSeal | None, bool]:
    """Return the seal of an entry (``None`` while it waits) and whether both still agree."""
    seal = AuditSeal.objects.filter(entry_id=entry.pk).first()
    if seal is None:
        return None, True
    trail = institution_trail()
    previous = _hash_at(trail, seal.position - 1)
    return seal, not any(_judge(trail, seal, entry, previous=previous))


def sealed_count() -> int:
    """Return how many entries of the institution are sealed, by its head."""
    head = AuditHead.objects.first()
    return head.count if head is not None else 0
