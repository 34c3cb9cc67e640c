from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.parsers import TextParser
from apps.api.schema import CREATE, LIST, READ, problems
from apps.api.v1.base import ApiView, checked, json_object
from apps.api.v1.batches.views import AnyRenderer
from apps.api.v1.models.serializers import (
    ModelFileSerializer,
    ModelLineSerializer,
    ModelListSerializer,
    ModelVersionSerializer,
    PromoteSerializer,
    RollbackSerializer,
    ScorecardSerializer,
    model_body,
    model_line,
)
from apps.api.v1.pages import asked, page, page_of
from apps.registry.enums import GENERAL_SEGMENT
from apps.registry.errors import PromotionClosed
from apps.registry.queries import get_model_version, model_versions, promotions_of
from apps.registry.services.exporting import export_model
from apps.registry.services.importing import import_model, import_scorecard
from apps.registry.services.promotions import approve_promotion, propose_promotion, roll_back
from apps.tenancy.roles import Verb

MODELS = ["Modèles"]
STEP = (400, 401, 403, 404, 409, 415, 422, 503)


class ModelsView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS}

    @extend_schema(
        operation_id="models",
        tags=MODELS,
        summary="Versions des modèles",
        parameters=[ModelListSerializer],
        responses={200: page_of(ModelLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, ModelListSerializer)
        return page(request, model_versions(status=wish.get("status", "")), wish, model_line)


class ModelImportView(ApiView):
    verbs = {"POST": Verb.PROPOSE_MODEL}
    parser_classes = [TextParser, MultiPartParser]

    @extend_schema(
        operation_id="model_import",
        tags=MODELS,
        summary="Importer un modèle : le zip d'un dossier, ou une grille en JSON",
        description="La version est candidate. Un fichier d'objets Python (pickle, joblib, skops…) est "
        "refusé (`model_refused`) ; rien n'est gardé d'un refus.",
        request={"multipart/form-data": ModelFileSerializer, "application/json": ScorecardSerializer},
        responses={201: ModelVersionSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        if request.content_type.startswith("multipart/"):
            given = ModelFileSerializer(data=request.data)
            given.is_valid(raise_exception=True)
            wish: dict[str, Any] = dict(given.validated_data)
            version = import_model(upload=wish["file"], by=self.actor, segment=wish["segment"])
        else:
            document = json_object(request)
            segment = document.pop("segment", GENERAL_SEGMENT)
            version = import_scorecard(document=document, by=self.actor, segment=segment)
        body = model_body(version)
        return Response(body, status=201, headers={"Location": body["links"]["self"]})


class ModelObjectView(ApiView):
    def find(self, **kwargs: Any) -> None:
        self.version = get_model_version(kwargs["uid"])

    def answer(self, status: int = 200) -> Response:
        return Response(model_body(get_model_version(self.version.uid)), status=status)


class ModelView(ModelObjectView):
    verbs = {"GET": Verb.READ_REPORTS}

    @extend_schema(
        operation_id="model",
        tags=MODELS,
        summary="Une version : ses chiffres, ses contrôles, ses temps en production",
        responses={200: ModelVersionSerializer, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return self.answer()


class ModelExportView(ModelObjectView):
    verbs = {"GET": Verb.REPLAY}
    renderer_classes = [JSONRenderer, AnyRenderer]

    @extend_schema(
        operation_id="model_export",
        tags=MODELS,
        summary="Le dossier de la version, en zip",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, **problems(*READ, 503)},
    )
    def get(self, _request: Request, uid: UUID) -> HttpResponse:  # noqa: ARG002  found first
        name, content = export_model(version=self.version, by=self.actor)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(content, content_type="application/zip", headers=headers)


class ModelPromoteView(ModelObjectView):
    verbs = {"POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="model_promote",
        tags=MODELS,
        summary="Proposer une version à la production",
        description="409 `gate_failed` dit les contrôles non franchis ou à expliquer ; une autre personne "
        "approuve.",
        request=PromoteSerializer,
        responses={201: ModelVersionSerializer, **problems(*STEP)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        wish = checked(request, PromoteSerializer)
        propose_promotion(
            version=self.version,
            by=self.actor,
            reason=wish["reason"],
            explanation=wish.get("explanation", ""),
            starts_at=wish.get("starts_at"),
        )
        return self.answer(status=201)


class ModelApproveView(ModelObjectView):
    verbs = {"POST": Verb.APPROVE_MODEL}

    @extend_schema(
        operation_id="model_approve",
        tags=MODELS,
        summary="Approuver ce qu'une autre personne a proposé",
        description="403 `same_person` pour qui l'a proposé ; 409 `promotion_closed` si rien n'attend.",
        request=None,
        responses={200: ModelVersionSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        promotion = promotions_of(self.version).first()
        if promotion is None:
            raise PromotionClosed(_("Nobody proposed this version."))
        approve_promotion(promotion=promotion, by=self.actor)
        return self.answer()


class ModelRollbackView(ModelObjectView):
    verbs = {"POST": Verb.APPROVE_MODEL}

    @extend_schema(
        operation_id="model_rollback",
        tags=MODELS,
        summary="Quitter la version en production pour la précédente",
        description="Rend la version de nouveau en production ; 409 `promotion_closed` si celle de "
        "l'adresse n'y est plus.",
        request=RollbackSerializer,
        responses={200: ModelVersionSerializer, **problems(*STEP)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        wish = checked(request, RollbackSerializer)
        self.version = roll_back(version=self.version, by=self.actor, reason=wish["reason"])
        return self.answer()
