"""The institution's scoring policy, by maker and checker; the opening of an institution with its first."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.validators import check_line
from apps.engine.contracts import PolicyFigures
from apps.engine.policy import default_rules
from apps.institutions.models import Institution
from apps.institutions.services import save_institution
from apps.outbox.services import enqueue_alert, withdraw_alerts
from apps.scoring.enums import ProposalStatus
from apps.scoring.errors import ProposalDecided, ProposalPending
from apps.scoring.models import PolicyProposal, ScoringPolicy
from apps.scoring.queries.policies import draft_of, pending_proposal, policy_in_force, policy_on
from apps.scoring.validators import (
    PolicyCosts,
    PolicyDraft,
    costs_to_json,
    differences,
    figures_to_json,
    settled,
)
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import require_another_person, require_member
from apps.tenancy.roles import Verb
from apps.users.queries import people_with
from apps.users.services.invitations import invite_administrator

LATEST_START = dt.timedelta(days=731)


#: A reason says something: fewer letters than this do not.
LEAST_REASON = 5
MOST_REASON = 300


@transaction.atomic
def set_policy(
    *,
    figures: PolicyFigures,
    by: Actor,
    reason: str,
    effective_from: dt.date | None = None,
    costs: PolicyCosts | None = None,
) -> ScoringPolicy:
    """Give an institution its first scoring policy; each later one takes two people (``propose_policy``)."""
    day, inputs = effective_from or timezone.localdate(), costs_to_json(costs or PolicyCosts())
    policy = ScoringPolicy.objects.create(
        version=1,
        effective_from=day,
        figures=figures_to_json(figures),
        costs=inputs,
        reason=reason,
        created_by=by.id,
    )
    PolicyProposal.objects.create(
        opening=True,
        status=ProposalStatus.APPROVED,
        effective_from=day,
        figures=policy.figures,
        costs=inputs,
        reason=reason,
        policy=policy,
        proposed_by_id=by.person_id,
        decided_at=policy.created_at,
    )
    record(by=by, action="policy.create", target=policy, after={"version": policy.version})
    return policy


@transaction.atomic
def propose_policy(*, draft: PolicyDraft, effective_from: dt.date, reason: str, by: Actor) -> PolicyProposal:
    """Propose a policy, in force from a day on once another person approves it.

    The threshold of each credit type that has costs is computed from them. Raises ``NotAllowed``,
    ``InvalidValues`` naming the figures at fault, ``ProposalPending`` while another proposal waits.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    draft = _checked(draft, effective_from, reason)
    base = policy_in_force(effective_from)
    if base is not None and not differences(draft_of(base), draft):
        raise InvalidValues(_("This policy is the one in force: no figure differs."))
    if pending_proposal() is not None:
        raise _pending()
    try:
        with transaction.atomic():  # two people may propose at once: the database keeps one
            proposal = PolicyProposal.objects.create(
                figures=figures_to_json(draft.figures),
                costs=costs_to_json(draft.costs),
                effective_from=effective_from,
                reason=reason.strip(),
                based_on=base,
                proposed_by_id=by.person_id,
            )
    except IntegrityError:
        raise _pending() from None
    record(
        by=by,
        action="policy.propose",
        target=proposal,
        after={"effective_from": effective_from.isoformat(), "reason": proposal.reason},
    )
    _tell(people_with(by.institution, Verb.APPROVE_MODEL), by, "policy.proposed", proposal)
    return proposal


def _pending() -> ProposalPending:
    return ProposalPending(_("Another proposed policy waits for its approval."))


def checked_policy(draft: PolicyDraft) -> PolicyDraft:
    """Return a draft with its computed thresholds; raise ``InvalidValues`` naming the figures at fault."""
    try:
        return settled(draft)
    except ValidationError as refusal:
        raise InvalidValues(_("Some values cannot be used."), fields=refusal.message_dict) from None


def _checked(draft: PolicyDraft, effective_from: dt.date, reason: str) -> PolicyDraft:
    wrong: dict[str, Sequence[str]] = {}
    try:
        draft = checked_policy(draft)
    except InvalidValues as refusal:
        wrong |= refusal.fields
    today = timezone.localdate()
    if effective_from < today:
        wrong["effective_from"] = [_("A policy takes effect today or later, never in the past.")]
    elif effective_from > today + LATEST_START:
        wrong["effective_from"] = [_("A policy takes effect within two years.")]
    if refusal_of_reason := _reason_refused(reason):
        wrong["reason"] = [refusal_of_reason]
    if wrong:
        raise InvalidValues(_("Some values cannot be used."), fields=wrong)
    return draft


def _reason_refused(reason: str, least: int = LEAST_REASON) -> str:
    kept = reason.strip()
    if len(kept) < least:
        return _("Write the reason: it stays in the history.")
    if len(kept) > MOST_REASON:
        return _("At most %(length)s characters.") % {"length": MOST_REASON}
    try:
        check_line(kept)
    except ValidationError as refusal:
        return str(refusal.messages[0])
    return ""


