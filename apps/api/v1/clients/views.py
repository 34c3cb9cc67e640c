from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CHANGE, CREATE, ETAG, LIST, READ, if_match, problems
from apps.api.v1.base import ApiView, checked, detail, etag_of, json_object, require_match
from apps.api.v1.clients.serializers import (
    OWN,
    ClientChangeSerializer,
    ClientLineSerializer,
    ClientListSerializer,
    ClientSerializer,
    CloseSerializer,
    ExternalCreditChangeSerializer,
    ExternalCreditListSerializer,
    ExternalCreditSerializer,
    NewClientSerializer,
    NewExternalCreditSerializer,
    client_body,
    client_line,
    external_credit_body,
    new_client,
    new_external_credit,
)
from apps.api.v1.pages import asked, page, page_of
from apps.audit.services import record_read
from apps.credits.errors import PossibleDuplicate
from apps.credits.queries.clients import clients_found, get_visible_client, merged_files
from apps.credits.queries.securities import external_credits_of, get_visible_external_credit
from apps.credits.services.clients import create_client, update_client, version_of
from apps.credits.services.external_credits import close_external_credit, save_external_credit
from apps.institutions.queries import get_visible_agency
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb

CLIENTS, EXTERNAL = ["Clients"], ["Crédits externes"]


