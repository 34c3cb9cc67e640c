"""The back-office has no door of its own: one log-in, with its lock-out and second factor, for all."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

from apps.users.services.sessions import leave


class BackOffice(AdminSite):
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect_to_login(request.GET.get("next", resolve_url("admin:index")))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        if request.method == "POST":  # a link of another site must not log out
            leave(request=request)
        return redirect("web:login")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return redirect("web:password_change")
