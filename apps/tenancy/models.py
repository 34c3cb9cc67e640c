"""What a tenant table inherits: the institution, two identifiers, a filtering manager."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.lookups import Exact

from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.context import PLATFORM_ALIAS, current_institution_id


def new_uid() -> uuid.UUID:
    """Return a public identifier: random, so that it tells neither volume nor order."""
    return uuid.uuid4()


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A reference inside the institution.

    The database key pairs the institution (``TenantReference``), and joins match on it, which gives
    good plans and is what a sharded PostgreSQL needs to prune.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs.setdefault("db_index", False)
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)

    def get_extra_restriction(self, alias: str | None, related_alias: str | None) -> Any:
        remote = self.related_model._meta.get_field("institution")
        local = self.model._meta.get_field("institution")
        return Exact(remote.get_col(alias), local.get_col(related_alias))  # type: ignore[union-attr,arg-type]


class TenantQuerySet[M: models.Model](models.QuerySet[M]):
    """Single-table filters of an app start from here."""


class TenantManager[M: models.Model](models.Manager[M]):
    """Adds the institution as a literal predicate; row-level security stays the lock."""

    def get_queryset(self) -> models.QuerySet[M]:
        queryset = super().get_queryset()
        if self._db == PLATFORM_ALIAS:
            return queryset
        return queryset.filter(institution_id=current_institution_id())


class TenantModel(models.Model):
    """Abstract parent of every table that belongs to one institution."""

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=new_uid, editable=False)
    institution = models.ForeignKey(
        "institutions.Institution",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        default=current_institution_id,
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
        constraints = tenant_constraints()
