"""Every route of the platform. People read French addresses, machines English ones."""

from django.contrib import admin
from django.urls import include, path

from apps.api.docs import DocsView
from apps.web.accounts.views import set_language
from config import health, metrics

admin.site.site_header = admin.site.site_title = "CrediSense"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("health", health.healthz, name="health"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("langue", set_language, name="set_language"),
    path("docs", DocsView.as_view(), name="docs"),
    path("admin/", admin.site.urls),
    path("api/", include("apps.api.urls")),
    path("", include("apps.web.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
