from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.credits.queries.dictionary import dictionary_entries, get_entry, revisions_of
from apps.credits.services.dictionary import change_variable, declare_variable, retire_variable
from apps.scoring.queries.production import variables_in_production
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.dictionary import presenters
from apps.web.dictionary.forms import DeclareForm, RetireForm, UpdateForm

HISTORY = 50


@require_safe
@allow(Verb.READ_REPORTS)
def dictionary(request: ActorRequest) -> HttpResponse:
    """Show every variable, whose it is, why it is asked and whether a model in production reads it."""
    context = {
        "groups": presenters.groups(dictionary_entries(retired=True), variables_in_production()),
        "may_define": request.actor.may(Verb.DEFINE_VARIABLES),
    }
    return render(request, "dictionary/list.html", context)


@require_http_methods(["GET", "POST"])
@allow(Verb.DEFINE_VARIABLES)
def variable_new(request: ActorRequest) -> HttpResponse:
    """Declare a variable of the institution's own."""
    form = DeclareForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = declare_variable(draft=form.draft(), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Variable declared: forms and imports ask for it from now on."))
            return redirect("web:variable", row.name)
    return render(request, "dictionary/declare.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@allow(Verb.READ_REPORTS)
def variable(request: ActorRequest, name: str) -> HttpResponse:
    """Show one variable and everything that was decided of it."""
    entry, used = _entry(name), variables_in_production()
    revisions = revisions_of(entry.row)[:HISTORY] if entry.row is not None else []
    context = {
        "line": presenters.entry_line(entry, used),
        "facts": presenters.facts(entry, used),
        "history": presenters.revision_lines(revisions),
        "may_define": request.actor.may(Verb.DEFINE_VARIABLES) and not entry.retired,
        "may_retire": entry.own,
    }
    return render(request, "dictionary/detail.html", context)


@require_http_methods(["GET", "POST"])
@allow(Verb.DEFINE_VARIABLES)
def variable_edit(request: ActorRequest, name: str) -> HttpResponse:
    """Change what may change of a variable."""
    entry = _entry(name)
    if entry.retired:
        raise Http404
    form = UpdateForm(request.POST if request.method == "POST" else None, entry=entry)
    if form.is_valid():
        try:
            used = variables_in_production()
            change_variable(name=name, update=form.update(), by=request.actor, used=used)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Variable changed."))
            return redirect("web:variable", name)
    return _form_page(request, "dictionary/edit.html", entry, form)


@require_http_methods(["GET", "POST"])
@allow(Verb.DEFINE_VARIABLES)
def variable_retire(request: ActorRequest, name: str) -> HttpResponse:
    """Retire a variable of the institution's own, with a reason."""
    entry = _entry(name)
    if entry.retired or not entry.own:
        raise Http404
    form = RetireForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            used = variables_in_production()
            retire_variable(name=name, reason=form.cleaned_data["reason"], by=request.actor, used=used)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Variable retired: what was stored of it stays."))
            return redirect("web:variable", name)
    return _form_page(request, "dictionary/retire.html", entry, form)


def _form_page(request: ActorRequest, template: str, entry: Any, form: Any) -> HttpResponse:
    context = {"form": form, "line": presenters.entry_line(entry, ())}
    return render(request, template, context, status=422 if form.errors else 200)


def _entry(name: str) -> Any:
    try:
        return get_entry(name)
    except ObjectNotFound:
        raise Http404 from None
