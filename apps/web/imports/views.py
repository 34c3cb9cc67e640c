from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.credits import tasks
from apps.credits.enums import ImportMode
from apps.credits.importing import templates
from apps.credits.importing.registry import TARGETS, target_named
from apps.credits.importing.runs import (
    cancel_import,
    confirm_import,
    prepare_import,
    receive_import,
    rejects_of,
    settle_import,
    undo_import,
)
from apps.credits.importing.templates import TemplateKind
from apps.credits.queries.imports import get_visible_import, visible_imports
from apps.files.reading.dialects import Dialect
from apps.files.reading.wording import decisions
from apps.files.services import path_of
from apps.jobs.services import send_job
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.columns import ReadingForm
from apps.web.imports.forms import ConfirmForm, ImportColumnsForm, UploadForm
from apps.web.imports.presenters import import_lines, import_view
from apps.web.pages import cursor_page
from apps.web.spreadsheets import attached


@require_http_methods(["GET", "POST"])
@allow(Verb.IMPORT)
def imports(request: ActorRequest) -> HttpResponse:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            run = receive_import(upload=chosen["file"], target=chosen["target"], by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return redirect("web:import_columns", run.uid)
    page = cursor_page(request, visible_imports(request.actor))
    context = {
        "form": form,
        "targets": TARGETS,
        "imports": import_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
    }
    return render(request, "imports/list.html", context, status=422 if form.errors else 200)


@require_safe
@allow(Verb.IMPORT)
def import_template(request: ActorRequest, target: str) -> HttpResponse:
    kind: TemplateKind = "csv" if request.GET.get("type") == "csv" else "xlsx"
    try:
        found = templates.import_template(target=target, kind=kind)
    except ObjectNotFound as error:
        raise Http404 from error
    return attached(found.content, found.name, found.media_type)


@require_http_methods(["GET", "POST"])
@allow(Verb.IMPORT)
def import_columns(request: ActorRequest, uid: UUID) -> HttpResponse:
    run = _visible(request, uid)
    if not import_view(run).may_settle:
        return redirect("web:import", uid)
    try:
        found = Dialect.from_json(run.dialect)
        reading = ReadingForm(request.GET, found=found, path=path_of(run.source))
        prepared = prepare_import(run=run, dialect=reading.dialect())
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:imports") if not request.GET else redirect(request.path)
    known = target_named(run.target).fields()
    form = ImportColumnsForm(request.POST or None, prepared=prepared, known=known, told=run.common)
    if request.method == "POST" and form.is_valid() and _settled(request, run, form):
        return redirect("web:import", uid)
    context = {"run": run, "reading": reading, "form": form, "prepared": prepared}
    context["read_as"] = decisions(prepared.dialect)
    context["target"] = target_named(run.target)
    return render(request, "imports/columns.html", context, status=422 if form.errors else 200)


def _settled(request: ActorRequest, run: Any, form: ImportColumnsForm) -> bool:
    """Ask for the check of a file as it was settled; a refusal goes to the form."""
    try:
        found = settle_import(
            run=run,
            matches=form.matches(),
            dialect=form.prepared.dialect,
            common=form.common(),
            by=request.actor,
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return False
    send_job(job=found.job, task=tasks.check_import)
    return True


@require_safe
@allow(Verb.IMPORT)
def import_run(request: ActorRequest, uid: UUID) -> HttpResponse:
    run = _visible(request, uid)
    view = import_view(run)
    if run.job is None:
        return redirect("web:import_columns", uid)
    if request.htmx and not view.finished:
        return render(request, "imports/detail.html#progress", {"run": view})
    form = ConfirmForm(initial={"mode": ImportMode.VALID})
    answer = render(request, "imports/detail.html", {"run": view, "form": form})
    if request.htmx:  # the work has ended: the whole page tells what it gave
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
@allow(Verb.IMPORT)
def import_confirm(request: ActorRequest, uid: UUID) -> HttpResponse:
    run = _visible(request, uid)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return render(request, "imports/detail.html", {"run": import_view(run), "form": form}, status=422)
    chosen = form.cleaned_data
    try:
        found = confirm_import(
            run=run,
            mode=ImportMode(chosen["mode"]),
            keep_duplicates=chosen["keep_duplicates"],
            by=request.actor,
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        send_job(job=found.job, task=tasks.write_import)
    return redirect("web:import", uid)


@require_POST
@allow(Verb.IMPORT)
def import_cancel(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        cancel_import(run=_visible(request, uid), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The work stops. What is imported stays, and can be undone."))
    return redirect("web:import", uid)


@require_POST
@allow(Verb.IMPORT)
def import_undo(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        found = undo_import(run=_visible(request, uid), by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        send_job(job=found.job, task=tasks.undo_import)
    return redirect("web:import", uid)


@require_safe
@allow(Verb.IMPORT)
def import_rejects(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _file(request, uid)


@require_safe
@allow(Verb.IMPORT)
def import_report(request: ActorRequest, uid: UUID) -> HttpResponse:
    return _file(request, uid, report=True)


def _file(request: ActorRequest, uid: UUID, *, report: bool = False) -> HttpResponse:
    """Send the rows left out, or the problems one a line."""
    try:
        stored, path = rejects_of(run=_visible(request, uid), by=request.actor, report=report)
    except ObjectNotFound:
        raise Http404 from None
    sent = FileResponse(path.open("rb"), as_attachment=True, filename=stored.original_name)
    return cast("HttpResponse", sent)


def _visible(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_import(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
