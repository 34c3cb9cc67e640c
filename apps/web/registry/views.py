"""The registry to read: which versions there are, what each is worth, what was in production when."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from apps.registry.queries import (
    get_model_version,
    in_production_at,
    model_versions,
    offered_models,
    open_promotions,
    promotions_of,
    times_in_production,
    version_before,
)
from apps.registry.services.exporting import card_of, expert_card_of, export_model, file_name, scorecard_bytes
from apps.registry.services.gates import checklist
from apps.registry.services.importing import import_model
from apps.registry.services.recalibrating import last_recalibration
from apps.reports.renderers.pdf import can_write_pdf
from apps.scoring.queries.shadows import shadow_of
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.registry import presenters
from apps.web.registry.forms import ImportForm, MomentForm, ReasonForm
from apps.web.registry.shadows import shadow_sheet
from apps.web.spreadsheets import attached

#: Times in production that the list of models shows; each version's page has its own.
LATEST_TIMES = 25
#: The states from which a version may be tried in the shadow.
CHALLENGERS_FROM = ("candidate", "retired")


@require_safe
@allow(Verb.READ_REPORTS)
def models(request: ActorRequest) -> HttpResponse:
    page = cursor_page(request, model_versions())
    times = presenters.time_lines(times_in_production()[:LATEST_TIMES])
    asked = MomentForm(request.GET if "day" in request.GET else None)
    found = in_production_at(asked.moment()) if asked.is_bound and asked.is_valid() else None
    context = {
        "versions": presenters.version_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "times": times,
        "now": [time for time in times if time.until is None],
        "moment_form": asked,
        "moment": asked.moment() if found is not None else None,
        "found": None if found is None else presenters.time_lines(found),
        "waiting": open_promotions(),
        "may_propose": request.actor.may(Verb.PROPOSE_MODEL),
        "offered": presenters.offered_lines(offered_models()),
    }
    return render(request, "registry/list.html", context, status=422 if asked.errors else 200)


@require_safe
@allow(Verb.READ_REPORTS)
def model(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show a version; while its level is being set, a part of the page asks how far that is."""
    version = version_or_404(uid)
    work = presenters.recalibration_of(last_recalibration(version))
    if request.htmx and work is not None and work.under_way:
        return render(request, "registry/detail.html#recalibration", {"recalibration": work})
    promotions = list(promotions_of(version))
    waiting = next((each for each in promotions if each.status in {"proposed", "approved"}), None)
    context = {**_sheet(request, version, promotions, waiting), "recalibration": work}
    context["may_recalibrate"] = context["may_recalibrate"] and not (work and work.under_way)
    answer = render(request, "registry/detail.html", context)
    if request.htmx:  # the work has ended: the whole page tells what it gave
        answer["HX-Refresh"] = "true"
    return answer


def _sheet(request: ActorRequest, version: Any, promotions: Any, waiting: Any) -> dict[str, Any]:
    actor = request.actor
    gates = [gate.as_dict() for gate in checklist(version=version, by=actor)]
    scorecard = expert_card_of(version)
    proposes, approves = actor.may(Verb.PROPOSE_MODEL), actor.may(Verb.APPROVE_MODEL)
    champion = version.status == "champion"
    shadow = None if champion else shadow_of(version)
    return {
        "version": presenters.version_line(version),
        "facts": presenters.facts_of(version),
        "quality": presenters.quality_of(version),
        "own": presenters.own_of(version),
        "gates": presenters.gate_lines(waiting.gates if waiting else gates),
        "scorecard": presenters.points_of(scorecard) if scorecard else None,
        "card": presenters.card_blocks(card_of(version)),
        "times": presenters.time_lines(times_in_production(version)),
        "promotions": promotions,
        "waiting": waiting,
        "own_proposal": waiting is not None and waiting.proposed_by_id == actor.person_id,
        "may_propose": proposes and presenters.may_be_proposed(version, waiting),
        "may_withdraw": proposes and waiting is not None,
        "may_decide": approves and waiting is not None and waiting.status == "proposed",
        "may_write": proposes and scorecard is not None,
        "may_recalibrate": proposes and not version.is_expert,
        "run_uid": version.metrics.get("run") if version.origin == "trained" else None,
        "may_export": actor.may(Verb.REPLAY),
        "shadow": shadow_sheet(shadow) if shadow else None,
        "challenger": version.status == "challenger",
        "may_stop": proposes,
        "may_challenge": proposes and version.status in CHALLENGERS_FROM,
        "before": version_before(version) if champion and approves else None,
        "may_pdf": can_write_pdf(),
        "reason_form": ReasonForm(),
    }


@require_http_methods(["GET", "POST"])
@allow(Verb.PROPOSE_MODEL)
def model_import(request: ActorRequest) -> HttpResponse:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(*sent)
    if form.is_valid():
        values = form.cleaned_data
        try:
            version = import_model(upload=values["file"], by=request.actor, segment=values["segment"])
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return redirect("web:model", version.uid)
    return render(request, "registry/import.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@allow(Verb.REPLAY)
def model_export(request: ActorRequest, uid: UUID) -> HttpResponse:
    version = version_or_404(uid)
    try:
        name, content = export_model(version=version, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:model", uid)
    return attached(content, name, "application/zip")


@require_safe
@allow(Verb.REPLAY)
def model_scorecard(request: ActorRequest, uid: UUID) -> HttpResponse:
    version = version_or_404(uid)
    try:
        content = scorecard_bytes(version)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:model", uid)
    return attached(content, file_name(version, "json"), "application/json")


def version_or_404(uid: UUID) -> Any:
    """Return a version of the institution; raise ``Http404``."""
    try:
        return get_model_version(uid)
    except ObjectNotFound:
        raise Http404 from None
