"""Rows by thousands of values at once: one array, where ``__in`` would write a mark for each."""

from typing import Any

from django.db.models import Field, Lookup, Model, QuerySet
from django.db.models.expressions import Col


class Among(Lookup):
    """``column = ANY (array)``."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Write the condition with one parameter."""
        column, params = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.db_type(connection)
        return f"{column} = ANY (%s::{kind}[])", [*params, list(self.rhs)]


def among[M: Model](rows: "QuerySet[M, Any]", column: str, values: list[Any]) -> "QuerySet[M, Any]":
    """Leave the rows whose ``column`` (``credit_id``, ``reference``) holds one of ``values``."""
    field: Field[Any, Any] = next(
        each for each in rows.model._meta.local_concrete_fields if each.attname == column
    )
    return rows.filter(Among(Col(rows.model._meta.db_table, field), values))
