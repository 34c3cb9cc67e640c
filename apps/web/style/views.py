from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.web.access import PERSON, allow
from apps.web.style.examples import charts, factors, refused_form, score, table, untouched_form


@require_safe
@allow(PERSON)
def style(request: HttpRequest) -> HttpResponse:
    """Show every component in its states; only where one develops."""
    if not settings.STYLE_PAGE:
        raise Http404
    context = {
        "form": untouched_form(),
        "refused": refused_form(),
        "scores": table(),
        "score": score(),
        "factors": factors(),
        "charts": charts(),
        "tones": ("info", "positive", "caution", "negative"),
        "bands": ("faible", "modere", "eleve"),
    }
    return render(request, "style/components.html", context)
