from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.audit.services import record, record_read
from apps.credits.queries.clients import get_visible_client, merged_files
from apps.scoring.queries.differences import difference_between, earlier_score, scores_of_file
from apps.scoring.queries.neighbours import neighbours_of
from apps.scoring.queries.scores import get_visible_prediction, scores_of_client
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.comparing import presenters
from apps.web.comparing.forms import ComparisonForm
from apps.web.spreadsheets import csv_answer

#: The latest scores of a client that its evolution shows.
SHOWN = 100


@require_safe
@allow(Verb.READ_FILES)
def score_changes(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Say what changed between a score and another one of its file, by default the one before."""
    prediction = _score(request, uid)
    others = scores_of_file(request.actor, prediction)
    context: dict[str, Any] = {"score": prediction, "others": others}
    try:
        other = earlier_score(others, prediction, _asked(request))
    except ObjectNotFound:
        if "avec" in request.GET:
            raise Http404 from None
    else:
        record_read(by=request.actor, target=prediction)
        difference = difference_between(prediction, other)
        context |= {"difference": presenters.difference_view(difference), "pair": difference}
    return render(request, "comparing/changes.html", context)


@require_safe
@allow(Verb.READ_FILES)
def score_neighbours(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Say how the fifty past files nearest to a score ended."""
    prediction = _score(request, uid)
    record_read(by=request.actor, target=prediction)
    found = presenters.neighbours_view(neighbours_of(request.actor, prediction))
    return render(request, "comparing/neighbours.html", {"score": prediction, "found": found})


@require_safe
@allow(Verb.READ_FILES)
def comparison(request: ActorRequest) -> HttpResponse:
    """Put up to four clients or files side by side."""
    form = ComparisonForm(request.GET or None, actor=request.actor)
    form.is_valid()
    for each in form.found:
        record_read(by=request.actor, target=each.application or each.client)
    view = presenters.comparison_view(form.found) if form.found else None
    context = {"form": form, "view": view}
    return render(request, "comparing/comparison.html", context, status=422 if form.errors else 200)


@require_safe
@allow(Verb.READ_FILES)
def client_scores(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show a client's scores over time."""
    shown, scores = _client_scores(request, uid)
    record_read(by=request.actor, target=shown)
    chart, finding = presenters.evolution_chart(scores)
    context = {
        "client": shown,
        "lines": presenters.evolution_lines(scores),
        "chart": chart,
        "finding": finding,
    }
    return render(request, "comparing/evolution.html", context)


@require_safe
@allow(Verb.READ_FILES)
def client_scores_csv(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Give a client's scores as a file for a spreadsheet."""
    shown, scores = _client_scores(request, uid)
    record(by=request.actor, action="client.scores_export", target=shown)
    return csv_answer(f"scores-{shown.uid}.csv", presenters.evolution_rows(scores))


def _client_scores(request: ActorRequest, uid: UUID) -> tuple[Any, list[Any]]:
    try:
        shown = get_visible_client(request.actor, uid=uid)
    except ObjectNotFound:
        raise Http404 from None
    return shown, list(scores_of_client(request.actor, shown, *merged_files(shown))[:SHOWN])


def _score(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_prediction(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None


def _asked(request: HttpRequest) -> UUID | None:
    text = request.GET.get("avec", "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
