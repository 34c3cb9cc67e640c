from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.audit.queries import (
    audit_entries,
    findings,
    get_audit_entry,
    institution_trail,
    sealed_count,
    unsealed,
)
from apps.audit.services import record
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.audit.forms import AuditFilterForm
from apps.web.audit.presenters import entry_lines, entry_rows, entry_sheet
from apps.web.pages import cursor_page
from apps.web.spreadsheets import csv_answer

#: The file is made in memory, inside the institution's scope: about 400 bytes a line, 20 MB at most.
EXPORT_LIMIT = 50_000
#: What a page may check while somebody waits (about a second); the command checks the whole.
CHECKED_ON_PAGE = 10_000
SHOWN_FINDINGS = 100


@require_safe
@allow(Verb.READ_AUDIT)
def audit(request: ActorRequest) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    valid = form.is_valid()
    entries = audit_entries(**form.limits()) if valid else audit_entries().none()
    page = cursor_page(request, entries, key="at")
    context = {
        "form": form,
        "entries": entry_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "query": request.GET.urlencode(),
        "sealed": sealed_count(),
    }
    return render(request, "audit/list.html", context, status=200 if valid else 422)


@require_safe
@allow(Verb.READ_AUDIT)
def audit_entry(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        entry = get_audit_entry(uid)
    except ObjectNotFound:
        raise Http404 from None
    context = {"entry": entry_sheet(entry), "may_replay": request.actor.may(Verb.REPLAY)}
    return render(request, "audit/detail.html", context)


@require_safe
@allow(Verb.READ_AUDIT)
def audit_check(request: ActorRequest) -> HttpResponse:
    trail, sealed = institution_trail(), sealed_count()
    found = [str(finding) for finding in findings(trail, latest=CHECKED_ON_PAGE)]
    context = {
        "found": found[:SHOWN_FINDINGS],
        "count": len(found),
        "sealed": sealed,
        "checked": min(sealed, CHECKED_ON_PAGE),
        "waiting": unsealed(trail).count(),
        "now": timezone.now(),
    }
    return render(request, "audit/check.html", context)


@require_safe
@allow(Verb.READ_AUDIT)
def audit_export(request: ActorRequest) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    entries = audit_entries(**form.limits()) if form.is_valid() else audit_entries().none()
    count = entries.count()
    if not form.is_valid() or count > EXPORT_LIMIT:
        messages.error(request, _("This is too much for one file: choose a shorter period."))
        return redirect(f"{request.path.removesuffix('/export')}?{request.GET.urlencode()}")
    rows = list(entry_rows(entries.order_by("at", "uid").iterator(chunk_size=2_000)))
    filters = {name: str(value) for name, value in form.cleaned_data.items() if value}
    record(by=request.actor, action="audit.export", after={"rows": count, "filters": filters})
    return csv_answer(f"audit-{timezone.localdate():%Y-%m-%d}.csv", rows)
