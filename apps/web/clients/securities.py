"""Guarantees and credits elsewhere: added, released, closed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.credits.queries import applications_of, get_visible_external_credit, get_visible_guarantee
from apps.credits.services.external_credits import close_external_credit, save_external_credit
from apps.credits.services.guarantees import release_guarantee, save_guarantee
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.clients.editing import client_or_404
from apps.web.clients.forms import ExternalCreditForm, GuaranteeForm
from apps.web.forms import ServiceForm

OFFERED_APPLICATIONS = 10


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def guarantee_new(request: ActorRequest, uid: UUID) -> HttpResponse:
    client = client_or_404(request, uid)
    applications = list(applications_of(request.actor, client)[:OFFERED_APPLICATIONS])
    form = GuaranteeForm(request.POST or None, applications=applications)
    if request.method == "POST" and form.is_valid():
        try:
            save_guarantee(guarantee=form.filled(client), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The guarantee is entered."))
            return redirect(f"{reverse('web:client', args=[uid])}#guarantees")
    return _page(request, form, client=client, title=_("New guarantee"))


@require_POST
@allow(Verb.EDIT_FILES)
def guarantee_release(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        guarantee = get_visible_guarantee(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    release_guarantee(guarantee=guarantee, by=request.actor)
    messages.success(request, _("The guarantee is released."))
    return redirect(f"{reverse('web:client', args=[guarantee.client.uid])}#guarantees")


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def debt_new(request: ActorRequest, uid: UUID) -> HttpResponse:
    client = client_or_404(request, uid)
    form = ExternalCreditForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            save_external_credit(credit=form.filled(client), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The external credit is entered."))
            return redirect(f"{reverse('web:client', args=[uid])}#debts")
    return _page(request, form, client=client, title=_("New external credit"))


@require_POST
@allow(Verb.EDIT_FILES)
def debt_close(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        credit = get_visible_external_credit(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    close_external_credit(credit=credit, by=request.actor)
    messages.success(request, _("The external credit is closed."))
    return redirect(f"{reverse('web:client', args=[credit.client.uid])}#debts")


def _page(request: ActorRequest, form: ServiceForm, **context: Any) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, "clients/entry_form.html", {"form": form, **context}, status=status)
