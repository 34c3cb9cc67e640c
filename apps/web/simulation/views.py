from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import push_url

from apps.audit.services import record_read
from apps.credits.queries.applications import get_visible_application
from apps.credits.rules import can_edit, can_score
from apps.credits.services.applications import version_of
from apps.scoring.queries.scenarios import get_visible_scenario, scenarios_of
from apps.scoring.services import simulation as simulating
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.applications.presenters import application_sheet
from apps.web.scoring.changes import changes_view
from apps.web.simulation import presenters
from apps.web.simulation.forms import CreditForm, SimulationForm


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@allow(Verb.SCORE)
def credit_simulation(request: ActorRequest) -> HttpResponse:
    """Try a credit for nobody: what is typed and tried lives in the page alone."""
    form = CreditForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            terms = simulating.terms_of_values(form.values())
            asked = simulating.variant_in(terms)
            tried, *kept = (
                simulating.simulate_variant(terms=terms, variant=each)
                for each in (asked, *form.scenarios(asked))
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            context |= presenters.credit_view(tried, kept)
    part = "#credit" if request.htmx else ""
    return render(request, f"simulation/credit.html{part}", context, status=_status(form))


@require_safe
@allow(Verb.SCORE)
def simulation(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Try other terms on a file: as one types with HTMX, by a button without."""
    shown = _application(request, uid)
    part = request.htmx and not request.htmx.history_restore_request
    if not part:
        record_read(by=request.actor, target=shown)
    form = SimulationForm(request.GET, asked=simulating.variant_of(shown))
    context: dict[str, Any] = {"form": form, **_file(request, shown)}
    context |= _tried(request, shown, form, whole=not part)
    answer = render(
        request, f"simulation/detail.html{'#result' if part else ''}", context, status=_status(form)
    )
    return push_url(answer, request.get_full_path()) if part and not form.errors else answer


@require_POST
@allow(Verb.SCORE)
def scenario_keep(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Keep the terms sent as a scenario of the file."""
    shown = _application(request, uid)
    form = SimulationForm(request.POST, asked=simulating.variant_of(shown))
    try:
        if form.is_valid():
            simulating.keep_scenario(uid=uid, variant=form.variant(), by=request.actor)
            messages.success(request, _("Scenario kept with the file."))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect(_address(uid, form))


@require_POST
@allow(Verb.EDIT_FILES)
def simulation_take_over(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Put the terms sent into the application."""
    shown = _application(request, uid)
    form = SimulationForm(request.POST, asked=simulating.variant_of(shown))
    version = request.POST.get("version", "")
    try:
        if form.is_valid():
            simulating.take_over(application=shown, variant=form.variant(), version=version, by=request.actor)
            messages.success(request, _("These values are now those of the application: compute its score."))
            return redirect("web:application", uid)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect(_address(uid, form))


@require_POST
@allow(Verb.SCORE)
def scenario_remove(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Remove a scenario of one's own."""
    try:
        scenario = get_visible_scenario(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    try:
        simulating.remove_scenario(scenario=scenario, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Scenario removed."))
    return redirect("web:simulation", scenario.application.uid)


def _file(request: ActorRequest, shown: Any) -> dict[str, Any]:
    return {
        "application": application_sheet(shown, today=timezone.localdate()),
        "version": version_of(shown),
        "may_take_over": can_edit(request.actor, shown),
        "may_keep": can_score(request.actor, shown),
    }


def _tried(request: ActorRequest, shown: Any, form: SimulationForm, *, whole: bool) -> dict[str, Any]:
    """Return what the terms give, and for a whole page what would change the advice and the scenarios."""
    try:
        terms = simulating.terms_today(shown)
        now = simulating.simulate_variant(terms=terms, variant=simulating.variant_of(shown))
        context = _around(request, shown, now) if whole else {}
    except DomainError as refusal:
        return {"refusal": refusal.message}
    if not form.is_valid():
        return context
    try:
        tried = simulating.simulate_variant(terms=terms, variant=form.variant())
    except DomainError as refusal:
        form.refuse(refusal)
        return context
    return {**context, **presenters.simulated_view(tried, now)}


def _around(request: ActorRequest, shown: Any, now: simulating.Simulated) -> dict[str, Any]:
    changes = simulating.changes_for(prediction=now.prediction)
    return {
        "changes": changes_view(changes, now.prediction.inputs),
        "scenarios": presenters.scenario_table(now, scenarios_of(shown), request.actor),
    }


def _application(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_application(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None


def _address(uid: UUID, form: SimulationForm) -> str:
    sent = {name: form.data[name] for name in form.fields if form.data.get(name)}
    return f"{reverse('web:simulation', args=[uid])}?{urlencode(sent)}"


def _status(form: Form) -> int:
    return 422 if form.errors else 200
