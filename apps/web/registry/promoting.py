"""Production, for people: propose, approve, refuse, take back, return; challengers and offered models."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.jobs.services import send_job
from apps.registry.queries import get_offered_model, promotions_of
from apps.registry.services.challengers import start_challenger, stop_challenger
from apps.registry.services.gates import checklist
from apps.registry.services.promotions import (
    approve_promotion,
    decline_promotion,
    propose_promotion,
    roll_back,
    withdraw_promotion,
)
from apps.registry.services.recalibrating import ask_recalibration
from apps.registry.services.versions import install_offered_model
from apps.registry.tasks import recalibrate_model
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.registry import presenters
from apps.web.registry.forms import OfferedForm, ProposalForm, ReasonForm
from apps.web.registry.views import version_or_404


@require_http_methods(["GET", "POST"])
@allow(Verb.PROPOSE_MODEL)
def model_propose(request: ActorRequest, uid: UUID) -> HttpResponse:
    version = version_or_404(uid)
    form = ProposalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        words = form.cleaned_data
        try:
            propose_promotion(
                version=version,
                by=request.actor,
                reason=words["reason"],
                explanation=words["explanation"],
                starts_at=form.starts_at(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Proposed. Another person must approve it."))
            return redirect("web:model", uid)
    gates = [gate.as_dict() for gate in checklist(version=version, by=request.actor)]
    context = {"form": form, "version": presenters.version_line(version)}
    context["gates"] = presenters.gate_lines(gates)
    return render(request, "registry/propose.html", context, status=422 if form.errors else 200)


@require_POST
@allow(Verb.APPROVE_MODEL)
def model_approve(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        promotion = approve_promotion(promotion=_open(uid), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        started = promotion.status == "started"
        text = (
            _("Approved: this version is in production.")
            if started
            else _("Approved: it starts at its hour.")
        )
        messages.success(request, text)
    return redirect("web:model", uid)


@require_POST
@allow(Verb.APPROVE_MODEL)
def model_decline(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _with_reason(request, uid, lambda reason: decline_promotion(
        promotion=_open(uid), by=request.actor, reason=reason
    ), _("Refused: production does not change."))  # fmt: skip


@require_POST
@allow(Verb.PROPOSE_MODEL)
def model_withdraw(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        withdraw_promotion(promotion=_open(uid), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Withdrawn: production does not change."))
    return redirect("web:model", uid)


@require_POST
@allow(Verb.APPROVE_MODEL)
def model_rollback(request: ActorRequest, uid: UUID) -> HttpResponse:
    version = version_or_404(uid)
    return _with_reason(
        request,
        uid,
        lambda reason: roll_back(version=version, by=request.actor, reason=reason),
        _("The version before is in production again."),
    )


@require_POST
@allow(Verb.PROPOSE_MODEL)
def model_challenge(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _told(request, uid, lambda version: start_challenger(version=version, by=request.actor), _(
        "It scores in the shadow: the comparison shows here within a few minutes."
    ))  # fmt: skip


@require_POST
@allow(Verb.PROPOSE_MODEL)
def model_unchallenge(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _told(request, uid, lambda version: stop_challenger(version=version, by=request.actor), _(
        "It does not score any more; what was compared stays."
    ))  # fmt: skip


@allow(Verb.PROPOSE_MODEL)
@require_POST
def model_install(request: ActorRequest) -> HttpResponse:
    form = OfferedForm(request.POST)
    try:
        model = get_offered_model(form.cleaned_data["model"] if form.is_valid() else None)
        version = install_offered_model(model=model, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:models")
    messages.success(
        request, _("Installed as a candidate: propose it for production when its gates are passed.")
    )
    return redirect("web:model", version.uid)


def _told(request: ActorRequest, uid: UUID, act: Any, done: str) -> HttpResponse:
    try:
        act(version_or_404(uid))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return redirect("web:model", uid)


def _with_reason(request: ActorRequest, uid: UUID, act: Any, done: str) -> HttpResponse:
    form = ReasonForm(request.POST)
    try:
        act(form.cleaned_data["reason"] if form.is_valid() else "")
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return redirect("web:model", uid)


def _open(uid: UUID) -> Any:
    """Return the latest promotion of a version, decided or not; raise ``Http404`` when it never had one."""
    promotion = promotions_of(version_or_404(uid)).first()
    if promotion is None:
        raise Http404
    return promotion


@require_POST
@allow(Verb.PROPOSE_MODEL)
def model_recalibrate(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Ask for a version whose level is that of the institution's outcomes."""
    try:
        job = ask_recalibration(version=version_or_404(uid), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        send_job(job=job, task=recalibrate_model)
    return redirect(f"{reverse('web:model', args=[uid])}#own-title")
