from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.decisions.queries.limits import all_motives, get_motive, limit_history, limits_on
from apps.decisions.rules import deciding_roles
from apps.decisions.services.limits import add_motive, set_limit, switch_motive
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.decisions import presenters
from apps.web.decisions.forms import LimitForm, MotiveForm

HISTORY = 30


@require_safe
@allow(Verb.READ_AUDIT)
def limits(request: ActorRequest) -> HttpResponse:
    """Show up to which amount each role decides, since when, and the motives."""
    return _page(request)


@allow(Verb.ADMINISTER)
@require_POST
def limit_set(request: ActorRequest) -> HttpResponse:
    form = LimitForm(request.POST)
    return _written(request, form, set_limit, _("The limit is written."), limit_form=form)


@allow(Verb.ADMINISTER)
@require_POST
def motive_add(request: ActorRequest) -> HttpResponse:
    form = MotiveForm(request.POST, auto_id="motif_%s")
    return _written(request, form, add_motive, _("The motive is added."), motive_form=form)


@require_POST
@allow(Verb.ADMINISTER)
def motive_switch(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        motive = get_motive(uid)
    except ObjectNotFound:
        raise Http404 from None
    switch_motive(motive=motive, in_use=motive.retired_at is not None, by=request.actor)
    messages.success(request, _("The motives are up to date."))
    return redirect("web:limits")


def _written(request: ActorRequest, form: Any, service: Any, done: str, **forms: Any) -> HttpResponse:
    if form.is_valid():
        try:
            service(by=request.actor, **form.cleaned_data)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, done)
            return redirect("web:limits")
    return _page(request, status=422, **forms)


def _page(
    request: ActorRequest, *, status: int = 200, limit_form: Any = None, motive_form: Any = None
) -> HttpResponse:
    context = {
        "in_force": presenters.limits_in_force(limits_on(timezone.localdate()), deciding_roles()),
        "history": presenters.limit_lines(limit_history()[:HISTORY]),
        "motives": presenters.motives_by_kind(all_motives()),
        "may_write": request.actor.may(Verb.ADMINISTER),
        "limit_form": limit_form or LimitForm(),
        "motive_form": motive_form or MotiveForm(auto_id="motif_%s"),
    }
    return render(request, "decisions/limits.html", context, status=status)
