"""How tests give an institution another policy: one person proposes, another approves."""

from django.utils import timezone

from apps.scoring.models import ScoringPolicy
from apps.scoring.queries import draft_of, policy_on
from apps.scoring.services.policies import approve_policy, propose_policy
from apps.scoring.validators import PolicyDraft

REASON = "Resserrer après la campagne"


def proposed(world, figures, *, day=None, reason=REASON, code="horizon", costs=None):
    """Propose figures as the risk manager; the scope of the institution is open."""
    by = world.actor(f"risques@{code}.demo")
    draft = PolicyDraft(figures, costs or draft_of(policy_on()).costs)
    return propose_policy(draft=draft, effective_from=day or timezone.localdate(), reason=reason, by=by)


def put_in_force(world, figures, **wishes) -> ScoringPolicy:
    """Propose and approve figures; return the new version."""
    code = wishes.get("code", "horizon")
    proposal = proposed(world, figures, **wishes)
    return approve_policy(proposal=proposal, by=world.actor(f"comite@{code}.demo")).policy
