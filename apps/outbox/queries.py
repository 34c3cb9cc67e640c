"""Reads of alerts."""

from django.db.models import QuerySet

from apps.outbox.models import Alert
from apps.tenancy.actor import Actor


def own_alerts(actor: Actor) -> QuerySet[Alert]:
    """Return the actor's own alerts."""
    return Alert.objects.filter(recipient_id=actor.id)


def unread_alerts(actor: Actor) -> QuerySet[Alert]:
    """Return the actor's own alerts not read yet, newest first."""
    return Alert.objects.filter(recipient_id=actor.id, read_at=None).order_by("-created_at", "-pk")
