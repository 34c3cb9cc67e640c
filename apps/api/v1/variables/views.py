from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CHANGE, CREATE, ETAG, READ, if_match, problems
from apps.api.v1.base import ApiView, checked, detail, etag_of, require_match, require_tag, tag_of
from apps.api.v1.variables.serializers import (
    DictionaryVariableSerializer,
    NewVariableSerializer,
    VariableChangeSerializer,
    VariablesSerializer,
    draft_asked,
    entry_body,
    update_asked,
)
from apps.credits.queries.dictionary import Entry, dictionary_entries, get_entry
from apps.credits.services.dictionary import change_variable, declare_variable, retire_variable
from apps.scoring.queries.production import variables_in_production
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb

TAGS = ["Variables"]


class VariablesView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS, "POST": Verb.DEFINE_VARIABLES}

    @extend_schema(
        operation_id="variables",
        tags=TAGS,
        summary="Le dictionnaire des variables de l'institution",
        description="Les variables standard puis les siennes, retirées comprises : une liste sans page.",
        responses={200: VariablesSerializer, **problems(401, 403)},
    )
    def get(self, _request: Request) -> Response:
        used = variables_in_production()
        entries = dictionary_entries(retired=True)
        return Response({"results": [entry_body(each, used) for each in entries]})

    @extend_schema(
        operation_id="variable_declare",
        tags=TAGS,
        summary="Déclarer une variable propre à l'institution",
        description="Les demandes, `predict` et les imports l'acceptent aussitôt. Une valeur manquante reste "
        "manquante.",
        request=NewVariableSerializer,
        responses={201: DictionaryVariableSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        draft = draft_asked(checked(request, NewVariableSerializer))
        row = declare_variable(draft=draft, by=self.actor)
        return _answer(request, get_entry(row.name), status=201)


class VariableView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS, "PATCH": Verb.DEFINE_VARIABLES}

    def find(self, **kwargs: Any) -> None:
        self.entry = get_entry(kwargs["name"])

    @extend_schema(
        operation_id="variable",
        tags=TAGS,
        summary="Une variable",
        parameters=[*ETAG],
        responses={200: DictionaryVariableSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, name: str) -> Response:  # noqa: ARG002  the route's object is found first
        return _answer(request, self.entry)

    @extend_schema(
        operation_id="variable_change",
        tags=TAGS,
        summary="Changer ou retirer une variable",
        description="409 `variable_in_use` si un modèle en production la lit. Rien ne s'efface : ce qui en "
        "est enregistré demeure.",
        parameters=[if_match()],
        request=VariableChangeSerializer,
        responses={200: DictionaryVariableSerializer, **problems(*CHANGE)},
    )
    def patch(self, request: Request, name: str) -> Response:
        _require_seen(request, self.entry)
        given, used = checked(request, VariableChangeSerializer), variables_in_production()
        if given.get("retired"):
            _alone(given)
            retire_variable(name=name, reason=given.get("reason", ""), by=self.actor, used=used)
        else:
            change_variable(name=name, update=update_asked(given), by=self.actor, used=used)
        return _answer(request, get_entry(name))


def _alone(given: dict[str, Any]) -> None:
    """Let nothing but the reason stand beside a retirement."""
    if others := given.keys() - {"retired", "reason"}:
        message = _("A variable that is retired changes in nothing else.")
        raise InvalidValues(message, fields={name: [message] for name in sorted(others)})


def _require_seen(request: Request, entry: Entry) -> None:
    """Let a change pass over the state that the caller has read; a standard variable may have no row yet."""
    if entry.row is not None:
        require_match(request, entry.row)
    else:
        require_tag(request, _tag(entry))


def _tag(entry: Entry) -> str:
    return etag_of(entry.row) if entry.row is not None else tag_of(entry.variable.as_dict())


def _answer(request: Request, entry: Entry, *, status: int = 200) -> Response:
    body = entry_body(entry, variables_in_production())
    return detail(request, body, etag=_tag(entry), status=status)
