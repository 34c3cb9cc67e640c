from functools import cache
from typing import Any

from django.urls import include, path
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.response import Response

from apps.api.docs import DocsView
from apps.api.permissions import PUBLIC

app_name = "api"


class SchemaView(SpectacularAPIView):
    """The contract as an OpenAPI document; it holds no data and is made once a process."""

    verbs = PUBLIC
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]

    def _get_schema_response(self, request: Any) -> Response:  # noqa: ARG002  the document is everybody's
        return Response(_document())


@cache
def _document() -> Any:
    with override("en"):  # the labels of choices, which name the lists of codes, are the same for everybody
        return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("v1/", include("apps.api.v1.urls")),
]
