from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.permissions import PUBLIC
from apps.api.schema import problems
from apps.api.throttling import count_login
from apps.api.v1.accounts.serializers import LoginSerializer, RefreshSerializer, TokensSerializer
from apps.api.v1.base import ApiView, PublicView
from apps.users.services.login import api_log_in
from apps.users.services.sessions import close_api_session, refresh_tokens

SESSION = ["Session"]


class LoginView(PublicView):
    @extend_schema(
        operation_id="login",
        tags=SESSION,
        summary="Ouvrir une session : e-mail et mot de passe contre deux jetons",
        request=LoginSerializer,
        responses={200: TokensSerializer, **problems(400, 401, 403, 415, 422, 429)},
    )
    def post(self, request: Request) -> Response:
        given = LoginSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        count_login(request._request, given.validated_data["email"])
        return Response(asdict(api_log_in(request=request._request, **given.validated_data)))


class RefreshView(PublicView):
    @extend_schema(
        operation_id="token_refresh",
        tags=SESSION,
        summary="Renouveler les jetons : l'ancien jeton de renouvellement ne sert plus",
        request=RefreshSerializer,
        responses={200: TokensSerializer, **problems(400, 401, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        given = RefreshSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(asdict(refresh_tokens(request=request._request, **given.validated_data)))


class LogoutView(ApiView):
    """Whoever holds a refresh token may end it; a header that leads to nobody is refused all the same."""

    verbs = PUBLIC

    @extend_schema(
        operation_id="logout",
        tags=SESSION,
        summary="Fermer la session : ses deux jetons sont refusés aussitôt",
        description="Le jeton de renouvellement suffit ; un en-tête qui ne mène à personne est refusé.",
        request=RefreshSerializer,
        responses={205: None, **problems(400, 401, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        given = RefreshSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        close_api_session(request=request._request, **given.validated_data)
        return Response(status=205)
