from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.web.access import MEMBER, ActorRequest, allow
from apps.web.glossary.terms import by_name


@require_safe
@allow(MEMBER)
def glossary(request: ActorRequest) -> HttpResponse:
    return render(request, "glossary/list.html", {"terms": by_name()})