def _require_reason(reason: str, least: int = LEAST_REASON) -> str:
    if refused := _reason_refused(reason, least):
        raise InvalidValues(refused, fields={"reason": [refused]})
    return reason.strip()


@transaction.atomic
def approve_policy(*, proposal: PolicyProposal, by: Actor, reason: str = "") -> PolicyProposal:
    """Approve a proposed policy: it becomes the next version, in force from its day on.

    A proposal whose day has passed takes effect today. Raises ``NotAllowed``, ``SamePerson`` for who
    proposed it, ``ProposalDecided`` when somebody decided before.
    """
    require_member(by=by, verb=Verb.APPROVE_MODEL)
    remark = _require_reason(reason, least=0)
    locked = _locked(proposal)
    require_another_person(maker_id=locked.proposed_by_id, by=by)
    latest = ScoringPolicy.objects.order_by("-version").values_list("version", flat=True).first()
    policy = ScoringPolicy.objects.create(
        version=(latest or 0) + 1,
        effective_from=max(locked.effective_from, timezone.localdate()),
        figures=locked.figures,
        costs=locked.costs,
        reason=locked.reason,
        created_by=locked.proposed_by_id,
        approved_by=by.person_id,
    )
    _decide(locked, ProposalStatus.APPROVED, by, remark, policy=policy)
    after = {"version": policy.version, "effective_from": policy.effective_from.isoformat()}
    record(by=by, action="policy.approve", target=locked, after=after)
    _tell([locked.proposed_by_id], by, "policy.decided", locked)
    return locked


@transaction.atomic
def reject_policy(*, proposal: PolicyProposal, by: Actor, reason: str) -> PolicyProposal:
    """Refuse a proposed policy, with a reason; the same refusals as ``approve_policy``."""
    require_member(by=by, verb=Verb.APPROVE_MODEL)
    kept = _require_reason(reason)
    locked = _locked(proposal)
    require_another_person(maker_id=locked.proposed_by_id, by=by)
    _decide(locked, ProposalStatus.REJECTED, by, kept)
    record(by=by, action="policy.reject", target=locked, after={"reason": kept})
    _tell([locked.proposed_by_id], by, "policy.decided", locked)
    return locked


@transaction.atomic
def withdraw_policy(*, proposal: PolicyProposal, by: Actor, reason: str) -> PolicyProposal:
    """Take back one's own proposal, with a reason; ``NotAllowed`` for anybody else."""
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    kept = _require_reason(reason)
    locked = _locked(proposal)
    if locked.proposed_by_id != by.person_id:
        raise NotAllowed(_("Only the person who proposed it may withdraw it."))
    _decide(locked, ProposalStatus.WITHDRAWN, by, kept)
    record(by=by, action="policy.withdraw", target=locked, after={"reason": kept})
    return locked


def _locked(proposal: PolicyProposal) -> PolicyProposal:
    """Hold the proposal until the decision is written: of two decisions at once the second comes late."""
    locked = PolicyProposal.objects.select_for_update().get(pk=proposal.pk)
    if locked.status != ProposalStatus.PROPOSED:
        raise ProposalDecided(_("This proposal was decided before."))
    return locked


def _decide(
    proposal: PolicyProposal,
    status: ProposalStatus,
    by: Actor,
    reason: str,
    policy: ScoringPolicy | None = None,
) -> None:
    proposal.status, proposal.decision_reason, proposal.policy = status, reason, policy
    proposal.decided_by_id, proposal.decided_at = by.person_id, timezone.now()
    proposal.save(update_fields=["status", "decision_reason", "policy", "decided_by", "decided_at"])
    withdraw_alerts(code="policy.proposed", about={"policy": str(proposal.uid)})


def _tell(people: Iterable[int | None], by: Actor, code: str, proposal: PolicyProposal) -> None:
    """Alert everybody concerned but the one who acts."""
    wanted = {person for person in people if person is not None and person != by.person_id}
    if wanted:
        enqueue_alert(code=code, recipients=wanted, payload={"policy": str(proposal.uid)})


@transaction.atomic
def open_institution(
    *,
    institution: Institution,
    administrator: str,
    by: Actor,
    reason: str,
    link: Callable[[str], str],
    threshold: float | None = None,
    copy_from: Institution | None = None,
) -> Institution:
    """Open an institution: its row, its first scoring policy, and the invitation of its administrator.

    The policy is the engine's standard one, or a copy of another institution's; ``threshold`` replaces the
    default threshold. Raises ``NoPolicy``, or ``InvalidValues`` when the e-mail cannot be used.
    """
    draft = PolicyDraft(PolicyFigures(rules=default_rules()))
    if copy_from is not None:
        with tenant_scope(copy_from.pk):
            draft = draft_of(policy_on())
    figures = draft.figures
    if threshold is not None:
        figures = replace(figures, default_threshold=threshold)
    save_institution(institution=institution, by=by, reason=reason)
    inside = replace(by, institution_id=institution.pk)
    with tenant_scope(institution.pk):
        set_policy(figures=figures, costs=draft.costs, by=inside, reason=reason)
        invite_administrator(email=administrator, by=inside, institution=institution, link=link)
    return institution
