"""What the OpenAPI document says of authentication, errors and headers."""

from itertools import combinations
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.api.examples import EXAMPLES
from apps.api.fields import REFERENCES
from apps.api.idempotency import AUTHENTICATION, HEADER, REPLAYED
from apps.engine.dictionary import STANDARD
from apps.engine.training.candidates import KINDS


class ActorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api.authentication.ActorAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  the hook's signature
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ProblemSerializer(serializers.Serializer[dict[str, object]]):
    """Un refus (RFC 9457) : `code` est stable, `fields` nomme les champs en cause."""

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
    403: "Rôle insuffisant, ou double authentification à mettre d'abord en place sur le site",
    404: "Objet inconnu, d'une autre institution ou d'une autre agence",
    405: "Méthode non prévue",
    406: "Seul JSON est servi",
    409: "L'état de l'objet ne le permet pas, ou un dossier semble exister déjà",
    412: "L'objet a changé depuis sa lecture (`If-Match`)",
    413: "Corps trop grand",
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
#: What a detail takes; ``TAGGED`` says what it gives.
ETAG = (
    OpenApiParameter(
        "If-None-Match", str, OpenApiParameter.HEADER, description="ETag connu : 304 s'il est encore le bon"
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


#: Lists of codes that several fields share, under one name.
CREDIT_TYPES = [(each.code, each.code) for each in STANDARD["type_credit"].categories]
YES_NO = [("oui", "oui"), ("non", "non")]
CANDIDATES = [(code, code) for code in KINDS]

SUCCESSES = {
    "200": "Fait",
    "201": "Créé",
    "202": "Accepté : le calcul se suit par `links.self`",
    "205": "Session fermée",
    "304": "L'objet n'a pas changé : pas de corps",
}
#: Bodies in which an unknown field is an error; ``WITH_OWN_VARIABLES`` says where it may be a variable.
BODIES = """
Login Refresh Predict Simulate NewClient PatchedClientChange NewApplication PatchedApplicationChange Submit
Return Cancel NewExternalCredit PatchedExternalCreditChange Close AgencyChange PatchedAgencyChange NewUser
PatchedUserChange NewWebhook PatchedWebhookChange NewCredit NewRepayment ImportCheck ImportColumn
ImportConfirm ImportReading Promote Rollback NewPolicy PolicyDecision FiguresWish CostsWish PolicyRule
TypeCosts NewVariable PatchedVariableChange NewCode Decide
""".split()  # noqa: SIM905  a list of names is read more easily so
#: Bodies that take, beside their own fields, the variables that the institution declared.
WITH_OWN_VARIABLES = ("Predict", "NewApplication", "PatchedApplicationChange")
OWN_VARIABLES = {
    "^[a-z][a-z0-9_]{2,39}$": {
        "description": "Une variable propre à l'institution (`features-names`, `own`) : un nom que personne "
        "n'y a déclaré est un 422",
        "type": ["number", "string", "null"],
    }
}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
TOO_MANY = "Trop de demandes : réessayez après `Retry-After` secondes"
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "La même clé et le même corps dans les 24 heures rendent la même réponse ; un autre "
    "corps, ou une première demande encore en cours : 409",
}
#: Headers of answers, by name; ``_headers_of`` says which answers bear them.
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "schema": {"type": "string"},
        "required": True,
        "description": "État de l'objet : à rendre en `If-None-Match` ou `If-Match`",
        "example": '"5f4dcc3b5aa765d61d8327deb882cf99"',
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "Par limite, les demandes qui restent (`r`) et les secondes jusqu'au prochain compte "
        "(`t`) ; absent si la limite est levée",
        "example": '"predict";r=19;t=1',
    },
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": "Par limite, les demandes permises (`q`) en tant de secondes (`w`)",
        "example": '"predict";q=20;w=1',
    },
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
        "description": "Secondes à attendre",
        "example": 1,
    },
    REPLAYED: {
        "schema": {"type": "string", "enum": ["true"]},
        "description": f"`true` si la réponse est celle que `{HEADER}` avait déjà reçue",
        "example": "true",
    },
}
#: Answers that bear the state of their object in ``ETag``.
TAGGED = frozenset(
    f"#/components/schemas/{name}"
    for name in (
        *("Agency", "Application", "AuditEntry", "Client", "Credit", "ExternalCredit"),
        *(
            "DictionaryVariable",
            "Monitoring",
            "PredictionDetail",
            "Repayment",
            "User",
            "Webhook",
            "WebhookWithSecret",
        ),
    )
)
#: Answers given before a key is looked at, or that are not kept.
NOT_REPLAYED = ("401", "413", "429", "503")
PARTNER_KEY = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`Api-Key <préfixe>.<secret>` : la clé d'un partenaire",
}
DESCRIPTION = """Notation du risque de crédit pour les institutions de microfinance.

**Commencer.** `POST /api/v1/login` donne deux jetons ; envoyez `Authorization: Bearer <access>`.
Un partenaire envoie `Authorization: Api-Key <préfixe>.<secret>`.

**Erreurs.** Toutes ont la même forme, `application/problem+json` (RFC 9457), en français ou en anglais
selon `Accept-Language` : `code` est stable, `fields` nomme les champs en cause. L'ordre des refus est 401,
403, 404, 405.

**Listes.** `limit` (100 au plus), `sort`, et `cursor` : redonnez `next_cursor`, ou suivez `next`, jusqu'à
`null`. Un filtre inconnu ou impossible est un 422.

**Changements.** `PATCH` demande dans `If-Match` l'`ETag` lu avec l'objet : 428 s'il manque, 412 si l'objet
a changé. Rien ne s'efface (405) : les objets se ferment.

**Montants** en FCFA entiers, **jours** AAAA-MM-JJ, **instants** ISO 8601, identifiants UUID. La notation
parle français parce que les intégrateurs envoient déjà ces noms ; le reste parle anglais.
"""
TAGS = {
    "Session": "Ouvrir, renouveler et fermer une session",
    "Accueil": "Ce que sert cette adresse",
    "Scores": "Calculer, relire, rejouer, essayer",
    "Fichiers": "Scorer un fichier ligne à ligne, le suivre, le recevoir complété",
    "Imports": "Importer un fichier : régler, contrôler, confirmer, défaire",
    "Clients": "Les dossiers des clients",
    "Demandes": "Les demandes de crédit, jusqu'à la décision",
    "Crédits": "L'argent prêté : échéances, remboursements, retards",
    "Crédits externes": "Ce que les clients doivent à d'autres prêteurs",
    "Modèles": "Les modèles de l'institution : versions, mise en production, import et export",
    "Variables": "Le dictionnaire des variables de l'institution",
    "Rapports": "Demander un rapport ou une fiche, le suivre, le recevoir",
    "Entraînements": "Entraîner des candidats sur son historique, les comparer, en garder un",
    "Agences": "Les agences de l'institution",
    "Utilisateurs": "Les personnes de l'institution et leurs rôles",
    "Politiques": "Les politiques de scoring : seuils, notes, règles, pertes, par deux personnes",
    "Webhooks": "Les adresses auxquelles la plateforme annonce ce qui arrive",
    "Audit": "Qui a fait quoi, quand",
}


