"""System checks: a tenant model that forgot a lock does not start."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.db import models

from apps.tenancy.constraints import RowLevelSecurity, TenantPrimaryKey, TenantReference
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel


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
