import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.outbox.enums import MessageKind, MessageStatus, WebhookEvent
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.encryption import EncryptedTextField
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class MessageQuerySet(TenantQuerySet["OutboxMessage"]):
    def due(self, moment: dt.datetime) -> Self:
        return self.filter(status=MessageStatus.PENDING, next_attempt_at__lte=moment)


MessageManager = TenantManager.from_queryset(MessageQuerySet)


class OutboxMessage(TenantModel):
    """Something to tell the outside, written in the transaction of what happened.

    ``payload`` holds identifiers only; ``letter`` is the e-mail as it will leave, encrypted, and emptied
    once it left.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=MessageKind)
    status = models.CharField(
        _("status"), max_length=10, choices=MessageStatus, default=MessageStatus.PENDING
    )
    payload = models.JSONField(_("payload"))
    letter = EncryptedTextField(blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    last_error = models.CharField(_("last error"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects: ClassVar[MessageManager] = MessageManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [*tenant_constraints()]
        indexes = [
            models.Index(
                fields=["institution", "next_attempt_at"],
                name="outbox_message_due",
                condition=models.Q(status=MessageStatus.PENDING),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.get_status_display()})"


class Webhook(TenantModel):
    """An address of a partner that is told of events; what it is sent is signed with ``secret``."""

    url = models.CharField(_("address"), max_length=500)
    #: Codes of ``WebhookEvent``.
    events = models.JSONField(_("events"), default=list)
    secret = EncryptedTextField(editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [*tenant_constraints()]

    def __str__(self) -> str:
        return self.url


class WebhookAttempt(TenantModel):
    """One try at telling a webhook: what its server answered, or why it was not asked."""

    message = TenantForeignKey(OutboxMessage, related_name="attempt_rows")
    webhook = TenantForeignKey(Webhook, related_name="attempts")
    event = models.CharField(_("event"), max_length=30, choices=WebhookEvent)
    number = models.PositiveSmallIntegerField(_("attempt"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    #: The status of the answer; none when there was no answer.
    status = models.PositiveSmallIntegerField(_("answer"), null=True)
    error = models.CharField(_("error"), max_length=120, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [*tenant_constraints("message", "webhook")]
        indexes = [models.Index(fields=["institution", "webhook", "at"], name="outbox_attempt_when")]

    def __str__(self) -> str:
        return f"{self.event} ({self.number})"


class Alert(TenantModel):
    """A notice for one person inside the site; its words are made when it is shown, from ``code``."""

    message = TenantForeignKey(OutboxMessage, related_name="alerts")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    code = models.CharField(_("code"), max_length=60)
    payload = models.JSONField(_("payload"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    read_at = models.DateTimeField(_("read at"), null=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            *tenant_constraints("message"),
            models.UniqueConstraint(fields=["institution", "message", "recipient"], name="outbox_alert_once"),
        ]
        indexes = [
            models.Index(fields=["institution", "recipient", "created_at"], name="outbox_alert_recipient")
        ]

    def __str__(self) -> str:
        return self.code
