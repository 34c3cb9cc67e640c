from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.outbox.enums import MessageStatus
from apps.outbox.models import OutboxMessage
from apps.tenancy.admin import RuledAdmin

COLOURS = {MessageStatus.PENDING: "warning", MessageStatus.SENT: "success", MessageStatus.FAILED: "danger"}


@admin.register(OutboxMessage)
class OutboxMessageAdmin(RuledAdmin):
    """What could not be told to the outside, or waits after a failure; never what it says nor to whom."""

    reads = ("operator",)
    ordering = ("-pk",)
    list_display = (
        "kind",
        "institution",
        "shown_status",
        "attempts",
        "last_error",
        "created_at",
        "next_attempt_at",
    )
    list_filter = ("status",)
    list_select_related = ("institution",)
    sortable_by = ()
    fields = (
        "kind",
        "institution",
        "shown_status",
        "attempts",
        "last_error",
        "created_at",
        "next_attempt_at",
        "finished_at",
    )

    @display(description=gettext_lazy("status"), label=COLOURS)
    def shown_status(self, message: OutboxMessage) -> tuple[str, str]:
        return message.status, message.get_status_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        unsent = super().get_queryset(request).exclude(status=MessageStatus.SENT).filter(attempts__gt=0)
        return unsent.defer("letter", "payload")
