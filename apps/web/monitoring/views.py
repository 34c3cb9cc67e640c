from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.monitoring.queries import watch_of, watched_versions
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.monitoring import presenters
from apps.web.registry.views import version_or_404


@require_safe
@allow(Verb.READ_REPORTS)
def monitoring(request: ActorRequest) -> HttpResponse:
    """Show how the institution's champion does; a page that says so without one."""
    versions = watched_versions()
    return _page(request, versions[0] if versions else None, versions)


@require_safe
@allow(Verb.READ_REPORTS)
def model_monitoring(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Show how one version does, or did while it was watched."""
    return _page(request, version_or_404(uid), watched_versions())


def _page(request: ActorRequest, version: Any, versions: list[Any]) -> HttpResponse:
    context: dict[str, Any] = {"versions": presenters.choices(versions, version)}
    if version is not None:
        watch = watch_of(version, request.actor)
        part = presenters.part_asked(request.GET.get("vue", ""))
        context |= {
            "head": presenters.head_of(watch),
            "parts": presenters.part_links(version, part),
            "part": part,
            **presenters.part_of(watch, part),
        }
    return render(request, "monitoring/detail.html", context)


@require_safe
@allow(Verb.READ_REPORTS)
def model_monitoring_csv(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Give every figure of the last night as a file for a spreadsheet."""
    version = version_or_404(uid)
    watch = watch_of(version, request.actor)
    response = HttpResponse(presenters.csv_file(watch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{presenters.file_name(watch)}"'
    return response
