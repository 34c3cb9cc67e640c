"""What every view of the API shares: the order of refusals is 401, 403, 404, 405."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.api.permissions import PUBLIC
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb


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


def json_object(request: Request) -> dict[str, Any]:
    """Return the body, which must be a JSON object."""
    if not isinstance(request.data, dict):
        raise InvalidValues(_("A JSON object is expected."))
    return dict(request.data)
