from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import ETAG, READ, problems
from apps.api.v1.base import ApiView, detail
from apps.api.v1.monitoring.serializers import MonitoringSerializer, monitoring_body
from apps.monitoring.queries import watch_of
from apps.registry.queries import get_model_version
from apps.tenancy.roles import Verb


class ModelMonitoringView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS}

    def find(self, **kwargs: Any) -> None:
        self.version = get_model_version(kwargs["uid"])

    @extend_schema(
        operation_id="model_monitoring",
        tags=["Modèles"],
        summary="Le suivi d'une version : dérive, défauts observés et prédits, alertes",
        description="Les chiffres de la dernière nuit. Ceux des agences et des agents sont réservés à qui "
        "propose, approuve ou audite les modèles.",
        parameters=[*ETAG],
        responses={200: MonitoringSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return detail(request, monitoring_body(watch_of(self.version, self.actor)))
