"""What the OpenAPI document says of authentication and errors."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class ActorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api.authentication.ActorAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  the hook's signature
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ProblemSerializer(serializers.Serializer[dict[str, object]]):
    """RFC 9457 problem document, with the fields at fault."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    request_id = serializers.CharField()


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the error part of a route's responses."""
    return {
        (status, "application/problem+json"): OpenApiResponse(
            ProblemSerializer, description=DESCRIPTIONS[status]
        )
        for status in statuses
    }


DESCRIPTIONS = {
    400: "Corps illisible",
    401: "Jeton absent, expiré ou révoqué",
    403: "Rôle insuffisant",
    404: "Objet inconnu, d'une autre institution ou d'une autre agence",
    405: "Méthode non prévue",
    409: "L'état de l'objet ne le permet pas, ou un dossier semble exister déjà",
    412: "L'objet a changé depuis sa lecture (`If-Match`)",
    415: "Type de contenu non prévu",
    422: "Valeur hors type, intervalle ou liste, ou champ inconnu",
    428: "En-tête `If-Match` absent",
    429: "Trop de tentatives",
    503: "Aucun modèle approuvé",
}

#: The refusals of each kind of route.
LIST = (401, 403, 422)
READ = (401, 403, 404)
CREATE = (400, 401, 403, 404, 409, 415, 422)
CHANGE = (400, 401, 403, 404, 409, 412, 415, 422, 428)
#: What a detail takes and gives.
ETAG = (
    OpenApiParameter(
        "If-None-Match", str, OpenApiParameter.HEADER, description="ETag connu : 304 s'il est encore le bon"
    ),
    OpenApiParameter(
        "ETag", str, OpenApiParameter.HEADER, response=[200, 304], description="État de l'objet"
    ),
)


def if_match() -> OpenApiParameter:
    """Return the header that a change needs."""
    return OpenApiParameter(
        "If-Match",
        str,
        OpenApiParameter.HEADER,
        required=True,
        description="ETag lu avec l'objet : 428 s'il manque, 412 si l'objet a changé depuis",
    )
