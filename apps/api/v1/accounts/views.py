from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import problems
from apps.api.v1.accounts.serializers import LoginSerializer, TokensSerializer
from apps.api.v1.base import PublicView
from apps.users.errors import InvalidCredentials
from apps.users.queries import active_membership
from apps.users.services import check_credentials
from apps.users.tokens import issue_tokens


class LoginView(PublicView):
    @extend_schema(
        operation_id="login",
        summary="Ouvrir une session : e-mail et mot de passe contre deux jetons",
        request=LoginSerializer,
        responses={200: TokensSerializer, **problems(400, 401, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        given = LoginSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = check_credentials(request=request._request, **given.validated_data)
        membership = active_membership(user.pk)
        if membership is None:  # the operator works in the back-office, not through the API
            raise InvalidCredentials(_("Wrong e-mail or password."))
        access, refresh, seconds = issue_tokens(membership)
        return Response({"access": access, "refresh": refresh, "expires_in": seconds})