def complete(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Say in the document what the generator does not know: examples, closed bodies, plain answers."""
    result["info"]["description"] = DESCRIPTION
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    result["components"]["securitySchemes"]["partnerKey"] = PARTNER_KEY
    schemas = result["components"]["schemas"]
    for name in BODIES:
        schemas[name]["additionalProperties"] = False
    for name in WITH_OWN_VARIABLES:
        schemas[name]["patternProperties"] = OWN_VARIABLES
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    schemas["Predict"]["not"] = {"anyOf": [{"required": list(two)} for two in combinations(REFERENCES, 2)]}
    result["components"]["headers"] = HEADERS
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            if operation.get("security"):
                operation["security"] = [{"bearer": []}, {"partnerKey": []}]
            if method == "post" and not path.startswith(AUTHENTICATION):
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
                _refuses(operation, 409, 422)
            if "requestBody" in operation:
                _refuses(operation, 413)
            _refuses(operation, 406)
            _refuses(operation, 429, description=TOO_MANY)
            for status, answer in operation["responses"].items():
                answer["description"] = answer["description"] or SUCCESSES[status]
                names = _headers_of(operation, status)
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return result


def _headers_of(operation: dict[str, Any], status: str) -> list[str]:
    """Return the names of the headers that an answer bears, or may bear."""
    content = operation["responses"][status].get("content", {})
    names = ["RateLimit", "RateLimit-Policy"]
    if status == "304" or any(each["schema"].get("$ref") in TAGGED for each in content.values()):
        names.append("ETag")
    if status == "429":
        names.append("Retry-After")
    if IDEMPOTENCY_KEY in operation.get("parameters", []) and status not in NOT_REPLAYED:
        names.append(REPLAYED)
    return sorted(names)


def _refuses(operation: dict[str, Any], *statuses: int, description: str = "") -> None:
    """Add refusals that come from around the view, unless the view says more of them."""
    answers = operation["responses"]
    for status in statuses:
        answers.setdefault(
            str(status), {"content": PROBLEM, "description": description or DESCRIPTIONS[status]}
        )
    operation["responses"] = dict(sorted(answers.items()))
