from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.files.queries import get_visible_file
from apps.files.reading.wording import decisions
from apps.files.services import path_of, store_upload
from apps.jobs.services import send_job
from apps.scoring.queries.batches import get_visible_batch, visible_batches
from apps.scoring.services.batches import (
    cancel_batch,
    dialect_of,
    prepare,
    result_of,
    retry_batch,
    start_batch,
)
from apps.scoring.tasks import score_file
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.batches.forms import MappingForm, UploadForm
from apps.web.batches.presenters import batch_lines, batch_view, summary_view
from apps.web.columns import ReadingForm
from apps.web.pages import cursor_page


@require_http_methods(["GET", "POST"])
@allow(Verb.IMPORT)
def batches(request: ActorRequest) -> HttpResponse:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent)
    if form.is_valid():
        try:
            stored = store_upload(upload=form.cleaned_data["file"], purpose="batch", by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return redirect("web:batch_prepare", stored.uid)
    page = cursor_page(request, visible_batches(request.actor))
    context = {
        "form": form,
        "batches": batch_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
    }
    return render(request, "batches/list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@allow(Verb.IMPORT)
def batch_prepare(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        stored = get_visible_file(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    if stored.purpose != "batch":
        raise Http404
    try:
        reading = ReadingForm(request.GET, found=dialect_of(stored), path=path_of(stored))
        prepared = prepare(stored=stored, dialect=reading.dialect())
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(request.path)
    form = MappingForm(request.POST or None, prepared=prepared)
    if request.method == "POST" and form.is_valid():
        batch = _started(request, stored, form)
        if batch is not None:
            return redirect("web:batch", batch.uid)
    context = {"stored": stored, "reading": reading, "form": form, "prepared": prepared}
    context["read_as"] = decisions(prepared.dialect)
    return render(request, "batches/prepare.html", context, status=422 if form.errors else 200)


def _started(request: ActorRequest, stored: Any, form: MappingForm) -> Any:
    """Begin the scoring of a file as it was settled; a refusal goes to the form."""
    try:
        batch = start_batch(
            stored=stored,
            by=request.actor,
            matches=form.matches(),
            dialect=form.prepared.dialect,
            output=form.cleaned_data["output"],
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return None
    send_job(job=batch.job, task=score_file)
    return batch


@require_safe
@allow(Verb.IMPORT)
def batch(request: ActorRequest, uid: UUID) -> HttpResponse:
    found = _visible(request, uid)
    view = batch_view(found, request.actor)
    if request.htmx and not view.finished:
        return render(request, "batches/detail.html#progress", {"batch": view})
    context = {"batch": view, "summary": summary_view(found)}
    answer = render(request, "batches/detail.html", context)
    if request.htmx:  # the work has ended: the whole page tells what it gave
        answer["HX-Refresh"] = "true"
    return answer


@require_safe
@allow(Verb.IMPORT)
def batch_result(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        result, path = result_of(batch=_visible(request, uid), by=request.actor)
    except ObjectNotFound:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:batch", uid)
    sent = FileResponse(path.open("rb"), as_attachment=True, filename=result.original_name)
    return cast("HttpResponse", sent)


@require_POST
@allow(Verb.IMPORT)
def batch_cancel(request: ActorRequest, uid: UUID) -> HttpResponse:
    try:
        cancel_batch(batch=_visible(request, uid), by=request.actor)
    except ObjectNotFound:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The scoring of the file stops. What is scored stays stored."))
    return redirect("web:batch", uid)


@require_POST
@allow(Verb.IMPORT)
def batch_retry(request: ActorRequest, uid: UUID) -> HttpResponse:
    found = _visible(request, uid)
    try:
        retry_batch(batch=found, by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        send_job(job=found.job, task=score_file)
        messages.success(request, _("The scoring of the file starts again where it stopped."))
    return redirect("web:batch", uid)


def _visible(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_batch(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
