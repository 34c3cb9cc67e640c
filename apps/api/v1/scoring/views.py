from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.permissions import PUBLIC
from apps.api.schema import problems
from apps.api.v1.base import ApiView, json_object
from apps.api.v1.scoring.serializers import (
    REFERENCES,
    FeaturesNamesSerializer,
    PredictionDetailSerializer,
    PredictionSerializer,
    PredictSerializer,
    ReplaySerializer,
    WelcomeSerializer,
    detail_body,
    prediction_body,
    product,
    variable_body,
)
from apps.audit.services import record_read
from apps.credits.queries.applications import get_visible_application
from apps.credits.queries.clients import get_visible_client
from apps.engine.dictionary import STANDARD
from apps.registry.errors import NoApprovedModel
from apps.scoring.queries import champion_variables, get_visible_prediction
from apps.scoring.services import replay_prediction, score_application, score_values
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb


class WelcomeView(ApiView):
    verbs = PUBLIC

    @extend_schema(
        operation_id="welcome",
        summary="Accueil : produit, version, nombre de variables du modèle, liens",
        auth=[],
        responses={200: WelcomeSerializer},
    )
    def get(self, request: Request) -> Response:
        try:
            variables = len(champion_variables()[1]) if request.auth else None
        except NoApprovedModel:
            variables = None
        links = {name: reverse(f"api:{name}") for name in ("schema", "login", "features_names", "predict")}
        return Response({**product(), "variables": variables, "links": links})


class FeaturesNamesView(ApiView):
    verbs = {"GET": Verb.SCORE}

    @extend_schema(
        operation_id="features_names",
        summary="Le dictionnaire des variables ; « used » dit ce que prend le modèle champion",
        responses={200: FeaturesNamesSerializer, **problems(401, 403, 503)},
    )
    def get(self, _request: Request) -> Response:
        version, used = champion_variables()
        return Response(
            {
                "modele": {"nom": version.name, "version": version.version, "statut": version.status},
                "variables": [variable_body(STANDARD[name], used=name in used) for name in STANDARD.names],
            }
        )


class PredictView(ApiView):
    verbs = {"POST": Verb.SCORE}

    @extend_schema(
        operation_id="predict",
        summary="Calculer un score : les variables, ou une demande, ou un client et son crédit",
        request=PredictSerializer,
        responses={
            201: PredictionSerializer,
            200: PredictionSerializer,
            **problems(400, 401, 403, 404, 415, 422, 503),
        },
    )
    def post(self, request: Request) -> Response:
        prediction, created = self._score(json_object(request))
        return Response(prediction_body(prediction), status=201 if created else 200)

    def _score(self, body: dict[str, Any]) -> Any:
        reference = _only_reference(body)
        if reference == "application_id":
            application = get_visible_application(self.actor, _uid(body, reference))
            _nothing_else(body)
            return score_application(application=application, by=self.actor, source="api")
        client = None
        if reference == "client_id":
            client = get_visible_client(self.actor, uid=_uid(body, reference))
        elif reference == "client_reference":
            client = get_visible_client(self.actor, reference=str(body.pop(reference)))
        return score_values(raw=body, by=self.actor, client=client, source="api")


class PredictionView(ApiView):
    verbs = {"GET": Verb.READ_FILES}

    def find(self, **kwargs: Any) -> None:
        self.prediction = get_visible_prediction(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="prediction",
        summary="Relire un score enregistré",
        parameters=[
            OpenApiParameter(
                "facteurs",
                enum=["tous"],
                description="« tous » : toutes les contributions et la valeur de base (somme : le logit)",
            )
        ],
        responses={200: PredictionDetailSerializer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.prediction)
        every = request.query_params.get("facteurs") == "tous"
        return Response(detail_body(self.prediction, every=every))


class ReplayView(ApiView):
    verbs = {"POST": Verb.REPLAY}

    def find(self, **kwargs: Any) -> None:
        self.prediction = get_visible_prediction(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="replay",
        summary="Recalculer à l'identique un score enregistré",
        request=None,
        responses={200: ReplaySerializer, **problems(401, 403, 404, 503)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        replay = replay_prediction(prediction=self.prediction, by=self.actor)
        return Response(
            {
                "id": str(self.prediction.uid),
                "identique": replay.identical,
                "enregistre": _contract_names(replay.stored),
                "recalcule": _contract_names(replay.recomputed),
            }
        )


def _only_reference(body: dict[str, Any]) -> str | None:
    given = [name for name in REFERENCES if name in body]
    if len(given) > 1:
        message = _("Give one of application_id, client_id and client_reference.")
        raise InvalidValues(message, fields={name: [message] for name in given})
    return given[0] if given else None


def _uid(body: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(str(body.pop(name)))
    except ValueError:
        message = _("A UUID is expected.")
        raise InvalidValues(message, fields={name: [message]}) from None


def _nothing_else(body: dict[str, Any]) -> None:
    if body:
        message = _("Nothing else goes with application_id.")
        raise InvalidValues(message, fields={name: [message] for name in body})


def _contract_names(figures: Any) -> dict[str, Any]:
    return {
        "prediction": int(figures["predicted_default"]),
        "probabilite_defaut": figures["pd"],
        "seuil_utilise": figures["threshold"],
        "niveau_risque": figures["band"],
        "score": figures["points"],
        "classe": figures["grade"],
        "recommandation": figures["recommendation"],
        "perte_attendue": figures["expected_loss_xaf"],
        "montant_max_conseille": figures["max_amount_xaf"],
        "base": figures["base"],
        "contributions": {each["variable"]: each["log_odds"] for each in figures["contributions"]},
        "avertissements": figures["warnings"],
    }
