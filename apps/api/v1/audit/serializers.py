from typing import Any

from rest_framework import serializers

from apps.api.v1.pages import PeriodSerializer
from apps.audit.models import AuditEntry
from apps.tenancy.cursors import Order


class AuditListSerializer(PeriodSerializer):
    """Filters of the trail."""

    orders = {"-at": Order("at"), "at": Order("at", descending=False)}

    actor = serializers.CharField(max_length=160, required=False, help_text="Partie du nom de l'auteur")
    action = serializers.CharField(max_length=60, required=False, help_text="Code, par exemple client.update")
    object_type = serializers.CharField(
        max_length=60, required=False, help_text="Type d'objet, par exemple credits.client"
    )
    object = serializers.UUIDField(required=False, help_text="Identifiant de l'objet")


class AuditEntrySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    actor_kind = serializers.CharField(help_text="user, key, task ou operator")
    actor_name = serializers.CharField(allow_blank=True)
    action = serializers.CharField()
    object_type = serializers.CharField(allow_blank=True)
    object = serializers.UUIDField(allow_null=True)
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    request_id = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)


def entry_body(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry of the trail; it holds no personal data of clients."""
    names = (
        "at", "actor_kind", "actor_name", "action", "object_type", "before", "after", "request_id", "address"
    )  # fmt: skip
    return {
        "id": str(entry.uid),
        "object": entry.object_uid and str(entry.object_uid),
        **{name: getattr(entry, name) for name in names},
    }
