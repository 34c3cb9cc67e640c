from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CREATE, READ, problems
from apps.api.v1.base import ApiView, checked
from apps.api.v1.decisions.serializers import (
    DecideSerializer,
    DecisionSerializer,
    DecisionsSerializer,
    OverrideRequestSerializer,
    decision_body,
    taken_body,
)
from apps.audit.services import record_read
from apps.credits.queries.applications import get_visible_application
from apps.decisions.queries.decisions import decisions_for
from apps.decisions.services.deciding import Choice, decide
from apps.tenancy.roles import Verb

TAGS = ["Demandes"]


class _OneFile(ApiView):
    """Routes of one application."""

    def find(self, **kwargs: Any) -> None:
        self.application = get_visible_application(self.actor, kwargs["uid"])


class ApplicationDecideView(_OneFile):
    verbs = {"POST": Verb.DECIDE}

    @extend_schema(
        operation_id="application_decide",
        tags=TAGS,
        summary="Décider une demande",
        description="Par une personne dont la limite suffit, jamais par qui a saisi, transmis ou complété le "
        "dossier (403 `own_file`, `above_limit`). Le score doit être celui des valeurs présentes (409 "
        "`score_missing`, `score_outdated`). Contre l'avis, la réponse est 202 : une seconde personne "
        "confirme sur le site. Décidée entre-temps : 409 `moved`.",
        request=DecideSerializer,
        responses={201: DecisionSerializer, 202: OverrideRequestSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        values = checked(request, DecideSerializer)
        choice = Choice(kind=values.pop("decision"), **values)
        taken = decide(application=self.application, choice=choice, by=self.actor)
        body, status = taken_body(taken)
        return Response(body, status=status)


class ApplicationDecisionsView(_OneFile):
    verbs = {"GET": Verb.READ_FILES}

    @extend_schema(
        operation_id="application_decisions",
        tags=TAGS,
        summary="Décisions d'une demande",
        description="La dernière d'abord. La lecture est inscrite à la piste d'audit.",
        responses={200: DecisionsSerializer, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.application)
        return Response({"results": [decision_body(each) for each in decisions_for(self.application)]})
