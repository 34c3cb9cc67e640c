from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CHANGE, CREATE, ETAG, LIST, READ, if_match, problems
from apps.api.v1.base import ApiView, checked, detail, etag_of, require_match
from apps.api.v1.pages import asked, page, page_of
from apps.api.v1.webhooks.serializers import (
    NewWebhookSerializer,
    WebhookChangeSerializer,
    WebhookListSerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
    webhook_body,
)
from apps.outbox.queries import get_webhook, webhooks_found
from apps.outbox.services import create_webhook, switch_webhook
from apps.tenancy.roles import Verb

TAGS = ["Webhooks"]


class WebhooksView(ApiView):
    verbs = {"GET": Verb.ADMINISTER, "POST": Verb.ADMINISTER}

    @extend_schema(
        operation_id="webhooks",
        tags=TAGS,
        summary="Liste des webhooks",
        description="Réservé aux administrateurs de l'institution.",
        parameters=[WebhookListSerializer],
        responses={200: page_of(WebhookSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, WebhookListSerializer)
        return page(request, webhooks_found(is_active=wish.get("is_active")), wish, webhook_body)

    @extend_schema(
        operation_id="webhook_create",
        tags=TAGS,
        summary="Créer un webhook",
        description="Réservé aux administrateurs de l'institution. L'adresse doit être celle d'un serveur "
        "public. Chaque envoi porte `X-CrediSense-Signature: t=…,v1=HMAC-SHA256`, calculé avec la clé "
        "rendue ici.",
        request=NewWebhookSerializer,
        responses={201: WebhookWithSecretSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        webhook, secret = create_webhook(by=self.actor, **checked(request, NewWebhookSerializer))
        return detail(request, {**webhook_body(webhook), "secret": secret}, etag=etag_of(webhook), status=201)


class WebhookView(ApiView):
    verbs = {"GET": Verb.ADMINISTER, "PATCH": Verb.ADMINISTER}

    def find(self, **kwargs: Any) -> None:
        self.webhook = get_webhook(kwargs["uid"])

    @extend_schema(
        operation_id="webhook",
        tags=TAGS,
        summary="Un webhook",
        description="Réservé aux administrateurs de l'institution.",
        parameters=[*ETAG],
        responses={200: WebhookSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return detail(request, webhook_body(self.webhook), etag=etag_of(self.webhook))

    @extend_schema(
        operation_id="webhook_change",
        tags=TAGS,
        summary="Arrêter ou remettre en service un webhook",
        description="Réservé aux administrateurs de l'institution.",
        parameters=[if_match()],
        request=WebhookChangeSerializer(partial=True),
        responses={200: WebhookSerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        require_match(request, self.webhook)
        values = checked(request, WebhookChangeSerializer, partial=True)
        if "is_active" in values:
            self.webhook = switch_webhook(webhook=self.webhook, active=values["is_active"], by=self.actor)
        return detail(request, webhook_body(self.webhook), etag=etag_of(self.webhook))
