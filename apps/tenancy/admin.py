"""What back-office pages share: rules by role, changes through services, no deletion, our own audit."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest

from apps.tenancy.actor import Actor
from apps.tenancy.context import PLATFORM_ALIAS, in_scope
from apps.tenancy.models import TenantModel
from apps.tenancy.roles import Verb


def admin_actor(request: HttpRequest) -> Actor | None:
    """Return who acts in the back-office, or ``None``."""
    actor: Actor | None = getattr(request, "actor", None)
    return actor


class RuledAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page declares who reads (``reads``) and who writes (``writes``): ``"operator"`` or a verb.

    The operator reads tenant tables through the platform's connection, which cannot write them.
    """

    ordering = ("pk",)  # pages and autocompletes of an unordered list repeat and miss rows
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, (*self.reads, *self.writes))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, self.writes)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, self.writes)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # nothing is deleted: rows are deactivated

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied  # before the search: else 403 or 302 would tell which rows exist
        return super().get_object(request, object_id, from_field)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        if issubclass(self.model, TenantModel) and not in_scope():
            return self.model.objects.db_manager(PLATFORM_ALIAS).all()
        return super().get_queryset(request)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """Our audit entry, written by the service, stands for Django's log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """Our audit entry, written by the service, stands for Django's log."""

    def _holds(self, request: HttpRequest, rules: tuple[str, ...]) -> bool:
        actor = admin_actor(request)
        if actor is None:
            return False
        if actor.kind == "operator":
            return "operator" in rules
        return any(actor.may(Verb(rule)) for rule in rules if rule != "operator")
