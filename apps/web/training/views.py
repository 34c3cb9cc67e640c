"""Training to ask for, to follow and to read: journal, new run, progress, comparison, figures."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.jobs.services import send_job
from apps.registry.queries import get_training_run, history_standing, training_runs, versions_of_run
from apps.registry.services.training_keeping import register_candidate
from apps.registry.services.training_runs import ask_training, cancel_training, retry_training
from apps.scoring.tasks import train_candidates
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.spreadsheets import attached
from apps.web.training import curves, groups, presenters, results
from apps.web.training.forms import TrainingForm


@require_safe
@allow(Verb.READ_REPORTS)
def trainings(request: ActorRequest) -> HttpResponse:
    """Show where the history stands and the journal of the runs."""
    page = cursor_page(request, training_runs())
    context = {
        "standing": presenters.standing_view(history_standing()),
        "runs": presenters.run_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "may_ask": request.actor.may(Verb.PROPOSE_MODEL),
    }
    return render(request, "training/list.html", context)


@require_http_methods(["GET", "POST"])
@allow(Verb.PROPOSE_MODEL)
def training_new(request: ActorRequest) -> HttpResponse:
    """Ask for a run; what is usual is filled in."""
    standing = history_standing()
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = TrainingForm(*sent, standing=standing)
    if form.is_valid():
        try:
            run = ask_training(by=request.actor, **form.wish())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            send_job(job=run.job, task=train_candidates)
            return redirect("web:training", run.uid)
    context = {"form": form, "standing": presenters.standing_view(standing)}
    return render(request, "training/new.html", context, status=422 if form.errors else 200)


@require_safe
@allow(Verb.READ_REPORTS)
def training(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show a run: how far it is, or what came out of it."""
    run = _found(uid)
    view = presenters.run_view(run)
    if request.htmx and not view.finished:
        return render(request, "training/detail.html#progress", {"run": view})
    may = request.actor.may(Verb.PROPOSE_MODEL)
    context: dict[str, Any] = {"run": view, "may_ask": may, "data": presenters.data_view(run)}
    if run.result is not None:
        kept = versions_of_run(run)
        context["result"] = results.result_view(run, request.GET.get("candidat", ""), kept)
    answer = render(request, "training/detail.html", context)
    if request.htmx:  # the work has ended: the whole page tells what it gave
        answer["HX-Refresh"] = "true"
    return answer


@require_safe
@allow(Verb.READ_REPORTS)
def training_curves(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show one chart of a candidate, its numbers, and the way to the others."""
    run = _with_result(uid)
    chosen = results.chosen_candidate(run, request.GET.get("candidat", ""))
    code = request.GET.get("courbe", "") or curves.FIRST
    if code == curves.GROUPS:
        context = {"run": presenters.run_view(run), "view": groups.groups_view(run, chosen)}
        return render(request, "training/groups.html", context)
    try:
        view = curves.curve_view(run, chosen, code)
    except ObjectNotFound:
        raise Http404 from None
    context = {"run": presenters.run_view(run), "view": view}
    return render(request, "training/curves.html", context)


@require_safe
@allow(Verb.READ_REPORTS)
def training_numbers(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Send all the numbers of a chart as a CSV file."""
    run = _with_result(uid)
    chosen = results.chosen_candidate(run, request.GET.get("candidat", ""))
    try:
        name, content = curves.numbers_file(run, chosen, request.GET.get("courbe", "") or curves.FIRST)
    except ObjectNotFound:
        raise Http404 from None
    return attached(content, name, "text/csv; charset=utf-8")


@require_POST
@allow(Verb.PROPOSE_MODEL)
def training_cancel(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        cancel_training(run=_found(uid), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The run stops. Nothing of it is kept."))
    return redirect("web:training", uid)


@require_POST
@allow(Verb.PROPOSE_MODEL)
def training_retry(request: ActorRequest, uid: UUID) -> HttpResponse:
    run = _found(uid)
    try:
        retry_training(run=run, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        send_job(job=run.job, task=train_candidates)
    return redirect("web:training", uid)


@require_POST
@allow(Verb.PROPOSE_MODEL)
def training_keep(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Keep a candidate of a run in the registry."""
    try:
        version = register_candidate(run=_found(uid), kind=request.POST.get("kind", ""), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:training", uid)
    messages.success(request, _("Kept as a candidate. Two people decide whether it goes into production."))
    return redirect("web:model", version.uid)


def _found(uid: UUID) -> Any:
    try:
        return get_training_run(uid)
    except ObjectNotFound:
        raise Http404 from None


def _with_result(uid: UUID) -> Any:
    run = _found(uid)
    if run.result is None:
        raise Http404
    return run
