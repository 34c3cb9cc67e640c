from typing import Any

from rest_framework import serializers

from apps.api.fields import PlainBoolean, StrictSerializer
from apps.api.v1.pages import ListSerializer
from apps.outbox.enums import ANNOUNCED
from apps.outbox.models import Webhook
from apps.tenancy.cursors import Order

_EVENTS = [(event.value, event.label) for event in ANNOUNCED]


class WebhookListSerializer(ListSerializer):
    """Filters of the webhooks."""

    orders = {
        "-created_at": Order("created_at"),
        "created_at": Order("created_at", descending=False),
    }

    is_active = PlainBoolean(required=False, help_text="En service (vrai) ou arrêtés (faux)")


class NewWebhookSerializer(StrictSerializer):
    """Une adresse publique en https, et ce qu'elle veut savoir."""

    url = serializers.CharField(max_length=500, help_text="Adresse en https d'un serveur public")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=_EVENTS),
        min_length=1,
        max_length=20,
        help_text="Événements annoncés",
    )


class WebhookChangeSerializer(StrictSerializer):
    """En service ou arrêté ; une autre adresse est un autre webhook."""

    is_active = PlainBoolean(help_text="faux : plus rien n'est envoyé")


class WebhookSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class WebhookWithSecretSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="Clé de la signature, montrée cette seule fois")


def webhook_body(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook without its secret."""
    return {
        "id": str(webhook.uid),
        "url": webhook.url,
        "events": webhook.events,
        "is_active": webhook.is_active,
        "created_at": webhook.created_at.isoformat(),
    }
