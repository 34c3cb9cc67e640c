from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from celery import current_app
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display

from apps.audit.services import record_platform
from apps.jobs.enums import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import request_cancel, retry_job, send_job, task_of
from apps.tenancy.actor import Actor
from apps.tenancy.admin import ReasonForm, RuledAdmin, act_on_each, reason_of
from apps.tenancy.context import tenant_scope

COLOURS = {
    JobStatus.QUEUED: "info",
    JobStatus.RUNNING: "primary",
    JobStatus.DONE: "success",
    JobStatus.FAILED: "danger",
    JobStatus.CANCELLED: "warning",
}


@admin.register(Job)
class JobAdmin(RuledAdmin):
    """The background works of every institution, for the operator: cancel, try again, with a reason."""

    reads = ("operator",)
    ordering = ("-pk",)
    action_form = ReasonForm
    actions = ("cancel", "try_again")
    list_display = (
        "shown_kind",
        "institution",
        "shown_status",
        "progress",
        "attempts",
        "created_at",
        "finished_at",
    )
    list_filter = ("status",)
    list_select_related = ("institution",)
    sortable_by = ()
    prefixes = ("kind",)
    fields = (
        "shown_kind",
        "institution",
        "shown_status",
        "progress",
        "attempts",
        "error",
        "created_at",
        "started_at",
        "heartbeat_at",
        "cancel_requested_at",
        "finished_at",
    )

    @display(description=gettext_lazy("kind"))
    def shown_kind(self, job: Job) -> str:
        return format_html("<code>{}</code>", job.kind)  # a word of the program, in no language

    @display(description=gettext_lazy("status"), label=COLOURS)
    def shown_status(self, job: Job) -> tuple[str, str]:
        return job.status, job.get_status_display()

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, ("operator",))

    @action(description=gettext_lazy("Cancel"), permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(
            request,
            queryset,
            partial(_inside, request_cancel, "job.cancel"),
            lambda count: ngettext("%(n)s job cancelled.", "%(n)s jobs cancelled.", count) % {"n": count},
        )

    @action(description=gettext_lazy("Try again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(
            request,
            queryset,
            partial(_inside, _retry_and_send, "job.retry"),
            lambda count: (
                ngettext("%(n)s job queued again.", "%(n)s jobs queued again.", count) % {"n": count}
            ),
        )

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Job],
        verb: Callable[..., Any],
        done: Callable[[int], str],
    ) -> None:
        if reason := reason_of(request):
            by = request.actor  # type: ignore[attr-defined]
            act_on_each(request, list(queryset), lambda job: verb(job, by, reason), done=done)


def _inside(verb: Callable[..., Job], action_code: str, job: Job, by: Actor, reason: str) -> None:
    """Do a verb in the institution of a job, and tell it in the platform's trail too."""
    institution_id = int(job.institution_id or 0)
    inside = replace(by, institution_id=institution_id)
    with tenant_scope(institution_id):
        verb(job=Job.objects.get(pk=job.pk), by=inside)
        record_platform(by=by, action=action_code, institution_id=institution_id, reason=reason)


def _retry_and_send(*, job: Job, by: Actor) -> Job:
    retried = retry_job(job=job, by=by)
    autodiscover_modules("tasks")
    name = task_of(retried.kind)
    if name is not None:  # else the clock finds a process that knows it
        send_job(job=retried, task=current_app.tasks[name])
    return retried
