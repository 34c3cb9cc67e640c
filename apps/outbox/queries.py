"""Reads of alerts."""

from django.db.models import QuerySet

from apps.outbox.models import Alert, Webhook
from apps.tenancy.actor import Actor


def own_alerts(actor: Actor) -> QuerySet[Alert]:
    """Return the actor's own alerts."""
    return Alert.objects.filter(recipient_id=actor.id)


def unread_alerts(actor: Actor) -> QuerySet[Alert]:
    """Return the actor's own alerts not read yet, newest first."""
    return Alert.objects.filter(recipient_id=actor.id, read_at=None).order_by("-created_at", "-pk")


def listening_webhooks(event: str) -> QuerySet[Webhook]:
    """Return the active webhooks of the open scope that asked for ``event``."""
    return Webhook.objects.filter(is_active=True, events__contains=[event])
