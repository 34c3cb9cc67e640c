"""What every view of the API shares: the order of refusals is 401, 403, 404, 405."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.db import models
from django.utils.translation import gettext as _
from drf_spectacular.plumbing import get_lib_doc_excludes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.fields import StrictSerializer
from apps.api.permissions import PUBLIC
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ChangedMeanwhile, DomainError, InvalidValues
from apps.tenancy.roles import Verb
from apps.tenancy.versions import lock_unchanged, version_of


class ApiView(APIView):
    """A view that declares its verbs and, for a route with an object, how the object is found."""

    verbs: ClassVar[Mapping[str, Verb] | str] = {}

    @property
    def actor(self) -> Actor:
        return cast("Actor", self.request.auth)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.find(**kwargs)

    def find(self, **kwargs: Any) -> None:
        """Load the route's object, or raise ``ObjectNotFound``; before the method is looked at."""


class PublicView(ApiView):
    """A view open to callers without log-in."""

    verbs = PUBLIC
    authentication_classes = ()


def inner_classes() -> list[type]:
    """Return the classes whose docstrings are for us: what derives from them does not inherit their words."""
    theirs: list[type] = get_lib_doc_excludes()  # type: ignore[no-untyped-call]
    return [*theirs, ApiView, PublicView, StrictSerializer]


def json_object(request: Request) -> dict[str, Any]:
    """Return the body, which must be a JSON object."""
    if not isinstance(request.data, dict):
        raise InvalidValues(_("A JSON object is expected."))
    return dict(request.data)


def checked(
    request: Request, serializer: type[serializers.Serializer[Any]], *, partial: bool = False
) -> dict[str, Any]:
    """Return the checked fields of the body; raise naming those that cannot be used."""
    given = serializer(data=json_object(request), partial=partial)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class PreconditionRequired(DomainError):
    """A change without ``If-Match``."""

    code = "precondition_required"


def etag_of(row: models.Model, *beside: object) -> str:
    """Return the entity tag of a row as the API shows it."""
    return f'"{version_of(row, *beside)}"'


def require_match(request: Request, row: models.Model, *beside: object) -> None:
    """Let a change pass only over the state that the caller has read, and keep that state until it is done.

    Raises ``PreconditionRequired`` without ``If-Match``, ``ChangedMeanwhile`` for another state.
    """
    require_tag(request, etag_of(row, *beside))
    lock_unchanged(row)


def require_tag(request: Request, tag: str) -> None:
    """Let a change pass only when the caller names ``tag`` in ``If-Match``; raises as ``require_match``."""
    tags = _tags(request, "If-Match")
    if not tags:
        raise PreconditionRequired(_("Send the ETag of the record that you read in If-Match."))
    if not {"*", tag} & tags:
        raise ChangedMeanwhile(_("Somebody saved this record after you read it: read it again."))


def detail(request: Request, body: dict[str, Any], *, etag: str = "", status: int = 200) -> Response:
    """Answer one object with its entity tag; 304 to who has this very state already."""
    tag = etag or tag_of(body)
    if request.method == "GET" and {"*", tag} & _tags(request, "If-None-Match"):
        return Response(status=304, headers={"ETag": tag})
    return Response(body, status=status, headers={"ETag": tag})


def _tags(request: Request, header: str) -> set[str]:
    """Return the entity tags of a header; compression had made ours weak, which says nothing here."""
    return {tag.strip().removeprefix("W/") for tag in request.headers.get(header, "").split(",")} - {""}


def tag_of(body: dict[str, Any]) -> str:
    """Return the entity tag of what is shown."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"'
