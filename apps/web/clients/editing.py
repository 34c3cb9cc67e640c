"""Opening and changing a client's file, confirming its data, noting consents."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.audit.services import record_read
from apps.credits.enums import ConsentMethod, ConsentPurpose
from apps.credits.errors import PossibleDuplicate
from apps.credits.queries.clients import get_visible_client, kept_file
from apps.credits.queries.privacy import privacy_notice
from apps.credits.services.clients import (
    allow_offers,
    confirm_client_data,
    create_client,
    give_consent,
    refuse_offers,
    update_client,
    withdraw_consent,
)
from apps.tenancy.errors import ChangedMeanwhile, DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.clients.forms import ClientForm, ConsentForm
from apps.web.clients.presenters import paragraphs_of

PAGE = "clients/form.html"


def client_or_404(request: ActorRequest, uid: UUID) -> Any:
    """Return a client that the actor sees, or the one it was merged into; raise ``Http404``."""
    try:
        client = kept_file(request.actor, get_visible_client(request.actor, uid=uid))
    except ObjectNotFound:
        raise Http404 from None
    if client is None:
        raise Http404
    return client


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def client_new(request: ActorRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, ClientForm(actor=request.actor))
    form = ClientForm(request.POST, actor=request.actor)
    if not form.is_valid():
        return _page(request, form)
    try:
        client = create_client(
            client=form.filled(),
            by=request.actor,
            despite_duplicates="despite_duplicates" in request.POST,
        )
    except PossibleDuplicate as refusal:
        return _page(request, form, found=refusal.found)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(request, form)
    messages.success(request, _("The client's file is open."))
    return redirect("web:client", client.uid)


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def client_edit(request: ActorRequest, uid: UUID) -> HttpResponse:
    client = client_or_404(request, uid)
    if request.method != "POST":
        record_read(by=request.actor, target=client)
        return _page(request, ClientForm(actor=request.actor, client=client), client=client)
    form = ClientForm(request.POST, actor=request.actor, client=client)
    if not form.is_valid():
        return _page(request, form, client=client)
    try:
        version = form.cleaned_data["version"]
        update_client(client=form.filled(client_or_404(request, uid)), version=version, by=request.actor)
    except DomainError as refusal:
        form.refuse(refusal)
        if isinstance(refusal, ChangedMeanwhile):
            form.take_version(client)
        changed = isinstance(refusal, ChangedMeanwhile)
        return _page(request, form, client=client, changed=changed)
    messages.success(request, _("The client's file is up to date."))
    return redirect("web:client", uid)


def _page(request: ActorRequest, form: ClientForm, **context: Any) -> HttpResponse:
    refused = form.is_bound
    context |= {"form": form, "notice": paragraphs_of(privacy_notice())}
    return render(request, PAGE, context, status=422 if refused else 200)


@require_POST
@allow(Verb.EDIT_FILES)
def client_confirm(request: ActorRequest, uid: UUID) -> HttpResponse:
    confirm_client_data(client=client_or_404(request, uid), by=request.actor)
    messages.success(request, _("The data are confirmed as of today."))
    return redirect("web:client", uid)


@require_POST
@allow(Verb.EDIT_FILES)
def client_consent(request: ActorRequest, uid: UUID) -> HttpResponse:
    client = client_or_404(request, uid)
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    purpose, method = ConsentPurpose(form.cleaned_data["purpose"]), form.cleaned_data["method"]
    try:
        if method:
            give_consent(client=client, purpose=purpose, method=ConsentMethod(method), by=request.actor)
            messages.success(request, _("The consent is noted."))
        else:
            withdraw_consent(client=client, purpose=purpose, by=request.actor)
            messages.success(request, _("The withdrawal of the consent is noted."))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("web:client", uid)


@require_POST
@allow(Verb.EDIT_FILES)
def client_offers(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Note that the client objects to offers, or no longer does."""
    client = client_or_404(request, uid)
    note, told = (
        (refuse_offers, _("The objection to offers is noted."))
        if request.POST.get("refused") == "1"
        else (allow_offers, _("The client may be contacted with offers again."))
    )
    try:
        note(client=client, by=request.actor)
        messages.success(request, told)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("web:client", uid)
