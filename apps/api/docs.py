"""The page on which the API is tried; its parts come from this server."""

from django.views.generic import TemplateView

from apps.api.permissions import PUBLIC


class DocsView(TemplateView):
    """Swagger UI over the document; it holds no data and asks the API with the token that one gives it."""

    verbs = PUBLIC
    template_name = "api/docs.html"
    http_method_names = ["get", "head", "options"]
