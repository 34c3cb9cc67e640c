from typing import Any

from django.db import transaction
from django.forms.utils import ErrorList
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import retarget

from apps.credits.services.applications import enter_application
from apps.scoring.services.scores import score_application
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.credits.example import example_values
from apps.web.credits.forms import ApplicationForm, field_problems
from apps.web.credits.known import known_values
from apps.web.drafts.offers import forget_draft, offer_draft
from apps.web.scoring.presenters import score_sheet

PAGE = "credits/application_form.html"
DRAFT = "demande"


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def application_new(request: ActorRequest) -> HttpResponse:
    if request.method == "POST":
        return _score(request)
    draft = offer_draft(request, DRAFT)
    form = ApplicationForm(actor=request.actor, initial={**_initial(request), **draft.initial})
    return render(request, PAGE, {"form": form, "score": None, "draft": draft})


@allow(Verb.EDIT_FILES)  # before the method: whoever may not enter files learns nothing more
@require_POST
@sensitive_post_parameters()
def field_check(request: ActorRequest) -> HttpResponse:
    """Say what is wrong with one field as it stands, as the whole form would; nothing when it is right."""
    name = request.POST.get("champ", "")
    problems = field_problems(name, request.POST.get("valeur", ""), actor=request.actor)
    return HttpResponse(ErrorList(problems, field_id=f"id_{name}").render())


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
            forget_draft(request, DRAFT, uid=application.uid)
    except DomainError as refusal:
        form.refuse(refusal)
        return _refused(request, form)
    page = f"{PAGE}#result" if request.htmx else PAGE
    draft = offer_draft(request, DRAFT, uid=application.uid)
    return render(request, page, {"form": form, "score": score_sheet(prediction), "draft": draft})


def _refused(request: ActorRequest, form: ApplicationForm) -> HttpResponse:
    draft = offer_draft(request, DRAFT, uid=form["uid"].value())
    context = {"form": form, "score": None, "draft": draft}
    if not request.htmx:
        return render(request, PAGE, context, status=422)
    return retarget(render(request, f"{PAGE}#form", context, status=422), "#application-form")
