"""Alike files, opposite decisions: found among the latest decisions of a period."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from apps.decisions.enums import GRANTING, DecisionKind
from apps.decisions.models import Decision
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Role

#: Two probabilities at most this far apart are alike.
NEAR = 0.01
#: The latest decisions of the period that are compared, and the pairs that are listed.
COMPARED, LISTED = 5_000, 100
_READERS = frozenset({Role.ADMINISTRATEUR, Role.RESPONSABLE_RISQUES, Role.COMITE, Role.AUDITEUR})


def can_audit_consistency(actor: Actor) -> bool:
    """Say whether the decisions of people may be compared by ``actor``."""
    return actor.role in _READERS


class Decided(NamedTuple):
    """One decision with what makes files alike."""

    uid: UUID
    application_uid: UUID
    reference: str
    kind: str
    pd: float
    credit_type: str
    grade: str
    agency_key: int
    agency: str
    decider_key: int | None
    decider: str
    decided_on: dt.datetime
    against_advice: bool


class Pair(NamedTuple):
    """A refusal and the granted file most like it."""

    refused: Decided
    granted: Decided

    @property
    def apart(self) -> float:
        return abs(self.refused.pd - self.granted.pd)


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many decisions of somebody or of an agency, how many have an opposite one on an alike file."""

    label: str
    decisions: int
    opposed: int


@dataclass(frozen=True, slots=True)
class Consistency:
    """What was compared, the pairs found (the most alike first, at most ``LISTED``), and by whom.

    ``is_cut`` says that the period holds more decisions than are compared.
    """

    compared: int
    opposed: int
    pairs: Sequence[Pair]
    pair_count: int
    by_decider: Sequence[Share]
    by_agency: Sequence[Share]
    is_cut: bool


def consistency_of(
    actor: Actor, *, start: dt.datetime, end: dt.datetime, agency_id: int | None = None, credit_type: str = ""
) -> Consistency:
    """Compare the decisions of a period (``end`` excluded) in the agencies seen; one statement.

    Those that were taken with the advice in sight, as in the report of consistency.

    Alike: same credit type and grade, probabilities within one point. Opposite: granted, and refused.
    """
    decided = _decided(actor, start, end, agency_id, credit_type)
    kept = decided[:COMPARED]
    opposed, pairs = _compared(kept)
    pairs.sort(key=lambda pair: (pair.apart, -pair.refused.decided_on.timestamp()))
    return Consistency(
        compared=len(kept),
        opposed=len(opposed),
        pairs=pairs[:LISTED],
        pair_count=len(pairs),
        by_decider=_shares(kept, opposed, "decider"),
        by_agency=_shares(kept, opposed, "agency"),
        is_cut=len(decided) > COMPARED,
    )


def _decided(
    actor: Actor, start: dt.datetime, end: dt.datetime, agency_id: int | None, credit_type: str
) -> list[Decided]:
    limits: dict[str, Any] = {"decided_at__gte": start, "decided_at__lt": end, "is_retrospective": False}
    if actor.agency_ids is not None:
        limits["agency_id__in"] = actor.agency_ids
    if credit_type:
        limits["application__type_credit"] = credit_type
    rows = Decision.objects.filter(kind__in=(*GRANTING, DecisionKind.REFUSE), **limits)
    if agency_id is not None:
        rows = rows.filter(agency_id=agency_id)
    columns = (
        *("uid", "application__uid", "application__reference", "kind", "pd"),
        *("application__type_credit", "prediction__grade", "agency_id", "agency__name", "decided_by_id"),
        *("decided_by__full_name", "decided_at", "is_override"),
    )
    found = rows.order_by("-decided_at", "-uid").values_list(*columns)[: COMPARED + 1]
    return [Decided._make(value if value is not None else "" for value in row) for row in found]


def _compared(decided: Iterable[Decided]) -> tuple[set[UUID], list[Pair]]:
    """Return which decisions have an opposite one on an alike file, and each refusal's nearest one."""
    groups: dict[tuple[str, str], tuple[list[Decided], list[Decided]]] = {}
    for each in decided:
        refused, granted = groups.setdefault((each.credit_type, each.grade), ([], []))
        (refused if each.kind == DecisionKind.REFUSE else granted).append(each)
    opposed: set[UUID] = set()
    pairs = []
    for refused, granted in groups.values():
        nearest = list(_nearest(refused, granted))
        pairs += [Pair(each, other) for each, other in nearest]
        opposed |= {each.uid for each, _other in nearest}
        opposed |= {each.uid for each, _other in _nearest(granted, refused)}
    return opposed, pairs


def _nearest(those: Iterable[Decided], others: Iterable[Decided]) -> Iterator[tuple[Decided, Decided]]:
    ordered = sorted(others, key=lambda each: each.pd)
    places = [each.pd for each in ordered]
    for each in those:
        at = bisect_left(places, each.pd)
        near = ordered[max(at - 1, 0) : at + 1]
        other = min(near, key=lambda one: abs(one.pd - each.pd), default=None)
        if other is not None and abs(other.pd - each.pd) <= NEAR:
            yield each, other


def _shares(decided: Iterable[Decided], opposed: set[UUID], name: str) -> list[Share]:
    """Return the shares of each agency or person, the highest first."""
    found: dict[Any, list[Any]] = {}
    for each in decided:
        counts = found.setdefault(getattr(each, f"{name}_key"), [getattr(each, name), 0, 0])
        counts[1] += 1
        counts[2] += each.uid in opposed
    shares = [Share(*counts) for counts in found.values()]
    return sorted(shares, key=lambda each: (-each.opposed / each.decisions, each.label))
