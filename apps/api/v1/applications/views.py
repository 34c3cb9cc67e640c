import uuid
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CHANGE, CREATE, ETAG, LIST, READ, if_match, problems
from apps.api.v1.applications.serializers import (
    ApplicationChangeSerializer,
    ApplicationLineSerializer,
    ApplicationListSerializer,
    ApplicationSerializer,
    CancelSerializer,
    NewApplicationSerializer,
    ReturnSerializer,
    SubmitSerializer,
    application_body,
    application_line,
)
from apps.api.v1.base import ApiView, checked, detail, etag_of, json_object, require_match
from apps.api.v1.pages import asked, page, page_of
from apps.api.v1.references import take_text, take_uid
from apps.api.v1.scoring.serializers import PredictionSerializer, prediction_body
from apps.audit.services import record_read
from apps.credits.errors import ApplicationMoved
from apps.credits.queries.applications import (
    ApplicationFilter,
    filtered_applications,
    get_visible_application,
)
from apps.credits.queries.clients import get_visible_client
from apps.credits.rules import can_score
from apps.credits.services import lifecycle
from apps.credits.services.applications import (
    Change,
    Entry,
    change_application,
    enter_application,
    version_of,
)
from apps.institutions.queries import agency_key
from apps.scoring.services.scores import score_application
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb

TAGS = ["Demandes"]


class ApplicationsView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="applications",
        tags=TAGS,
        summary="Liste des demandes",
        description="Les demandes des agences que vous voyez, les dernières d'abord.",
        parameters=[ApplicationListSerializer],
        responses={200: page_of(ApplicationLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, ApplicationListSerializer)
        limits = ApplicationFilter(
            status=wish.get("status", ""),
            agency_id=agency_key(self.actor, wish["agency"]) if "agency" in wish else None,
            client_uid=wish.get("client"),
            reference=wish.get("reference", ""),
            start=wish.get("from"),
            end=wish.get("to"),
        )
        return page(request, filtered_applications(self.actor, limits), wish, application_line)

    @extend_schema(
        operation_id="application_create",
        tags=TAGS,
        summary="Saisir une demande",
        description="Un brouillon, avec ce que le dossier du client dit déjà. Le score se demande à part.",
        request=NewApplicationSerializer,
        responses={201: ApplicationSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        body = json_object(request)
        purpose = take_text(body, "purpose", 200)
        reference = self._client_reference(body)
        entry = Entry(values=body, client_reference=reference, purpose=purpose)
        application = enter_application(uid=uuid.uuid4(), entry=entry, by=self.actor)
        return _answer(request, application, status=201)

    def _client_reference(self, body: dict[str, Any]) -> str:
        given = [name for name in ("client_id", "client_reference") if name in body]
        if len(given) != 1:
            message = _("Give one of client_id and client_reference.")
            raise InvalidValues(message, fields={name: [message] for name in given or ["client_id"]})
        if given == ["client_id"]:
            return get_visible_client(self.actor, uid=take_uid(body, "client_id")).reference
        reference = take_text(body, "client_reference", 40)
        return get_visible_client(self.actor, reference=reference).reference


class _OneApplication(ApiView):
    """Routes of one application."""

    def find(self, **kwargs: Any) -> None:
        self.application = get_visible_application(self.actor, kwargs["uid"])


class ApplicationView(_OneApplication):
    verbs = {"GET": Verb.READ_FILES, "PATCH": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="application",
        tags=TAGS,
        summary="Une demande",
        description="La lecture est inscrite à la piste d'audit.",
        parameters=[*ETAG],
        responses={200: ApplicationSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.application)
        return _answer(request, self.application)

    @extend_schema(
        operation_id="application_change",
        tags=TAGS,
        summary="Changer une demande",
        description="Tant qu'elle est un brouillon ou à compléter : sinon 409 `moved`. Les ratios sont "
        "recalculés.",
        parameters=[if_match()],
        request=ApplicationChangeSerializer,
        responses={200: ApplicationSerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, uid: UUID) -> Response:
        require_match(request, self.application)
        values = json_object(request)
        purpose = take_text(values, "purpose", 200, default=self.application.purpose)
        change = Change(values=values, purpose=purpose, version=version_of(self.application))
        return _answer(request, change_application(uid=uid, change=change, by=self.actor))


class ApplicationScoreView(_OneApplication):
    verbs = {"POST": Verb.SCORE}

    @extend_schema(
        operation_id="application_score",
        tags=TAGS,
        summary="Calculer le score d'une demande",
        description="Comme `predict` avec `application_id` : 200 et le même `id` si ce score existe déjà.",
        request=None,
        responses={
            201: PredictionSerializer,
            200: PredictionSerializer,
            **problems(401, 403, 404, 409, 422, 503),
        },
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        if not can_score(self.actor, self.application):
            message = _("This file has moved on: it is now « %(status)s ».")
            raise ApplicationMoved(message % {"status": self.application.get_status_display()})
        prediction, created = score_application(application=self.application, by=self.actor, source="api")
        return Response(prediction_body(prediction), status=201 if created else 200)


class ApplicationSubmitView(_OneApplication):
    verbs = {"POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="application_submit",
        tags=TAGS,
        summary="Envoyer une demande en décision",
        description="Le score des valeurs présentes est calculé s'il manque.",
        request=SubmitSerializer,
        responses={200: ApplicationSerializer, **problems(*CREATE, 503)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        values = checked(request, SubmitSerializer)
        score_application(application=self.application, by=self.actor, source="api")
        return _answer(request, lifecycle.submit_application(uid=uid, by=self.actor, **values))


class ApplicationReturnView(_OneApplication):
    verbs = {"POST": Verb.DECIDE}

    @extend_schema(
        operation_id="application_return",
        tags=TAGS,
        summary="Renvoyer une demande à compléter",
        description="En disant ce qui manque ; jamais par qui l'a saisie.",
        request=ReturnSerializer,
        responses={200: ApplicationSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        values = checked(request, ReturnSerializer)
        done = lifecycle.request_pieces(
            uid=uid, pieces=values["pieces"], note=values.get("note", ""), by=self.actor
        )
        return _answer(request, done.application)


class ApplicationCancelView(_OneApplication):
    verbs = {"POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="application_cancel",
        tags=TAGS,
        summary="Annuler une demande",
        description="Tant que rien n'est décidé. Rien n'est effacé.",
        request=CancelSerializer,
        responses={200: ApplicationSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        values = checked(request, CancelSerializer)
        return _answer(request, lifecycle.cancel_application(uid=uid, by=self.actor, **values))


def _answer(request: Request, application: Any, *, status: int = 200) -> Response:
    body = application_body(application)
    return detail(request, body, etag=etag_of(application), status=status)
