from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminURLInputWidget

from apps.outbox.enums import ANNOUNCED, MessageStatus, WebhookEvent
from apps.outbox.models import OutboxMessage, Webhook, WebhookAttempt
from apps.outbox.services import create_webhook, replay_delivery, switch_webhook
from apps.tenancy.admin import RuledAdmin, ServiceForm, act_on_each
from apps.tenancy.roles import Verb

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


class NewWebhookForm(ServiceForm):
    url = forms.CharField(label=gettext_lazy("Address"), max_length=500, widget=UnfoldAdminURLInputWidget)
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=[(event.value, event.label) for event in ANNOUNCED],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Webhook
        fields = ("url",)

    def write(self) -> Webhook:
        webhook, self.secret = create_webhook(by=self.actor, **self.cleaned_data)
        return webhook


class EditingAdmin(RuledAdmin):
    """A list with verbs; its rows are shown, and changed by verbs only."""

    writes = (Verb.ADMINISTER,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, self.writes)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)


@admin.register(Webhook)
class WebhookAdmin(EditingAdmin):
    """Which servers of partners are told of events; the secret is shown once."""

    ordering = ("-pk",)
    form = NewWebhookForm
    actions = ("switch_on", "switch_off")
    list_display = ("url", "told_events", "is_active", "created_at")
    sortable_by = ()

    @display(description=gettext_lazy("Events"))
    def told_events(self, webhook: Webhook) -> str:
        return ", ".join(str(WebhookEvent(event).label) for event in webhook.events if event in WebhookEvent)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("url", "events") if obj is None else self.list_display

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        request.told_secret = form.secret  # type: ignore[attr-defined]
        return super().save_form(request, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Webhook"),
            "webhook": obj,
            "secret": request.told_secret,  # type: ignore[attr-defined]
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/webhook_shown_once.html", context)

    @action(description=gettext_lazy("Switch on"), permissions=["act"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self._switch(request, queryset, active=True)

    @action(description=gettext_lazy("Switch off"), permissions=["act"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self._switch(request, queryset, active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Webhook], *, active: bool) -> None:
        by = request.actor  # type: ignore[attr-defined]
        act_on_each(
            request,
            queryset,
            lambda webhook: switch_webhook(webhook=webhook, active=active, by=by),
            done=lambda count: (
                ngettext("%(n)s webhook changed.", "%(n)s webhooks changed.", count) % {"n": count}
            ),
        )


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(EditingAdmin):
    """Every try at telling a webhook, the latest first, and the verb to tell it again."""

    ordering = ("-pk",)
    actions = ("replay",)
    list_display = ("webhook", "event", "number", "status", "error", "duration_ms", "at")
    list_filter = ("event",)
    list_select_related = ("webhook",)
    sortable_by = ()
    fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @action(description=gettext_lazy("Send again"), permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookAttempt]) -> None:
        by = request.actor  # type: ignore[attr-defined]
        act_on_each(
            request,
            queryset.select_related("message", "webhook"),
            lambda attempt: replay_delivery(attempt=attempt, by=by),
            done=lambda count: (
                ngettext("%(n)s event sent again.", "%(n)s events sent again.", count) % {"n": count}
            ),
        )
