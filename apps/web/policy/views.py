from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import push_url

from apps.scoring.backtest import backtest, changed_files, threshold_curve, with_threshold
from apps.scoring.queries.policies import (
    draft_of,
    get_proposal,
    pending_proposal,
    policy_in_force,
    policy_timeline,
    proposals_found,
)
from apps.scoring.services.policies import (
    approve_policy,
    checked_policy,
    propose_policy,
    reject_policy,
    withdraw_policy,
)
from apps.scoring.validators import PolicyCosts, PolicyDraft
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.policy import presenters
from apps.web.policy.forms import ApprovalForm, DecisionForm, PolicyForm, TryForm

#: Thresholds of the curve.
GRID = [percent / 100 for percent in range(2, 51, 2)]


@require_safe
@allow(Verb.READ_REPORTS)
def policy(request: ActorRequest) -> HttpResponse:
    """Show the policy in force, the one that waits, and every one there was."""
    times, today = policy_timeline(), policy_in_force(timezone.localdate())
    page = cursor_page(request, proposals_found())
    pending = pending_proposal()
    context = {
        "current": today,
        "sheet": presenters.policy_sheet(draft_of(today)) if today else None,
        "pending": presenters.proposal_line(pending, times) if pending else None,
        "history": presenters.proposal_lines(page.rows, times),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "may_propose": request.actor.may(Verb.PROPOSE_MODEL),
        "may_try": request.actor.may(Verb.APPROVE_MODEL),
    }
    return render(request, "policy/detail.html", context)


@require_safe
@allow(Verb.APPROVE_MODEL)
def policy_simulation(request: ActorRequest) -> HttpResponse:
    """Try a threshold on the files of a year; a slider with HTMX, a form without."""
    base = _base()
    form = TryForm(request.GET)
    valid = form.is_valid()
    status, wish = 200 if valid else 422, form.cleaned_data if valid else {}
    credit_type = wish.get("type") or ""
    before = base.figures.threshold_for(credit_type)
    tried = wish["seuil"] / 100 if wish.get("seuil") else before
    after = with_threshold(base, tried, credit_type) if wish.get("seuil") else base
    shown = TryForm({"type": credit_type, "seuil": f"{100 * tried:g}"}) if valid else form
    context: dict[str, Any] = {"form": shown, "tried": tried, "credit_type": credit_type, "before": before}
    context |= {"may_propose": request.actor.may(Verb.PROPOSE_MODEL), **_impact(request, base, after)}
    points = threshold_curve(request.actor, base, GRID, credit_type=credit_type)
    context["chart"], context["finding"] = presenters.curve_view(points)
    if request.htmx and not request.htmx.history_restore_request:
        answer = render(request, "policy/simulation.html#results", context, status=status)
        return push_url(answer, request.get_full_path())
    return render(request, "policy/simulation.html", context, status=status)


@require_http_methods(["GET", "POST"])
@allow(Verb.PROPOSE_MODEL)
def policy_new(request: ActorRequest) -> HttpResponse:
    """Ask for every figure; show what they would change, or propose them."""
    base = _base()
    form = PolicyForm(request.POST or None, base=_asked(request, base))
    context: dict[str, Any] = {"form": form, "pending": pending_proposal()}
    if request.method == "POST" and form.is_valid():
        if "simulate" not in request.POST:
            proposal = _proposed(request, form)
            if proposal is not None:
                messages.success(request, _("The policy is proposed: another person has to approve it."))
                return redirect("web:policy_version", proposal.uid)
        else:
            context |= _preview(request, form, base)
    return render(request, "policy/new.html", context, status=422 if form.errors else 200)


def _base() -> PolicyDraft:
    """Return the policy that is in force today, from which others start; a 404 without one."""
    current = policy_in_force(timezone.localdate())
    if current is None:
        raise Http404
    return draft_of(current)


