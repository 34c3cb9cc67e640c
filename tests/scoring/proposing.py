"""How tests give an institution another policy: one person proposes, another approves."""

from django.utils import timezone

from apps.credits.models import CreditApplication
from apps.scoring.models import Prediction, ScoringPolicy
from apps.scoring.queries.policies import draft_of, policy_on
from apps.scoring.services.policies import approve_policy, propose_policy
from apps.scoring.services.scores import score_application, score_values
from apps.scoring.validators import PolicyDraft
from apps.tenancy.models import new_uid
from apps.tenancy.prepared import insert
from tests.predict import BODY

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


def score_many(world) -> None:
    """Score a hundred applications of every age, one of them twice, and values without a file."""
    by = world.actor(world.analyst)
    with world.scope():
        for application in CreditApplication.objects.order_by("uid")[:100]:
            score_application(application=application, by=by)
        score_values(raw=BODY, by=by)
        twice = Prediction.objects.exclude(application=None).first()
        twice.pk, twice.uid, twice.input_hash = None, new_uid(), "again"
        twice.pd, twice.created_at = twice.pd / 2, timezone.now()
        insert(twice)
