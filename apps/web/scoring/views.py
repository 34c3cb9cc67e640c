from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import push_url

from apps.audit.services import record_read
from apps.engine.change_words import amount_limit_text
from apps.registry.errors import NoApprovedModel
from apps.reports.renderers.pdf import can_write_pdf
from apps.scoring.enums import Recommendation, Source
from apps.scoring.queries.scores import client_reference_of, get_visible_prediction, scores_found
from apps.scoring.services.opinions import second_opinion
from apps.scoring.services.scores import replay_prediction
from apps.scoring.services.simulation import changes_for, held_back_by
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.scoring.changes import changes_view
from apps.web.scoring.details import (
    compared,
    file_lines,
    ladder,
    means_view,
    opinion_view,
    position_view,
)
from apps.web.scoring.forms import ScoreFilterForm
from apps.web.scoring.presenters import score_lines, score_sheet


@require_safe
@allow(Verb.READ_FILES)
def scores(request: ActorRequest) -> HttpResponse:
    form = ScoreFilterForm(request.GET, actor=request.actor)
    valid = form.is_valid()
    found = scores_found(request.actor, **form.limits()) if valid else scores_found(request.actor).none()
    page = cursor_page(request, found)
    context = {
        "form": form,
        "chips": form.chips() if valid else [],
        "scores": score_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "may_enter": request.actor.may(Verb.EDIT_FILES),
    }
    status = 200 if valid else 422
    if not request.htmx or request.htmx.history_restore_request:
        return render(request, "scoring/list.html", context, status=status)
    answer = render(request, "scoring/list.html#results", context, status=status)
    return push_url(answer, f"{request.path}{form.address()}")


@require_safe
@allow(Verb.READ_FILES)
def score(request: ActorRequest, uid: UUID) -> HttpResponse:
    prediction = _read(request, uid)
    context = _sheet(request, prediction)
    if prediction.source == Source.BATCH:
        context["client_reference"] = client_reference_of(uid)
    return render(request, "scoring/detail.html", context)


@require_safe
@allow(Verb.READ_FILES)
def score_print(request: ActorRequest, uid: UUID) -> HttpResponse:
    prediction = _read(request, uid)
    context = {
        "score": score_sheet(prediction),
        "means": means_view(prediction),
        "file": file_lines(prediction),
        "input_hash": prediction.input_hash,
        "institution": request.membership.institution,
        "may_pdf": can_write_pdf(),
    }
    return render(request, "scoring/print.html", context)


@require_POST
@allow(Verb.REPLAY)
def score_replay(request: ActorRequest, uid: UUID) -> HttpResponse:
    prediction = _visible(request, uid)
    context: dict[str, Any] = {"score": score_sheet(prediction)}
    try:
        replay = replay_prediction(prediction=prediction, by=request.actor)
    except NoApprovedModel as refusal:
        return render(request, "scoring/replay.html", {**context, "refusal": refusal.message}, status=422)
    context |= {"identical": replay.identical, "lines": compared(replay)}
    return render(request, "scoring/replay.html", context)


def _sheet(request: ActorRequest, prediction: Any) -> dict[str, Any]:
    return {
        "score": score_sheet(prediction),
        "ladder": ladder(prediction),
        "means": means_view(prediction),
        "position": position_view(prediction),
        "may_replay": request.actor.may(Verb.REPLAY),
        **_beyond(request, prediction),
    }


def _beyond(request: ActorRequest, prediction: Any) -> dict[str, Any]:
    """Return what would change the advice and what holds the maximal amount back, if the model loads."""
    file = prediction.application
    may_simulate = file is not None and request.actor.may(Verb.SCORE)
    context: dict[str, Any] = {
        "may_simulate": may_simulate,
        "simulation_url": reverse("web:simulation", args=[file.uid]) if may_simulate else "",
    }
    try:
        context["held_back"] = amount_limit_text(held_back_by(prediction), current_lang())
        if prediction.recommendation != Recommendation.GRANT:
            context["changes"] = changes_view(changes_for(prediction=prediction), prediction.inputs)
    except NoApprovedModel:
        return context
    return context


def _read(request: ActorRequest, uid: UUID) -> Any:
    """Find a score that is about to be shown, and record that it was."""
    prediction = _visible(request, uid)
    record_read(by=request.actor, target=prediction)
    return prediction


def _visible(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_prediction(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None


@require_safe
@allow(Verb.REPLAY)
def score_second_opinion(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show what a second method says of a score, beside the exact contributions."""
    prediction = _read(request, uid)
    context: dict[str, Any] = {"score": score_sheet(prediction)}
    try:
        opinion = second_opinion(prediction=prediction, by=request.actor)
    except NoApprovedModel as refusal:
        return render(request, "scoring/opinion.html", {**context, "refusal": refusal.message}, status=422)
    context |= {"opinion": opinion_view(opinion)}
    return render(request, "scoring/opinion.html", context)
