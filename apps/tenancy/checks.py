"""System checks: a model, route, back-office page or task that forgot its lock does not start."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import autodiscover_modules

from apps.tenancy.catalogue import OPEN_ROUTES, PLATFORM_TASKS
from apps.tenancy.constraints import RowLevelSecurity, TenantPrimaryKey, TenantReference
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel
from apps.tenancy.roles import Verb

#: Rules that are not verbs: open to everybody, open to every member.
OPEN_RULES = ("public", "person", "member")
BODY_METHODS = ("get", "post", "put", "patch", "delete", "trace")


@register("tenancy")
def tenant_models_are_locked(
    *, app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Refuse a tenant model without its keys, its policy or its filtering manager."""
    configs = app_configs or list(apps.get_app_configs())
    found = [model for config in configs for model in config.get_models()]
    return [error for model in found if issubclass(model, TenantModel) for error in _faults(model)]


def _faults(model: type[TenantModel]) -> Iterator[CheckMessage]:
    constraints = model._meta.constraints
    for kind in (TenantPrimaryKey, RowLevelSecurity):
        if not any(isinstance(constraint, kind) for constraint in constraints):
            yield Error(f"{model.__name__} lacks {kind.__name__}", obj=model, id="tenancy.E001")
    if not isinstance(model._default_manager, TenantManager):
        yield Error(f"{model.__name__}'s default manager does not filter", obj=model, id="tenancy.E002")
    paired = {constraint.field for constraint in constraints if isinstance(constraint, TenantReference)}
    for field in model._meta.local_fields:
        if _points_inside(field) and (field.name not in paired or not isinstance(field, TenantForeignKey)):
            yield Error(
                f"{model.__name__}.{field.name} is not a paired TenantForeignKey",
                obj=model,
                id="tenancy.E003",
            )


def _points_inside(field: "models.Field[Any, Any]") -> bool:
    target = field.related_model
    return isinstance(target, type) and issubclass(target, TenantModel)


@register(Tags.urls)
def routes_declare_their_rule(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse a route that does not say who may use it, or an API method without its verb."""
    return [
        Error(
            f"Route {path!r} {fault}", hint="@allow(rule) on a page, verbs on an API view", id="tenancy.E004"
        )
        for path, pattern in routes(get_resolver())
        if path not in OPEN_ROUTES and (fault := _route_fault(pattern.callback))
    ]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield ``(path, pattern)`` of every route outside the back-office, whose pages answer for themselves."""
    for entry in resolver.url_patterns:
        path = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield path, entry
        elif entry.app_name != "admin":
            yield from routes(entry, path)


def _route_fault(callback: Any) -> str:
    view_class = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    if view_class is None:
        return "" if _is_rule(getattr(callback, "rule", None)) else "declares no rule"
    verbs = getattr(view_class, "verbs", None)
    if not isinstance(verbs, Mapping):
        return "" if verbs == "public" else "declares no verbs"
    handled = {method.upper() for method in BODY_METHODS if hasattr(view_class, method)}
    missing = sorted(handled - set(verbs)) or [name for name, verb in verbs.items() if verb not in Verb]
    return f"declares no verb for {', '.join(missing)}" if missing or not verbs else ""


def _is_rule(rule: object) -> bool:
    return rule in OPEN_RULES or rule in Verb


@register("tenancy")
def back_office_is_ruled(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse a back-office page outside ``RuledAdmin`` or without readers, and an inline without a rule."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    from django.contrib import admin

    return [
        Error(f"{type(page).__name__} declares no rule", obj=page.model, id="tenancy.E005")
        for page in admin.site._registry.values()  # noqa: SLF001  Django's own checks read it so
        if not _is_ruled(page)
    ]


def _is_ruled(page: Any) -> bool:
    from apps.tenancy.admin import RuledAdmin

    ruled = isinstance(page, RuledAdmin) and bool(page.reads or page.writes)
    return ruled and all(hasattr(inline, "reads") for inline in page.inlines)


@register("tenancy")
def tasks_are_signed(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse a task of ours that takes unsigned messages and is not on the platform's list."""
    return [
        Error(f"Task {name} is not a TenantTask", hint="PLATFORM_TASKS in catalogue.py", id="tenancy.E006")
        for name, task in sorted(own_tasks().items())
        if name not in PLATFORM_TASKS and not _is_signed(task)
    ]


def _is_signed(task: Any) -> bool:
    from apps.tenancy.celery import TenantTask

    return isinstance(task, TenantTask)


def own_tasks() -> dict[str, Any]:
    """Return name -> task of every Celery task of the project, Celery's own left aside."""
    from celery import current_app

    autodiscover_modules("tasks")
    return {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}
