"""Who acts: one frozen value that every service receives as ``by``."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from apps.tenancy.errors import NoTenantScope
from apps.tenancy.roles import Verb, allows

ActorKind = Literal["user", "key", "task", "operator"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a partner key, a background task or the platform's operator.

    ``institution_id`` is ``None`` only for an operator. ``agency_ids`` is ``None`` when the actor
    sees every agency of the institution; an agent always has at least one. ``scopes`` are the verbs of
    a partner key, which has no role's own.
    """

    kind: ActorKind
    id: int | None
    uid: UUID | None
    institution_id: int | None
    role: str
    agency_ids: frozenset[int] | None = None
    display_name: str = ""
    request_id: str = ""
    address: str = ""
    scopes: frozenset[Verb] = frozenset()

    @property
    def institution(self) -> int:
        """The institution acted in; raise ``NoTenantScope`` for an operator."""
        if self.institution_id is None:
            raise NoTenantScope("The operator acts in no institution.")
        return self.institution_id

    @property
    def person_id(self) -> int | None:
        """The key of the person who acts, for what names its author; nobody for a key or a task."""
        return self.id if self.kind == "user" else None

    def may(self, verb: Verb) -> bool:
        """Say whether this actor's role holds ``verb``; tasks act for the institution and may."""
        if self.kind == "key":
            return verb in self.scopes
        return self.kind == "task" or allows(self.role, verb)

    def sees_agency(self, agency_id: int) -> bool:
        """Say whether files of that agency are visible to this actor."""
        return self.agency_ids is None or agency_id in self.agency_ids


def task_actor(institution_id: int, *, request_id: str = "") -> Actor:
    """Return the actor of background work inside one institution."""
    return Actor(
        kind="task", id=None, uid=None, institution_id=institution_id, role="", request_id=request_id
    )
