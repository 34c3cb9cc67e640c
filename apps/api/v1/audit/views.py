from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import ETAG, LIST, READ, problems
from apps.api.v1.audit.serializers import AuditEntrySerializer, AuditListSerializer, entry_body
from apps.api.v1.base import ApiView, detail
from apps.api.v1.pages import asked, page, page_of
from apps.audit.queries import audit_entries, get_audit_entry
from apps.tenancy.days import period
from apps.tenancy.roles import Verb

TAGS = ["Audit"]


class AuditView(ApiView):
    verbs = {"GET": Verb.READ_AUDIT}

    @extend_schema(
        operation_id="audit",
        tags=TAGS,
        summary="La piste d'audit",
        description="Qui a fait quoi, quand, sur quel objet. Pour l'auditeur, le DPO et l'administrateur.",
        parameters=[AuditListSerializer],
        responses={200: page_of(AuditEntrySerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, AuditListSerializer)
        start, end = period(wish.get("from"), wish.get("to"))
        rows = audit_entries(
            start=start,
            end=end,
            actor=wish.get("actor", ""),
            action=wish.get("action", ""),
            object_type=wish.get("object_type", ""),
            object_uid=wish.get("object"),
        )
        return page(request, rows, wish, entry_body)


class AuditEntryView(ApiView):
    verbs = {"GET": Verb.READ_AUDIT}

    def find(self, **kwargs: Any) -> None:
        self.entry = get_audit_entry(kwargs["uid"])

    @extend_schema(
        operation_id="audit_entry",
        tags=TAGS,
        summary="Une entrée de la piste d'audit",
        parameters=[*ETAG],
        responses={200: AuditEntrySerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return detail(request, entry_body(self.entry))
