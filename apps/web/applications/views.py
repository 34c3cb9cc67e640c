from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.audit.queries import history_of
from apps.audit.services import record_read
from apps.credits.enums import ApplicationStatus
from apps.credits.queries.applications import get_visible_application, piece_requests_of
from apps.credits.services import lifecycle
from apps.credits.services.applications import change_application
from apps.decisions.queries.decisions import file_decisions
from apps.scoring.queries.scores import is_current, latest_score_of
from apps.scoring.services.scores import score_application
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.accounts.presenters import refuse
from apps.web.applications.forms import AnswerForm, CancelForm, PieceRequestForm
from apps.web.applications.presenters import application_sheet, doable, history_lines
from apps.web.credits.forms import ChangeForm, change_initial
from apps.web.decisions.presenters import file_view
from apps.web.scoring.presenters import score_sheet

HISTORY = 30


@require_safe
@allow(Verb.READ_FILES)
def application(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _application(request, uid)
    record_read(by=request.actor, target=shown)
    return _page(request, shown)


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def application_edit(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _application(request, uid)
    if not doable(request.actor, shown).edit:
        return _moved(request, shown)
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=change_initial(shown))
    if form.is_valid():
        try:
            change_application(uid=uid, change=form.change(), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Application changed."))
            return redirect("web:application", uid)
    context = {"form": form, "application": application_sheet(shown, today=timezone.localdate())}
    return render(request, "applications/edit.html", context, status=422 if form.errors else 200)


@require_POST
@allow(Verb.SCORE)
def application_score(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _application(request, uid)
    if not doable(request.actor, shown).score:
        return _moved(request, shown)
    try:
        score_application(application=shown, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    if request.htmx:
        return _page(request, shown, part="#score")
    return redirect("web:application", uid)


@require_POST
@allow(Verb.EDIT_FILES)
def application_submit(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Send the file for decision, with a score of its present values: computed now if there is none."""
    shown = _application(request, uid)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, status=422, answer_form=form)
    try:
        with transaction.atomic():
            score_application(application=shown, by=request.actor)
            lifecycle.submit_application(uid=uid, by=request.actor, **form.cleaned_data)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("File sent for decision. It can be taken back until it is decided."))
    return redirect("web:application", uid)


@require_POST
@allow(Verb.EDIT_FILES)
def application_withdraw(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _do(request, uid, lifecycle.withdraw_application, _("File taken back: it is a draft again."))


@require_POST
@allow(Verb.EDIT_FILES)
def application_reopen(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _do(request, uid, lifecycle.reopen_application, _("Application reopened: it is a draft again."))


@require_http_methods(["GET", "POST"])
@allow(Verb.DECIDE)
def application_return(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Ask for missing pieces: the file goes back to whoever prepares it."""
    shown = _application(request, uid)
    if not doable(request.actor, shown).ask_for_pieces:
        return _moved(request, shown)
    form = PieceRequestForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            lifecycle.request_pieces(uid=uid, by=request.actor, **form.cleaned_data)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("File returned to be completed."))
            return redirect("web:application", uid)
    return _form_page(request, shown, form, "applications/return.html")


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def application_cancel(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _application(request, uid)
    if not doable(request.actor, shown).cancel:
        return _moved(request, shown)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            lifecycle.cancel_application(uid=uid, by=request.actor, **form.cleaned_data)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Application cancelled. It can be reopened."))
            return redirect("web:application", uid)
    return _form_page(request, shown, form, "applications/cancel.html")


def _do(request: ActorRequest, uid: UUID, service: Any, done: str) -> HttpResponse:
    try:
        service(uid=uid, by=request.actor)
    except ObjectNotFound:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return redirect("web:application", uid)


def _application(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_application(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None


def _moved(request: ActorRequest, shown: Any) -> HttpResponse:
    message = _("This is not possible any more: the file is « %(status)s », or it is your own.")
    messages.error(request, message % {"status": shown.get_status_display()})
    return redirect("web:application", shown.uid)


def _page(
    request: ActorRequest,
    shown: Any,
    *,
    part: str = "",
    status: int = 200,
    answer_form: Any = None,
) -> HttpResponse:
    prediction = latest_score_of(shown)
    requests = piece_requests_of(shown)
    around = file_decisions(shown)
    context = {
        "application": application_sheet(shown, today=timezone.localdate()),
        "may": doable(request.actor, shown, review=around.open_review is not None),
        "taken": file_view(around),
        "score": score_sheet(prediction) if prediction else None,
        "score_is_current": prediction is not None and is_current(prediction, shown),
        "requests": requests,
        "open_request": requests[0] if shown.status == ApplicationStatus.INCOMPLETE and requests else None,
        "answer_form": answer_form or AnswerForm(),
        "history": history_lines(history_of(shown.uid)[:HISTORY]),
    }
    return render(request, f"applications/detail.html{part}", context, status=status)


def _form_page(request: ActorRequest, shown: Any, form: Any, template: str) -> HttpResponse:
    context = {"form": form, "application": application_sheet(shown, today=timezone.localdate())}
    return render(request, template, context, status=422 if form.errors else 200)
