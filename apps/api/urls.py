from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from apps.api.permissions import PUBLIC

app_name = "api"


class SchemaView(SpectacularAPIView):
    """The contract as an OpenAPI document; it holds no data."""

    verbs = PUBLIC


urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("v1/", include("apps.api.v1.urls")),
]
