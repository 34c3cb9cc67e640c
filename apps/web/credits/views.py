from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from django_htmx.http import retarget

from apps.credits.services.applications import enter_application
from apps.scoring.services import score_application
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.credits.example import example_values
from apps.web.credits.forms import ApplicationForm
from apps.web.credits.known import known_values
from apps.web.scoring.presenters import score_sheet

PAGE = "credits/application_form.html"


@require_http_methods(["GET", "POST"])
@allow(Verb.SCORE)
def application_new(request: ActorRequest) -> HttpResponse:
    if request.method == "POST":
        return _score(request)
    form = ApplicationForm(actor=request.actor, initial=_initial(request))
    return render(request, PAGE, {"form": form, "score": None})


def _initial(request: ActorRequest) -> dict[str, Any]:
    if "exemple" in request.GET:
        return example_values(request.actor)
    reference = request.GET.get("client", "")
    return known_values(request.actor, reference) if reference else {}


def _score(request: ActorRequest) -> HttpResponse:
    form = ApplicationForm(request.POST, actor=request.actor)
    if not form.is_valid():
        return _refused(request, form)
    try:
        with transaction.atomic():  # a refusal after the first write leaves nothing written
            application = enter_application(
                uid=form.cleaned_data["uid"], entry=form.entry(), by=request.actor
            )
            prediction, _created = score_application(application=application, by=request.actor)
    except DomainError as refusal:
        form.refuse(refusal)
        return _refused(request, form)
    page = f"{PAGE}#result" if request.htmx else PAGE
    return render(request, page, {"form": form, "score": score_sheet(prediction)})


def _refused(request: ActorRequest, form: ApplicationForm) -> HttpResponse:
    context = {"form": form, "score": None}
    if not request.htmx:
        return render(request, PAGE, context, status=422)
    return retarget(render(request, f"{PAGE}#form", context, status=422), "#application-form")
