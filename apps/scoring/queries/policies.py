"""Scoring policies: in force, proposed, over time."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.engine.contracts import PolicyFigures
from apps.scoring.enums import ProposalStatus
from apps.scoring.errors import NoPolicy
from apps.scoring.models import PolicyProposal, ScoringPolicy
from apps.scoring.validators import PolicyDraft, costs_from_json, figures_from_json
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.prepared import Prepared


def _policy_on(*, date: dt.date) -> QuerySet[ScoringPolicy]:
    rows = ScoringPolicy.objects.filter(effective_from__lte=date)
    return rows.order_by("-effective_from", "-version")[:1]


_POLICY = Prepared(_policy_on, tenant=True, date=dt.date)


def policy_on(date: dt.date | None = None) -> ScoringPolicy:
    """Return the policy in force on ``date`` (default: today); raise ``NoPolicy`` when none is."""
    policy = _POLICY.first(date=date or timezone.localdate())
    if policy is None:
        raise NoPolicy(_("This institution has no scoring policy yet."))
    return policy


def policy_in_force(date: dt.date) -> ScoringPolicy | None:
    """Return the policy that is, or as things stand will be, in force on a day; ``None`` without one."""
    return _POLICY.first(date=date)


@dataclass(frozen=True, slots=True)
class InForce:
    """From when to when a policy was, is or will be in force; ``end`` is ``None`` while none follows.

    A policy that another one of the same or an earlier day replaced before it began never was.
    """

    start: dt.datetime
    end: dt.datetime | None

    @property
    def never(self) -> bool:
        return self.end is not None and self.end <= self.start

    def holds(self, moment: dt.datetime) -> bool:
        """Say whether the policy was in force at a moment."""
        return self.start <= moment and (self.end is None or moment < self.end)


def policy_timeline() -> dict[int, InForce]:
    """Return when each policy of the institution is in force, by its key: at any moment, one at most.

    The latest day decides, then the latest version: a policy ends when one that comes after it in this order
    begins.
    """
    rows = list(
        ScoringPolicy.objects.only("effective_from", "created_at", "institution_id").order_by(
            "effective_from", "version"
        )
    )
    found: dict[int, InForce] = {}
    following: dt.datetime | None = None
    for row in reversed(rows):
        found[row.pk] = InForce(row.started_at, following)
        following = min(following or row.started_at, row.started_at)
    return found


def proposals_found(*, status: str = "") -> QuerySet[PolicyProposal]:
    """Return the policies that were proposed, decided or not; the first one of the institution too."""
    rows = PolicyProposal.objects.select_related("policy", "based_on", "proposed_by", "decided_by")
    return rows.filter(status=status) if status else rows


def get_proposal(uid: UUID) -> PolicyProposal:
    """Return one proposed policy; raise ``ObjectNotFound`` when unknown or elsewhere, alike."""
    proposal = proposals_found().filter(uid=uid).first()
    if proposal is None:
        raise ObjectNotFound(_("No such policy."))
    return proposal


def pending_proposal() -> PolicyProposal | None:
    """Return the proposal that waits for its second person; one at most waits."""
    return proposals_found(status=ProposalStatus.PROPOSED).first()


def draft_of(stored: ScoringPolicy | PolicyProposal) -> PolicyDraft:
    """Return everything that a stored policy, proposed or approved, says."""
    return PolicyDraft(figures_from_json(stored.figures), costs_from_json(stored.costs))


def figures_of_policy(policy: ScoringPolicy) -> PolicyFigures:
    """Return a stored policy's figures, checked once an object: advice and its reasons both ask."""
    read: PolicyFigures | None = policy.__dict__.get("figures_read")
    if read is None:
        read = policy.__dict__["figures_read"] = figures_from_json(policy.figures)
    return read
