"""Files that may be of one person: found, compared, merged, told apart."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.audit.services import record_read
from apps.credits.enums import Likeness
from apps.credits.models import Client
from apps.credits.queries.clients import duplicates_of, get_visible_client, kept_file
from apps.credits.queries.duplicates import duplicate_pairs, holdings_of, likenesses, told_apart
from apps.credits.rules import can_merge
from apps.credits.services.duplicates import keep_apart, merge_clients, part_clients
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.clients.comparison import alike_words, compared_rows, pair_lines
from apps.web.clients.forms import OtherFileForm

CRITERIA = {each.value: each for each in Likeness}


@require_safe
@allow(Verb.EDIT_FILES)
def duplicates(request: ActorRequest) -> HttpResponse:
    likeness = CRITERIA.get(request.GET.get("critere", ""), Likeness.DOCUMENT)
    try:
        after = UUID(request.GET["apres"]) if "apres" in request.GET else None
        page = duplicate_pairs(request.actor, likeness, after=after)
    except (ValueError, ObjectNotFound):
        raise Http404 from None
    address = f"{reverse('web:duplicates')}?critere={likeness.value}"
    context = {
        "criteria": Likeness.choices,
        "criterion": likeness.value,
        "pairs": pair_lines(page.pairs),
        "next_url": f"{address}&apres={page.after}" if page.after else None,
    }
    return render(request, "clients/duplicates.html", context)


@require_safe
@allow(Verb.EDIT_FILES)
def client_duplicates(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show a file beside another: the one asked for, or the first that looks like it."""
    client = _file_or_404(request, uid)
    form = OtherFileForm(request.GET or None)
    others = [each for each in duplicates_of(request.actor, client).clients if not client.merged_into_id]
    other = _other(request, form, client) or next(iter(others), None)
    record_read(by=request.actor, target=client)
    context: dict[str, Any] = {"client": client, "form": form, "others": others, "other": other}
    if other is not None:
        record_read(by=request.actor, target=other)
        held = holdings_of(client, other)
        context |= {
            "files": sorted((client, other), key=lambda each: (-held[each.pk].applications, each.pk)),
            "rows": compared_rows(client, other, held),
            "alike": alike_words(likenesses(client, other)),
            "told_apart": told_apart(*sorted((client, other), key=lambda each: each.pk)),
            "is_merged": bool(client.merged_into_id or other.merged_into_id),
            "may_merge": can_merge(request.actor, client, other),
        }
    return render(request, "clients/compare.html", context, status=422 if form.errors else 200)


def _file_or_404(request: ActorRequest, uid: UUID) -> Client:
    try:
        return get_visible_client(request.actor, uid=uid)
    except ObjectNotFound:
        raise Http404 from None


def _other(request: ActorRequest, form: OtherFileForm, client: Client) -> Client | None:
    """Return the file asked for by its identifier or its reference; tell when there is none."""
    if not form.is_valid():
        return None
    uid, reference = form.cleaned_data["avec"], form.cleaned_data["reference"]
    if uid is None and not reference:
        return None
    try:
        other = get_visible_client(request.actor, uid=uid, reference=reference)
    except ObjectNotFound as refusal:
        form.add_error("reference", refusal.message)
        return None
    if other.pk == client.pk:
        form.add_error("reference", _("These are one and the same file."))
        return None
    return other


@require_POST
@allow(Verb.EDIT_FILES)
def client_merge(request: ActorRequest, uid: UUID) -> HttpResponse:
    client, other = _file_or_404(request, uid), _posted_file(request, "autre")
    kept = other if request.POST.get("garde") == str(other.uid) else client
    gone = client if kept is other else other
    try:
        merge_clients(gone=gone, kept=kept, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(_beside(client, other))
    messages.success(request, _("The files are merged. You may undo it from the file that was kept."))
    return redirect("web:client", kept.uid)


@require_POST
@allow(Verb.EDIT_FILES)
def client_keep_apart(request: ActorRequest, uid: UUID) -> HttpResponse:
    client, other = _file_or_404(request, uid), _posted_file(request, "autre")
    try:
        keep_apart(first=client, second=other, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(_beside(client, other))
    messages.success(request, _("These two files are no longer shown as duplicates."))
    return redirect("web:duplicates")


@require_POST
@allow(Verb.EDIT_FILES)
def client_part(request: ActorRequest, uid: UUID) -> HttpResponse:
    client = _file_or_404(request, uid)
    kept = kept_file(request.actor, client) or client
    try:
        part_clients(client=client, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The merging is undone: both files stand again."))
    return redirect("web:client", kept.uid)


def _posted_file(request: HttpRequest, name: str) -> Client:
    try:
        return _file_or_404(request, UUID(request.POST.get(name, "")))  # type: ignore[arg-type]
    except ValueError:
        raise Http404 from None


def _beside(client: Client, other: Client) -> str:
    return f"{reverse('web:client_duplicates', args=[client.uid])}?avec={other.uid}"
