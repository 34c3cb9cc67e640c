"""Reads of alerts and webhooks."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.outbox.models import Alert, Webhook
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def own_alerts(actor: Actor) -> QuerySet[Alert]:
    """Return the actor's own alerts."""
    return Alert.objects.filter(recipient_id=actor.id)


def unread_alerts(actor: Actor) -> QuerySet[Alert]:
    """Return the actor's own alerts not read yet, newest first."""
    return Alert.objects.filter(recipient_id=actor.id, read_at=None).order_by("-created_at", "-pk")


def listening_webhooks(event: str) -> QuerySet[Webhook]:
    """Return the active webhooks of the open scope that asked for ``event``."""
    return Webhook.objects.filter(is_active=True, events__contains=[event])


def webhooks_found(*, is_active: bool | None = None) -> QuerySet[Webhook]:
    """Return the webhooks of the open scope, all or those in service or stopped."""
    webhooks = Webhook.objects.all()
    return webhooks if is_active is None else webhooks.filter(is_active=is_active)


def get_webhook(uid: UUID) -> Webhook:
    """Return one webhook of the open scope; raise ``ObjectNotFound`` when unknown or elsewhere, alike."""
    webhook = Webhook.objects.filter(uid=uid).first()
    if webhook is None:
        raise ObjectNotFound(_("Not found"))
    return webhook
