from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.institutions.queries import get_institution
from apps.jobs.services import send_job
from apps.reports.enums import OF_ONE, OF_PERIOD, ReportFormat, ReportKind
from apps.reports.queries.catalogue import (
    get_own_schedule,
    get_visible_report,
    headline_of,
    is_quick,
    own_schedules,
    visible_reports,
)
from apps.reports.renderers.paper import shown_facts, shown_sections
from apps.reports.renderers.pdf import can_write_pdf, unavailable_text
from apps.reports.rules import kinds_of, may_ask
from apps.reports.services.making import ask_report, make_at_once, open_report, preview, wish_for
from apps.reports.services.schedules import readers_of, schedule_report, stop_schedule
from apps.reports.tasks import write_report
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.reports.forms import ReportForm, ScheduleForm
from apps.web.reports.presenters import kind_lines, report_lines, report_view, schedule_lines


@require_safe
@allow(Verb.READ_REPORTS)
def reports(request: ActorRequest) -> HttpResponse:
    page = cursor_page(request, visible_reports(request.actor))
    context = {
        "kinds": kind_lines(kinds_of(request.actor)),
        "reports": report_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
    }
    return render(request, "reports/list.html", context)


@require_http_methods(["GET", "POST"])
@allow(Verb.READ_REPORTS)
def report_new(request: ActorRequest, kind: str) -> HttpResponse:
    _check_kind(request, kind)
    if kind in OF_ONE:
        return _sheet(request, kind)
    form = ReportForm(request.POST or request.GET or None, actor=request.actor, kind=kind)
    valid = not form.is_bound or form.is_valid()
    facts: Any = ()
    if valid:
        try:
            wish = wish_for(kind=kind, by=request.actor, **(form.wanted() if form.is_bound else form.usual()))
            if request.method == "POST":
                return _made(request, wish)
            facts = shown_facts(headline_of(wish), current_lang())
        except DomainError as refusal:
            form = _refused(form, request, kind, refusal)
    context = {"form": form, "kind": ReportKind(kind), "facts": facts, **_pdf()}
    return render(request, "reports/new.html", context, status=422 if form.errors else 200)


def _check_kind(request: ActorRequest, kind: str) -> None:
    if kind not in ReportKind:
        raise Http404
    if not may_ask(kind, request.actor):
        raise PermissionDenied


def _refused(form: ReportForm, request: ActorRequest, kind: str, refusal: DomainError) -> ReportForm:
    """Put a refusal on the form, on one that is bound: only such a form takes it."""
    if not form.is_bound:
        form = ReportForm(request.GET, actor=request.actor, kind=kind)
        form.is_valid()
    form.refuse(refusal)
    return form


def _pdf() -> dict[str, Any]:
    ready = can_write_pdf()
    return {"may_pdf": ready, "pdf_missing": "" if ready else unavailable_text()}


def _made(request: ActorRequest, wish: Any) -> HttpResponse:
    """Ask for a report: a quick file is sent at once, the others are followed on their page."""
    report = ask_report(wish=wish, format=request.POST.get("format", ""))
    if report.format != ReportFormat.PDF and is_quick(wish):
        return _sent(request, make_at_once(report=report, wish=wish))
    send_job(job=report.job, task=write_report)
    return redirect("web:report", report.uid)


def _sent(request: ActorRequest, report: Any) -> HttpResponse:
    stored, path = open_report(report=report, by=request.actor)
    sent = FileResponse(path.open("rb"), as_attachment=True, filename=stored.original_name)
    return cast("HttpResponse", sent)


def _sheet(request: ActorRequest, kind: str) -> HttpResponse:
    """Show a sheet or a letter as it will be printed, or have it written as PDF."""
    told = request.POST if request.method == "POST" else request.GET
    language = told.get("langue") or current_lang()
    try:
        subject = UUID(told.get("sujet", ""))
        wish = wish_for(kind=kind, by=request.actor, language=language, subject=subject)
    except (ValueError, ObjectNotFound):
        raise Http404 from None
    if request.method == "POST":
        return _made(request, wish)
    document = preview(wish)
    context = {
        "document": document,
        "sections": shown_sections(document),
        "institution": get_institution(request.actor.institution),
        "kind": kind,
        "subject": subject,
        "language": wish.lang,
        "other": "en" if wish.lang == "fr" else "fr",
        **_pdf(),
    }
    return render(request, "reports/sheet.html", context)


@require_safe
@allow(Verb.READ_REPORTS)
def report(request: ActorRequest, uid: UUID) -> HttpResponse:
    view = report_view(_visible(request, uid))
    if request.htmx and not view.finished:
        return render(request, "reports/detail.html#progress", {"report": view})
    answer = render(request, "reports/detail.html", {"report": view})
    if request.htmx:  # it is ready, or has failed: the whole page says so
        answer["HX-Refresh"] = "true"
    return answer


@require_safe
@allow(Verb.READ_REPORTS)
def report_file(request: ActorRequest, uid: UUID) -> HttpResponse:
    found = _visible(request, uid)
    try:
        return _sent(request, found)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:report", uid)


@require_safe
@allow(Verb.READ_REPORTS)
def report_schedules(request: ActorRequest) -> HttpResponse:
    page = cursor_page(request, own_schedules(request.actor))
    context = {
        "schedules": schedule_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
        "kinds": kind_lines(kinds_of(request.actor)),
    }
    return render(request, "reports/schedules.html", context)


@require_http_methods(["GET", "POST"])
@allow(Verb.READ_REPORTS)
def report_schedule(request: ActorRequest, kind: str) -> HttpResponse:
    _check_kind(request, kind)
    if kind not in OF_PERIOD:
        raise Http404
    readers = readers_of(kind, request.actor)
    sent = request.POST if request.method == "POST" else None
    form = ScheduleForm(sent, actor=request.actor, kind=kind, readers=readers)
    if form.is_valid():
        try:
            schedule_report(kind=kind, by=request.actor, **form.wanted())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The report is scheduled."))
            return redirect("web:report_schedules")
    context = {"form": form, "kind": ReportKind(kind), **_pdf()}
    return render(request, "reports/schedule.html", context, status=422 if form.errors else 200)


@require_POST
@allow(Verb.READ_REPORTS)
def report_schedule_stop(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        stop_schedule(schedule=get_own_schedule(request.actor, uid), by=request.actor)
    except ObjectNotFound:
        raise Http404 from None
    messages.success(request, _("This report is no longer made. Those already made stay until their day."))
    return redirect("web:report_schedules")


def _visible(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_report(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
