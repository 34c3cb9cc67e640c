from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.audit.services import record_read
from apps.credits.enums import ConsentMethod
from apps.credits.queries.applications import applications_of, client_statistics
from apps.credits.queries.clients import (
    consent_months,
    filtered_clients,
    get_visible_client,
    kept_file,
    merged_files,
    stale_before,
)
from apps.credits.queries.ledger import credits_of, ledgers_of
from apps.credits.queries.privacy import privacy_notice
from apps.credits.queries.quality import quality_of
from apps.credits.queries.securities import external_credits_of, guarantees_of
from apps.credits.rules import can_edit_file, can_merge
from apps.decisions.queries.decisions import decisions_of_client
from apps.scoring.queries.scores import scores_of_client
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.clients import presenters
from apps.web.clients.comparison import merged_lines
from apps.web.clients.forms import ClientFilterForm
from apps.web.ledger.presenters import credit_lines
from apps.web.pages import cursor_page
from apps.web.quality.presenters import quality_view

SHOWN_EVENTS = 50


@require_safe
@allow(Verb.READ_FILES)
def clients(request: ActorRequest) -> HttpResponse:
    form = ClientFilterForm(request.GET, actor=request.actor)
    wish = form.cleaned_data if form.is_valid() else {}
    old = stale_before()
    rows = filtered_clients(
        request.actor,
        text=wish.get("q", ""),
        agency=wish.get("agence"),
        confirmed_before=old if wish.get("a_confirmer") else None,
    )
    page = cursor_page(request, rows, key="search_name", ascending=True)
    context = {
        "form": form,
        "clients": presenters.client_lines(page.rows, stale_before=old),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "filtered": any(wish.values()),
        "may_edit": request.actor.may(Verb.EDIT_FILES),
        "may_report": request.actor.may(Verb.READ_REPORTS),
    }
    part = "#list" if request.htmx and not request.htmx.history_restore_request else ""
    return render(request, f"clients/list.html{part}", context)


@require_safe
@allow(Verb.READ_FILES)
def client(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        shown = get_visible_client(request.actor, uid=uid)
    except ObjectNotFound:
        raise Http404 from None
    kept = kept_file(request.actor, shown)
    if kept is not None and kept is not shown:
        messages.info(request, _("%(reference)s was merged into this file.") % {"reference": shown.reference})
        return redirect("web:client", kept.uid)
    record_read(by=request.actor, target=shown)
    return render(request, "clients/detail.html", _file(request, shown))


def _file(request: ActorRequest, shown: Any) -> dict[str, Any]:
    is_stale = shown.data_updated_on < stale_before()
    months = consent_months()
    merged = merged_files(shown)
    person = [shown, *merged]
    scores = list(scores_of_client(request.actor, *person)[:SHOWN_EVENTS])
    applications = applications_of(request.actor, *person)[:SHOWN_EVENTS]
    decisions = decisions_of_client(request.actor, *person)[:SHOWN_EVENTS]
    own = list(credits_of(request.actor, *person)[:SHOWN_EVENTS])
    in_use = shown.merged_into_id is None
    return {
        "client": shown,
        "credits": credit_lines(own, ledgers_of(own)),
        "is_stale": is_stale,
        "marks": presenters.marks_of(shown, is_stale=is_stale, consent_months=months),
        "identity": presenters.identity_of(shown),
        "work": presenters.work_of(shown),
        "consents": presenters.consents_of(shown, months=months),
        "methods": ConsentMethod.choices,
        "guarantees": presenters.guarantee_lines(guarantees_of(*person)),
        "debts": presenters.debts_of(external_credits_of(*person)),
        "events": presenters.timeline_of(applications, scores, decisions),
        "evolution": presenters.evolution_of(scores),
        "latest": scores[0] if scores else None,
        "figures": presenters.figures_of(client_statistics(*person)),
        "notice": presenters.paragraphs_of(privacy_notice()),
        "quality": quality_view(quality_of(shown)) if in_use else None,
        "merged": merged_lines(merged, kept=shown, may_part=partial(can_merge, request.actor)),
        "is_merged": not in_use,
        "may_edit": in_use and can_edit_file(request.actor, shown),
        "may_enter": in_use and request.actor.may(Verb.EDIT_FILES),
    }