class ClientsView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="clients",
        tags=CLIENTS,
        summary="Liste des clients",
        description="Les clients des agences que vous voyez. Ni téléphone ni pièce dans la liste.",
        parameters=[ClientListSerializer],
        responses={200: page_of(ClientLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, ClientListSerializer)
        rows = clients_found(
            self.actor,
            text=wish.get("q", ""),
            reference=wish.get("reference", ""),
            phone=wish.get("phone", ""),
            agency=wish.get("agency"),
            merged=wish["merged"],
        )
        return page(request, rows.select_related("agency", "merged_into"), wish, client_line)

    @extend_schema(
        operation_id="client_create",
        tags=CLIENTS,
        summary="Enregistrer un client",
        description="409 `possible_duplicate` si un dossier a déjà ce téléphone, cette pièce, ou ce nom et "
        "cette date de naissance ; `fields.despite_duplicates` donne les références que vous pouvez voir.",
        request=NewClientSerializer,
        responses={201: ClientSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        values = checked(request, NewClientSerializer)
        despite = values.pop("despite_duplicates")
        client = _filled(new_client(), values, self.actor)
        client.reference = values.get("reference", "")
        _consents(client, values)
        try:
            client = create_client(client=client, by=self.actor, despite_duplicates=despite)
        except PossibleDuplicate as refusal:
            refusal.fields = {"despite_duplicates": [each.reference for each in refusal.found.clients]}
            raise
        return detail(request, client_body(client), etag=etag_of(client), status=201)


class ClientView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "PATCH": Verb.EDIT_FILES}

    def find(self, **kwargs: Any) -> None:
        self.client = get_visible_client(self.actor, uid=kwargs["uid"])

    @extend_schema(
        operation_id="client",
        tags=CLIENTS,
        summary="Dossier d'un client",
        description="La lecture est inscrite à la piste d'audit.",
        parameters=[*ETAG],
        responses={200: ClientSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.client)
        return detail(request, client_body(self.client), etag=etag_of(self.client))

    @extend_schema(
        operation_id="client_change",
        tags=CLIENTS,
        summary="Changer le dossier d'un client",
        description="Le changement confirme les données à ce jour.",
        parameters=[if_match()],
        request=ClientChangeSerializer(partial=True),
        responses={200: ClientSerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        require_match(request, self.client)
        version = version_of(self.client)
        values = checked(request, ClientChangeSerializer, partial=True)
        client = _filled(self.client, values, self.actor)
        client = update_client(client=client, version=version, by=self.actor)
        return detail(request, client_body(client), etag=etag_of(client))


class ExternalCreditsView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="external_credits",
        tags=EXTERNAL,
        summary="Crédits d'un client chez d'autres prêteurs",
        description="La lecture est inscrite à la piste d'audit, au dossier du client.",
        parameters=[ExternalCreditListSerializer],
        responses={200: page_of(ExternalCreditSerializer), **problems(*LIST, 404)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, ExternalCreditListSerializer)
        client = get_visible_client(self.actor, uid=wish["client"])
        record_read(by=self.actor, target=client)
        rows = external_credits_of(
            client, *merged_files(client), status=wish.get("status", "")
        ).select_related("client")
        return page(request, rows, wish, external_credit_body)

    @extend_schema(
        operation_id="external_credit_create",
        tags=EXTERNAL,
        summary="Noter un crédit chez un autre prêteur",
        description="`consent_missing` si un registre est cité sans le consentement du client.",
        request=NewExternalCreditSerializer,
        responses={201: ExternalCreditSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        values = checked(request, NewExternalCreditSerializer)
        client = get_visible_client(self.actor, uid=values.pop("client"))
        credit = _set(new_external_credit(client), values)
        credit = save_external_credit(credit=credit, by=self.actor)
        return detail(request, external_credit_body(credit), etag=etag_of(credit), status=201)


class ExternalCreditView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "PATCH": Verb.EDIT_FILES}

    def find(self, **kwargs: Any) -> None:
        self.credit = get_visible_external_credit(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="external_credit",
        tags=EXTERNAL,
        summary="Un crédit chez un autre prêteur",
        description="La lecture est inscrite à la piste d'audit, au dossier du client.",
        parameters=[*ETAG],
        responses={200: ExternalCreditSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.credit.client)
        return detail(request, external_credit_body(self.credit), etag=etag_of(self.credit))

    @extend_schema(
        operation_id="external_credit_change",
        tags=EXTERNAL,
        summary="Corriger un crédit chez un autre prêteur",
        parameters=[if_match()],
        request=ExternalCreditChangeSerializer(partial=True),
        responses={200: ExternalCreditSerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        require_match(request, self.credit)
        values = checked(request, ExternalCreditChangeSerializer, partial=True)
        credit = save_external_credit(credit=_set(self.credit, values), by=self.actor)
        return detail(request, external_credit_body(credit), etag=etag_of(credit))


class ExternalCreditCloseView(ApiView):
    verbs = {"POST": Verb.EDIT_FILES}

    def find(self, **kwargs: Any) -> None:
        self.credit = get_visible_external_credit(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="external_credit_close",
        tags=EXTERNAL,
        summary="Noter qu'un crédit externe est remboursé",
        description="Demandé deux fois, le crédit n'est clos qu'une.",
        request=CloseSerializer,
        responses={200: ExternalCreditSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        day = checked(request, CloseSerializer).get("on") if json_object(request) else None
        if day and day > timezone.localdate():
            message = _("This date is in the future.")
            raise InvalidValues(message, fields={"on": [message]})
        credit = close_external_credit(credit=self.credit, by=self.actor, on=day)
        return detail(request, external_credit_body(credit), etag=etag_of(credit))


def _filled(client: Any, values: dict[str, Any], actor: Any) -> Any:
    """Set the fields given, once they make sense together."""
    if "agency" in values:
        client.agency = get_visible_agency(actor, values["agency"])
    given = {name: values[name] for name in OWN if name in values}
    if given.get("birth_date") and given["birth_date"] >= timezone.localdate():
        message = _("The date of birth is in the past.")
        raise InvalidValues(message, fields={"birth_date": [message]})
    if "is_active" in values:
        client.is_active = values["is_active"]
    return _set(client, given)


def _consents(client: Any, values: dict[str, Any]) -> None:
    method = values.get("consent_method", "")
    if (values["data_consent"] or values["bureau_consent"]) and not method:
        message = _("Say how the consent was obtained.")
        raise InvalidValues(message, fields={"consent_method": [message]})
    for name, prefix in (("data_consent", ""), ("bureau_consent", "bureau_")):
        if values[name]:
            setattr(client, f"{prefix}consent_at", timezone.localdate())
            setattr(client, f"{prefix}consent_method", method)


def _set(row: Any, values: dict[str, Any]) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row
