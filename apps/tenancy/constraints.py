"""Isolation as constraints on Django's public API, carried by migrations like any other.

Row-level security does not apply to foreign-key and unique checks, so every key of a tenant table
contains ``institution_id`` in the database; Django goes on seeing one field as the primary key.
"""

from collections.abc import Sequence
from typing import Any

from django.db import models

POLICY = "institution_id = (SELECT current_setting('app.institution_id')::bigint)"


class SqlConstraint(models.BaseConstraint):
    """A constraint made of plain SQL; concerns the database only, never a form."""

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        raise NotImplementedError

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        raise NotImplementedError

    def validate(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing to say before the database does."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SqlConstraint):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self.name))


class TenantPrimaryKey(SqlConstraint):
    """``PRIMARY KEY (institution_id, <key>)`` in place of ``PRIMARY KEY (<key>)``."""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        return _primary_key(model, schema_editor, f"institution_id, {model._meta.pk.column}")

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return _primary_key(model, schema_editor, model._meta.pk.column)


def _primary_key(model: Any, editor: Any, columns: str) -> str:
    table = model._meta.db_table
    key = editor.quote_name(f"{table}_pkey")
    return (
        f"ALTER TABLE {editor.quote_name(table)} DROP CONSTRAINT {key}, "
        f"ADD CONSTRAINT {key} PRIMARY KEY ({columns})"
    )


class RowLevelSecurity(SqlConstraint):
    """ENABLE and FORCE row-level security, one policy for the site, one for owner and platform.

    The owner needs its own policy, or ADD FOREIGN KEY and data migrations silently see no row.
    """

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; "
            f"CREATE POLICY tenant ON {table} TO credisense_app USING ({POLICY}) WITH CHECK ({POLICY}); "
            f"CREATE POLICY owner ON {table} TO credisense_owner USING (true) WITH CHECK (true); "
            f"CREATE POLICY platform ON {table} FOR SELECT TO credisense_platform USING (true)"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        drops = "; ".join(f"DROP POLICY {name} ON {table}" for name in ("tenant", "owner", "platform"))
        return f"{drops}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"


class AppendOnly(SqlConstraint):
    """The site may insert and read, never change or remove."""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        return (
            f"REVOKE UPDATE, DELETE ON {schema_editor.quote_name(model._meta.db_table)} FROM credisense_app"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f"GRANT UPDATE, DELETE ON {schema_editor.quote_name(model._meta.db_table)} TO credisense_app"


class TenantReference(SqlConstraint):
    """``FOREIGN KEY (institution_id, x_id) REFERENCES other (institution_id, id)`` for one field."""

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, tuple(args), {**kwargs, "field": self.field}

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        field = model._meta.get_field(self.field)
        target = field.related_model._meta.db_table
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)} "
            f"FOREIGN KEY (institution_id, {quote(field.column)}) "
            f"REFERENCES {quote(target)} (institution_id, id) DEFERRABLE INITIALLY DEFERRED"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"


class ChainReference(SqlConstraint):
    """``FOREIGN KEY (institution_id, a, b) REFERENCES other (institution_id, x, y)`` for several columns.

    The columns of ``to`` must be unique together with the institution.
    """

    def __init__(self, *, columns: Sequence[str], to: str, to_columns: Sequence[str], name: str) -> None:
        super().__init__(name=name)
        self.columns, self.to, self.to_columns = tuple(columns), to, tuple(to_columns)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        told = {"columns": self.columns, "to": self.to, "to_columns": self.to_columns}
        return path, tuple(args), {**kwargs, **told}

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        here, there = (", ".join(map(quote, names)) for names in (self.columns, self.to_columns))
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)} "
            f"FOREIGN KEY (institution_id, {here}) REFERENCES {quote(self.to)} (institution_id, {there}) "
            f"DEFERRABLE INITIALLY DEFERRED"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"


class Undeletable(SqlConstraint):
    """The site may insert, read and change, never remove."""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        return f"REVOKE DELETE ON {schema_editor.quote_name(model._meta.db_table)} FROM credisense_app"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f"GRANT DELETE ON {schema_editor.quote_name(model._meta.db_table)} TO credisense_app"


def tenant_constraints(
    *references: str, append_only: bool = False, uid_is_key: bool = False
) -> list[models.BaseConstraint]:
    """Return what every tenant table carries, plus one paired key per tenant foreign key named.

    ``uid_is_key`` is for a table whose primary key is the ``uid``.
    """
    prefix = "%(app_label)s_%(class)s"
    unique = models.UniqueConstraint(fields=["institution", "uid"], name=f"{prefix}_uid")
    carried: list[models.BaseConstraint] = [
        TenantPrimaryKey(name=f"{prefix}_tenant_pk"),
        RowLevelSecurity(name=f"{prefix}_rls"),
        *([] if uid_is_key else [unique]),
        *(TenantReference(field=field, name=f"{prefix}_{field}_tenant_fk") for field in references),
    ]
    if append_only:
        carried.append(AppendOnly(name=f"{prefix}_append_only"))
    return carried