def _asked(request: ActorRequest, base: PolicyDraft) -> PolicyDraft:
    """Return what the form is filled with: the policy in force, or a threshold that was tried."""
    tried = TryForm(request.GET)
    if not tried.is_valid() or not tried.cleaned_data["seuil"]:
        return base
    credit_type = tried.cleaned_data["type"]
    costs = {
        name: presenters.by_hand(each) if credit_type in {"", name} else each
        for name, each in base.costs.by_type.items()
    }
    draft = PolicyDraft(base.figures, PolicyCosts(base.costs.prudence_cap, costs))
    return with_threshold(draft, tried.cleaned_data["seuil"] / 100, credit_type)


def _proposed(request: ActorRequest, form: PolicyForm) -> Any:
    try:
        return propose_policy(
            draft=form.draft(),
            effective_from=form.cleaned_data["effective_from"],
            reason=form.cleaned_data["reason"],
            by=request.actor,
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return None


def _preview(request: ActorRequest, form: PolicyForm, base: PolicyDraft) -> dict[str, Any]:
    try:
        draft = checked_policy(form.draft())
    except DomainError as refusal:
        form.refuse(refusal)
        return {}
    lines = presenters.difference_lines(base, draft)
    return {"differences": lines, "sheet": presenters.policy_sheet(draft), **_impact(request, base, draft)}


def _impact(request: ActorRequest, before: PolicyDraft, after: PolicyDraft) -> dict[str, Any]:
    """Return what another policy makes of past files, and those whose advice differs, page by page."""
    found = backtest(request.actor, before=before, after=after)
    context: dict[str, Any] = {"impact": presenters.impact_view(found)}
    if found.changed:
        page = cursor_page(request, changed_files(request.actor, before=before, after=after))
        context |= {"files": presenters.changed_lines(page.rows)}
        context |= {"files_next": page.next_url, "files_previous": page.previous_url}
    return context


@require_safe
@allow(Verb.READ_REPORTS)
def policy_version(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show one policy, proposed or decided: what differs, what it would change, who decided and why."""
    proposal, actor = _visible(uid), request.actor
    draft, base = presenters.draft_and_base(proposal)
    waits = presenters.is_open(proposal)
    own = proposal.proposed_by_id == actor.person_id
    context: dict[str, Any] = {
        "line": presenters.proposal_line(proposal, policy_timeline()),
        "proposal": proposal,
        "sheet": presenters.policy_sheet(draft),
        "differences": presenters.difference_lines(base, draft),
        "base": proposal.based_on,
    }
    if waits and base is not None and actor.may(Verb.APPROVE_MODEL):
        context |= _impact(request, base, draft)
        context |= {"approval": ApprovalForm(), "decision": DecisionForm(), "own": own}
        context["may_withdraw"] = own and actor.may(Verb.PROPOSE_MODEL)
    return render(request, "policy/version.html", context)


@require_POST
@allow(Verb.APPROVE_MODEL)
def policy_approve(request: ActorRequest, uid: UUID) -> HttpResponse:
    said = _("The policy is approved.")
    return _decided(request, uid, approve_policy, ApprovalForm(request.POST), said)


@require_POST
@allow(Verb.APPROVE_MODEL)
def policy_reject(request: ActorRequest, uid: UUID) -> HttpResponse:
    said = _("The proposal is rejected; its author is told.")
    return _decided(request, uid, reject_policy, DecisionForm(request.POST), said)


@require_POST
@allow(Verb.PROPOSE_MODEL)
def policy_withdraw(request: ActorRequest, uid: UUID) -> HttpResponse:
    said = _("The proposal is withdrawn.")
    return _decided(request, uid, withdraw_policy, DecisionForm(request.POST), said)


def _decided(request: ActorRequest, uid: UUID, decide: Any, form: Any, said: str) -> HttpResponse:
    """Write a decision; a refusal is told on the page of the proposal."""
    proposal = _visible(uid)
    if not form.is_valid():
        messages.error(request, _("Write the reason: it stays in the history."))
        return redirect("web:policy_version", uid)
    try:
        decide(proposal=proposal, by=request.actor, reason=form.cleaned_data["reason"])
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect("web:policy_version", uid)


def _visible(uid: UUID) -> Any:
    try:
        return get_proposal(uid)
    except ObjectNotFound:
        raise Http404 from None
