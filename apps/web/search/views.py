from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from apps.scoring.queries.search import recent_files, search_files
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.search.presenters import file_lines

PAGE = "search/results.html"
LONGEST = 100


@require_safe
@sensitive_variables("text")
@allow(Verb.READ_FILES)
def search(request: ActorRequest) -> HttpResponse:
    """Show what a text may mean, or the files opened last while nothing is typed."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    files = search_files(request.actor, text) if text else recent_files(request.actor)
    context = {"text": text, "files": file_lines(files)}
    return render(request, f"{PAGE}#results" if request.htmx else PAGE, context)
