from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.credits.queries.inbox import inbox_of
from apps.decisions.queries.waiting import files_to_decide
from apps.scoring.queries.scores import my_predictions
from apps.tenancy.roles import Verb
from apps.web.access import MEMBER, ActorRequest, allow
from apps.web.applications.presenters import application_lines
from apps.web.home.presenters import by_agency, figures_of, tasks_of
from apps.web.home.visit import visit_of
from apps.web.scoring.presenters import score_lines

RECENT = 5


@require_safe
@allow(MEMBER)
def home(request: ActorRequest) -> HttpResponse:
    actor, today = request.actor, timezone.localdate()
    inbox, decides = inbox_of(actor), actor.may(Verb.DECIDE)
    awaiting = files_to_decide(actor).order_by("applied_on", "uid")[:RECENT] if decides else []
    pressing = [*inbox.returned, *awaiting, *inbox.drafts][:RECENT]
    reads_files = actor.may(Verb.READ_FILES)
    context = {
        "today": today,
        "visit": visit_of(actor),
        "tasks": tasks_of(actor),
        "pressing": application_lines(pressing, today=today),
        "figures": figures_of(actor, today=today),
        "agencies": [] if reads_files else by_agency(actor, today=today),
        "scores": score_lines(my_predictions(actor)[:RECENT]) if actor.may(Verb.SCORE) else [],
        "may_score": actor.may(Verb.SCORE),
        "may_edit": actor.may(Verb.EDIT_FILES),
        "may_audit": actor.may(Verb.READ_AUDIT),
        "may_administer": actor.may(Verb.ADMINISTER),
    }
    return render(request, "web/home.html", context)
