from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.fields import REFERENCES
from apps.api.permissions import PUBLIC
from apps.api.schema import ETAG, LIST, problems
from apps.api.v1.base import ApiView, checked, detail, json_object
from apps.api.v1.pages import asked, page, page_of
from apps.api.v1.references import take_text, take_uid
from apps.api.v1.scoring.serializers import (
    FeaturesNamesSerializer,
    PredictionDetailSerializer,
    PredictionLineSerializer,
    PredictionListSerializer,
    PredictionSerializer,
    PredictSerializer,
    ReplaySerializer,
    SimulateSerializer,
    SimulationSerializer,
    WelcomeSerializer,
    contract_figures,
    detail_body,
    model_body,
    prediction_body,
    prediction_line,
    product,
    simulated_body,
    variable_body,
)
from apps.audit.services import record_read
from apps.credits.queries.applications import get_visible_application
from apps.credits.queries.clients import get_client_in_use
from apps.credits.queries.dictionary import dictionary_in_force
from apps.institutions.queries import agency_key
from apps.registry.errors import NoApprovedModel
from apps.scoring.queries.production import champion_variables
from apps.scoring.queries.scores import get_visible_prediction, scores_found
from apps.scoring.services.scores import (
    replay_prediction,
    score_application,
    score_values,
    simulate,
)
from apps.tenancy.days import period
from apps.tenancy.errors import InvalidValues
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.users.queries import user_key

SCORES = ["Scores"]


class WelcomeView(ApiView):
    verbs = PUBLIC

    @extend_schema(
        operation_id="welcome",
        tags=["Accueil"],
        summary="Accueil : produit, version, nombre de variables du modèle, liens",
        auth=[],
        responses={200: WelcomeSerializer, **problems(401, 403)},
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
        tags=SCORES,
        summary="Le dictionnaire des variables ; « used » dit ce que prend le modèle champion",
        responses={200: FeaturesNamesSerializer, **problems(401, 403, 503)},
    )
    def get(self, _request: Request) -> Response:
        version, used = champion_variables()
        return Response(
            {
                "modele": model_body(version, lang=current_lang()),
                "variables": [
                    variable_body(each, used=name in used) for name, each in dictionary_in_force().items()
                ],
            }
        )


class PredictView(ApiView):
    verbs = {"POST": Verb.SCORE}

    @extend_schema(
        operation_id="predict",
        tags=SCORES,
        summary="Calculer un score : les variables, ou une demande, ou un client et son crédit",
        description="409 `merged` pour un client dont le dossier a été fusionné avec un autre.",
        request=PredictSerializer,
        responses={
            201: PredictionSerializer,
            200: PredictionSerializer,
            **problems(400, 401, 403, 404, 409, 415, 422, 503),
        },
    )
    def post(self, request: Request) -> Response:
        prediction, created = self._score(json_object(request))
        return Response(prediction_body(prediction), status=201 if created else 200)

    def _score(self, body: dict[str, Any]) -> Any:
        reference = _only_reference(body)
        if reference == "application_id":
            application = get_visible_application(self.actor, take_uid(body, reference))
            _nothing_else(body)
            return score_application(application=application, by=self.actor, source="api")
        client = None
        if reference == "client_id":
            client = get_client_in_use(self.actor, uid=take_uid(body, reference))
        elif reference == "client_reference":
            client = get_client_in_use(self.actor, reference=take_text(body, reference, 40))
        return score_values(raw=body, by=self.actor, client=client, source="api")


class PredictionsView(ApiView):
    verbs = {"GET": Verb.READ_FILES}

    @extend_schema(
        operation_id="predictions",
        tags=SCORES,
        summary="Historique des scores",
        description="Les scores des agences que vous voyez, et les vôtres ; les derniers d'abord.",
        parameters=[PredictionListSerializer],
        responses={200: page_of(PredictionLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, PredictionListSerializer)
        start, end = period(wish.get("from"), wish.get("to"))
        rows = scores_found(
            self.actor,
            start=start,
            end=end,
            author_id=user_key(self.actor, wish["analyst"]) if "analyst" in wish else None,
            agency_id=agency_key(self.actor, wish["agency"]) if "agency" in wish else None,
            client_uid=wish.get("client"),
            band=wish.get("band", ""),
            source=wish.get("source", ""),
        )
        return page(request, rows, wish, prediction_line)


class SimulateView(ApiView):
    verbs = {"POST": Verb.SCORE}

    @extend_schema(
        operation_id="simulate",
        tags=SCORES,
        summary="Essayer des changements sans rien enregistrer",
        description="Un corps par changement, comme `predict` sans `id`. Partir d'un score enregistré "
        "inscrit sa lecture à la piste d'audit.",
        request=SimulateSerializer,
        responses={200: SimulationSerializer, **problems(400, 401, 403, 404, 415, 422, 503)},
    )
    def post(self, request: Request) -> Response:
        wish = checked(request, SimulateSerializer)
        stored = wish.get("prediction")
        base = wish["base"] if stored is None else get_visible_prediction(self.actor, stored)
        found = simulate(base=base, changes=wish["changes"], by=self.actor)
        pairs = zip(found, wish["changes"], strict=True)
        return Response({"resultats": [simulated_body(each, change) for each, change in pairs]})


class PredictionView(ApiView):
    verbs = {"GET": Verb.READ_FILES}

    def find(self, **kwargs: Any) -> None:
        self.prediction = get_visible_prediction(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="prediction",
        tags=SCORES,
        summary="Relire un score enregistré",
        parameters=[
            OpenApiParameter(
                "facteurs",
                enum=["tous"],
                description="« tous » : toutes les contributions et la valeur de base (somme : le logit)",
            ),
            *ETAG,
        ],
        responses={200: PredictionDetailSerializer, 304: None, **problems(401, 403, 404)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.prediction)
        every = request.query_params.get("facteurs") == "tous"
        return detail(request, detail_body(self.prediction, every=every))


class ReplayView(ApiView):
    verbs = {"POST": Verb.REPLAY}

    def find(self, **kwargs: Any) -> None:
        self.prediction = get_visible_prediction(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="replay",
        tags=SCORES,
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


def _nothing_else(body: dict[str, Any]) -> None:
    if body:
        message = _("Nothing else goes with application_id.")
        raise InvalidValues(message, fields={name: [message] for name in body})


def _contract_names(figures: Any) -> dict[str, Any]:
    return {
        **contract_figures(figures),
        "base": figures["base"],
        "contributions": {each["variable"]: each["log_odds"] for each in figures["contributions"]},
        "avertissements": figures["warnings"],
    }
