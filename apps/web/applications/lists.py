from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.credits.queries.applications import filtered_applications, visible_applications
from apps.credits.queries.inbox import inbox_of
from apps.decisions.queries.waiting import to_decide
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.applications.forms import ApplicationFilterForm
from apps.web.applications.presenters import application_lines
from apps.web.pages import cursor_page


@require_safe
@allow(Verb.READ_FILES)
def applications(request: ActorRequest) -> HttpResponse:
    form = ApplicationFilterForm(request.GET, actor=request.actor)
    valid = form.is_valid()
    rows = (
        filtered_applications(request.actor, form.wish())
        if valid
        else visible_applications(request.actor).none()
    )
    page = cursor_page(request, rows, key="applied_on")
    context = {
        "form": form,
        "may_enter": request.actor.may(Verb.EDIT_FILES),
        "filtered": valid and form.is_active,
        "applications": application_lines(page.rows, today=timezone.localdate()),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
    }
    template = "applications/list.html#results" if request.htmx else "applications/list.html"
    return render(request, template, context, status=200 if valid else 422)


@require_safe
@allow(Verb.READ_FILES)
def inbox(request: ActorRequest) -> HttpResponse:
    found, today = inbox_of(request.actor), timezone.localdate()
    waiting = to_decide(request.actor)
    context = {
        "is_empty": found.is_empty and waiting.is_empty,
        "returned": application_lines(found.returned, today=today),
        "awaiting": application_lines(waiting.applications, today=today),
        "overrides": application_lines(waiting.overrides, today=today),
        "reviews": application_lines(waiting.reviews, today=today),
        "drafts": application_lines(found.drafts, today=today),
    }
    return render(request, "applications/inbox.html", context)
