"""The editor of scorecards written by people: each saving is a new version."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.engine.expert import ExpertCard
from apps.registry.services.exporting import expert_card_of
from apps.registry.services.importing import next_version, write_scorecard
from apps.tenancy.errors import DomainError
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.registry.forms import ScorecardForm, chosen_variables, variable_choices
from apps.web.registry.views import version_or_404

FIRST_NAME = "grille-experte"


@require_http_methods(["GET", "POST"])
@allow(Verb.PROPOSE_MODEL)
def scorecard_new(request: ActorRequest) -> HttpResponse:
    card = _taken_up(request)
    names = request.POST.getlist("variable") or request.GET.getlist("variable")
    if not names and card is not None:
        names = [bins.name for bins in card.variables]
    variables = chosen_variables(names)
    name = card.name if card else FIRST_NAME
    initial = {"name": name, "version": next_version(name), "rate": 10.0}
    data = request.POST if request.method == "POST" else None
    form = ScorecardForm(data, variables=variables, initial=initial, card=card)
    if form.is_valid() and form.card is not None:
        try:
            version = write_scorecard(card=form.card, by=request.actor, segment=form.cleaned_data["segment"])
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return redirect("web:model", version.uid)
    context = {"form": form, "choices": _choices(variables), "taken_up": request.GET.get("depuis", "")}
    return render(request, "registry/scorecard.html", context, status=422 if form.errors else 200)


def _taken_up(request: ActorRequest) -> ExpertCard | None:
    """Return the scorecard that the new one starts from, if the address names one."""
    given = request.GET.get("depuis")
    if not given:
        return None
    try:
        uid = UUID(given)
    except ValueError:
        raise Http404 from None
    return expert_card_of(version_or_404(uid))


def _choices(chosen: Any) -> list[dict[str, Any]]:
    used = {variable.name for variable in chosen}
    lang = current_lang()
    return [
        {"name": variable.name, "label": variable.label(lang), "chosen": variable.name in used}
        for variable in variable_choices()
    ]
