from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.credits.queries.quality import agency_qualities
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.quality.presenters import agency_lines, whole_view


@require_safe
@allow(Verb.READ_REPORTS)
def quality(request: ActorRequest) -> HttpResponse:
    whole, agencies = agency_qualities(request.actor)
    context = {"whole": whole_view(whole), "agencies": agency_lines(agencies)}
    return render(request, "quality/agencies.html", context)
