from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.audit.services import record_read
from apps.credits.queries.applications import get_visible_application
from apps.decisions.queries.decisions import (
    decisions_for,
    get_visible_override,
    get_visible_review,
    standing_of,
)
from apps.decisions.rules import can_register_review, direction_of, refusal_to_open
from apps.decisions.services.deciding import decide
from apps.decisions.services.overrides import confirm_override, refuse_override, withdraw_override
from apps.decisions.services.reviews import keep_decision, register_review, resume_application
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.applications.presenters import application_sheet
from apps.web.decisions import presenters
from apps.web.decisions.forms import AnswerForm, DecideForm, KeepForm, RefusalForm, ReviewForm
from apps.web.scoring.presenters import score_sheet


@require_http_methods(["GET", "POST"])
@allow(Verb.DECIDE)
def application_decide(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show what a decision rests on, then take it; the kind of decision stands in the address."""
    shown = _application(request, uid)
    standing = standing_of(request.actor, shown)
    kind = presenters.kind_asked(request.GET.get("decision", ""))
    form = None
    if kind is not None:
        advice = standing.prediction.recommendation if standing.prediction else ""
        against = direction_of(advice, kind) is not None
        form = DecideForm(request.POST or None, kind=kind, application=shown, against=against)
    if request.method == "POST" and form is not None and form.is_valid():
        answer = _decided(request, shown, form)
        if answer is not None:
            return answer
    if request.method == "GET":
        record_read(by=request.actor, target=shown)
    return _decide_page(request, shown, standing, form)


def _decided(request: ActorRequest, shown: Any, form: DecideForm) -> HttpResponse | None:
    try:
        taken = decide(application=shown, choice=form.choice(), by=request.actor)
    except DomainError as refusal:
        if refusal.fields:
            form.refuse(refusal)
            return None
        messages.error(request, refusal.message)
    else:
        asked = hasattr(taken, "answered_at")
        said = _("Sent: a second person has to confirm it.") if asked else _("The decision is recorded.")
        messages.success(request, said)
    return redirect("web:application", shown.uid)


def _decide_page(request: ActorRequest, shown: Any, standing: Any, form: DecideForm | None) -> HttpResponse:
    actor, override = request.actor, standing.override
    amount = override.amount_xaf if override else 0
    refusal = refusal_to_open(actor, shown, standing, amount_xaf=amount)
    own = override is not None and override.requested_by_id == actor.id
    context = {
        "application": application_sheet(shown, today=timezone.localdate()),
        "score": score_sheet(standing.prediction) if standing.prediction else None,
        "score_is_current": standing.score_is_current,
        "refusal": refusal.message if refusal and not own else "",
        "limit_xaf": standing.limit_xaf,
        "override": presenters.override_view(override) if override else None,
        "own_override": own,
        "review": presenters.review_view(standing.review) if standing.review else None,
        "kinds": presenters.kind_links(shown.uid, form.kind if form else None),
        "form": form,
        "answer_form": AnswerForm(),
        "refusal_form": RefusalForm(auto_id="refus_%s"),
        "keep_form": KeepForm(auto_id="reponse_%s"),
        "decisions": presenters.decision_lines(decisions_for(shown)),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "decisions/decide.html", context, status=status)


@require_POST
@allow(Verb.DECIDE)
def override_confirm(request: ActorRequest, uid: UUID) -> HttpResponse:
    wish = _override(request, uid)
    remark = request.POST.get("remark", "")
    return _answer(
        request,
        wish.application,
        lambda: confirm_override(request=wish, by=request.actor, remark=remark),
        _("The decision against the advice is confirmed."),
    )


@require_POST
@allow(Verb.DECIDE)
def override_refuse(request: ActorRequest, uid: UUID) -> HttpResponse:
    wish = _override(request, uid)
    reason = request.POST.get("remark", "")
    return _answer(
        request,
        wish.application,
        lambda: refuse_override(request=wish, by=request.actor, reason=reason),
        _("Refused: the file awaits a decision again."),
    )


@require_POST
@allow(Verb.DECIDE)
def override_withdraw(request: ActorRequest, uid: UUID) -> HttpResponse:
    wish = _override(request, uid)
    return _answer(
        request,
        wish.application,
        lambda: withdraw_override(request=wish, by=request.actor),
        _("Withdrawn: the file awaits a decision again."),
    )


@require_POST
@allow(Verb.DECIDE)
def review_keep(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        review = get_visible_review(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    answer = request.POST.get("answer", "")
    return _answer(
        request,
        review.application,
        lambda: keep_decision(review=review, answer=answer, by=request.actor),
        _("The client's request is answered: the decision is kept."),
    )


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def application_review(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Register that the client asks a person to look at the decision again."""
    shown = _application(request, uid)
    if not can_register_review(request.actor, shown):
        message = _("This file has moved on: it is now « %(status)s ».")
        messages.error(request, message % {"status": shown.get_status_display()})
        return redirect("web:application", uid)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            register_review(application=shown, asked=form.asked(), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Registered: another person will look at the file."))
            return redirect("web:application", uid)
    context = {"form": form, "application": application_sheet(shown, today=timezone.localdate())}
    return render(request, "decisions/review.html", context, status=422 if form.errors else 200)


@require_POST
@allow(Verb.EDIT_FILES)
def application_resume(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _application(request, uid)
    return _answer(
        request,
        shown,
        lambda: resume_application(application=shown, by=request.actor),
        _("The file is a draft again: complete it, score it and send it for decision."),
    )


def _answer(request: ActorRequest, application: Any, service: Any, done: str) -> HttpResponse:
    try:
        service()
    except ObjectNotFound:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return redirect("web:application", application.uid)


def _application(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_application(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None


def _override(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_override(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
