from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CHANGE, CREATE, ETAG, LIST, READ, if_match, problems
from apps.api.v1.base import ApiView, checked, detail, etag_of, require_match
from apps.api.v1.institution.serializers import (
    AgencyChangeSerializer,
    AgencyListSerializer,
    AgencySerializer,
    NewUserSerializer,
    UserChangeSerializer,
    UserListSerializer,
    UserSerializer,
    agencies_of,
    agency_body,
    new_agency,
    user_body,
)
from apps.api.v1.pages import asked, page, page_of
from apps.institutions.queries import get_known_agency, get_visible_agency, known_agencies
from apps.institutions.services import save_agency
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb
from apps.users.queries import get_member, members_found
from apps.users.services.members import change_member, create_member

AGENCIES, USERS = ["Agences"], ["Utilisateurs"]


class AgenciesView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "POST": Verb.ADMINISTER}

    @extend_schema(
        operation_id="agencies",
        tags=AGENCIES,
        summary="Liste des agences",
        description="Les agences que vous voyez, fermées comprises.",
        parameters=[AgencyListSerializer],
        responses={200: page_of(AgencySerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, AgencyListSerializer)
        rows = known_agencies(self.actor)
        if "is_active" in wish:
            rows = rows.filter(is_active=wish["is_active"])
        return page(request, rows, wish, agency_body)

    @extend_schema(
        operation_id="agency_create",
        tags=AGENCIES,
        summary="Ouvrir une agence",
        description="Réservé aux administrateurs de l'institution.",
        request=AgencyChangeSerializer,
        responses={201: AgencySerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        agency = _set(new_agency(), checked(request, AgencyChangeSerializer))
        agency = save_agency(agency=agency, by=self.actor)
        return detail(request, agency_body(agency), etag=etag_of(agency), status=201)


class AgencyView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "PATCH": Verb.ADMINISTER}

    def find(self, **kwargs: Any) -> None:
        self.agency = get_known_agency(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="agency",
        tags=AGENCIES,
        summary="Une agence",
        parameters=[*ETAG],
        responses={200: AgencySerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return detail(request, agency_body(self.agency), etag=etag_of(self.agency))

    @extend_schema(
        operation_id="agency_change",
        tags=AGENCIES,
        summary="Changer ou fermer une agence",
        description="Réservé aux administrateurs de l'institution.",
        parameters=[if_match()],
        request=AgencyChangeSerializer(partial=True),
        responses={200: AgencySerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        require_match(request, self.agency)
        agency = _set(self.agency, checked(request, AgencyChangeSerializer, partial=True))
        agency = save_agency(agency=agency, by=self.actor)
        return detail(request, agency_body(agency), etag=etag_of(agency))


class UsersView(ApiView):
    verbs = {"GET": Verb.ADMINISTER, "POST": Verb.ADMINISTER}

    @extend_schema(
        operation_id="users",
        tags=USERS,
        summary="Liste des utilisateurs de l'institution",
        description="Réservé aux administrateurs de l'institution.",
        parameters=[UserListSerializer],
        responses={200: page_of(UserSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, UserListSerializer)
        rows = members_found(self.actor, role=wish.get("role", ""), is_active=wish.get("is_active"))
        return page(request, rows, wish, user_body)

    @extend_schema(
        operation_id="user_create",
        tags=USERS,
        summary="Créer un utilisateur",
        description="Réservé aux administrateurs de l'institution.",
        request=NewUserSerializer,
        responses={201: UserSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        values = checked(request, NewUserSerializer)
        values["agencies"] = _agencies(values, self.actor)
        try:
            membership = create_member(by=self.actor, **values)
        except ValidationError as weak:
            text = _("Some values cannot be used.")
            raise InvalidValues(text, fields={"password": weak.messages}) from weak
        return _answer(request, get_member(self.actor, membership.user.uid), status=201)


class UserView(ApiView):
    verbs = {"GET": Verb.ADMINISTER, "PATCH": Verb.ADMINISTER}

    def find(self, **kwargs: Any) -> None:
        self.member = get_member(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="user",
        tags=USERS,
        summary="Un utilisateur",
        description="Réservé aux administrateurs de l'institution.",
        parameters=[*ETAG],
        responses={200: UserSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return _answer(request, self.member)

    @extend_schema(
        operation_id="user_change",
        tags=USERS,
        summary="Changer le rôle, l'accès ou les agences d'un utilisateur",
        description="Ses sessions se ferment. Ni son propre rôle ni son propre accès.",
        parameters=[if_match()],
        request=UserChangeSerializer(partial=True),
        responses={200: UserSerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, uid: UUID) -> Response:
        require_match(request, self.member, *agencies_of(self.member))
        values = checked(request, UserChangeSerializer, partial=True)
        if "agencies" in values:
            values["agencies"] = _agencies(values, self.actor)
        change_member(membership=self.member, by=self.actor, **values)
        return _answer(request, get_member(self.actor, uid))


def _answer(request: Request, member: Any, *, status: int = 200) -> Response:
    etag = etag_of(member, *agencies_of(member))
    return detail(request, user_body(member), etag=etag, status=status)


def _agencies(values: dict[str, Any], actor: Any) -> list[Any]:
    return [get_visible_agency(actor, uid) for uid in dict.fromkeys(values.get("agencies", ()))]


def _set(row: Any, values: dict[str, Any]) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row
