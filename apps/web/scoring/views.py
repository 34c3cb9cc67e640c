from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.audit.services import record_read
from apps.scoring.queries import get_visible_prediction, my_predictions
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.scoring.presenters import score_lines, score_sheet


@require_safe
@allow(Verb.SCORE)
def scores(request: ActorRequest) -> HttpResponse:
    page = cursor_page(request, my_predictions(request.actor))
    context = {"scores": score_lines(page.rows), "next_url": page.next_url, "previous_url": page.previous_url}
    return render(request, "scoring/list.html", context)


@require_safe
@allow(Verb.READ_FILES)
def score(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        prediction = get_visible_prediction(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    record_read(by=request.actor, target=prediction)
    return render(request, "scoring/detail.html", {"score": score_sheet(prediction)})
