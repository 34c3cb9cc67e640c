"""Statements made once: on a hot path, building the SQL costs more than the database's answer."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import RelatedPopulator
from psycopg import errors, pq

from apps.tenancy.context import compiling_for, current_institution_id

_INSTITUTION = "institution"
#: What stands in for each parameter while the SQL is made, found again in it by equality.
_MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda number: 9_000_000_000_000_000 + number,
    str: lambda number: f"parameter {number}",
    uuid.UUID: lambda number: uuid.UUID(int=number + 1),
    dt.date: lambda number: dt.date(1900, 1, 1 + number),
    dt.datetime: lambda number: dt.datetime(1900, 1, 1 + number, tzinfo=dt.UTC),
}


class Prepared[M: models.Model]:
    """A queryset of which only the parameters change from one call to the next.

    ``build`` receives one keyword a parameter, of the type that ``kinds`` tells, and must hand each to the
    SQL unchanged. In a tenant queryset the institution of the open scope is a parameter too.
    """

    def __init__(
        self, build: Callable[..., models.QuerySet[M]], *, tenant: bool = False, **kinds: type
    ) -> None:
        self._build = build
        self._tenant = tenant
        self._kinds = {**kinds, _INSTITUTION: int} if tenant else kinds
        self._plan: _Plan[M] | None = None

    def rows(self, **given: Any) -> list[M]:
        """Return the rows as objects, with what the queryset selects beside them."""
        if self._tenant:
            given[_INSTITUTION] = current_institution_id()
        if self._plan is None:
            self._plan = self._compiled()
        return self._plan.rows(given)

    def first(self, **given: Any) -> M | None:
        """Return the first row or ``None``; the queryset itself should ask for one."""
        found = self.rows(**given)
        return found[0] if found else None

    def _compiled(self) -> "_Plan[M]":
        marks = {name: _MARKS[kind](number) for number, (name, kind) in enumerate(self._kinds.items())}
        wanted = {name: mark for name, mark in marks.items() if name != _INSTITUTION}
        if not self._tenant:
            return _Plan(self._build(**wanted), marks)
        with compiling_for(marks[_INSTITUTION]):
            return _Plan(self._build(**wanted), marks)


def insert(row: models.Model) -> None:
    """Insert a new row and give it its number: ``save(force_insert=True)`` without compiling, no signals."""
    fields, sql = _insertion(type(row))
    connection = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insertion(model: type[models.Model]) -> tuple[list[Any], str]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    return fields, f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {key}"  # noqa: S608  names of the model


Row = tuple[str | None, ...]
_numbers = itertools.count(1)
#: What each connection of this process has prepared.
_prepared: WeakKeyDictionary[Any, set[bytes]] = WeakKeyDictionary()


class Call:
    """One statement that answers one row, prepared once a connection; texts go in and come out.

    Parameters are written ``$1``. It runs at the lowest level of the driver, where a statement costs a fifth
    of what it costs through a cursor. Behind a pooler that lends another connection for each transaction
    and does not follow prepared statements, it goes on unprepared.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql.encode()
        self._name = f"credisense_{next(_numbers)}".encode()
        self._prepares = True

    def row(self, values: Sequence[str | None]) -> Row:
        """Run the statement in the thread's connection, in its transaction if one is open."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        connection.ensure_connection()
        connection.validate_no_broken_transaction()
        if connection.queries_logged:
            connection.queries_log.append({"sql": self._sql.decode(), "time": "0"})
        given = [None if value is None else value.encode() for value in values]
        with connection.wrap_database_errors:
            _begin(connection)
            result = self._result(connection.connection, given)
        found = (result.get_value(0, place) for place in range(result.nfields))
        return tuple(None if value is None else value.decode() for value in found)

    def _result(self, raw: Any, given: list[bytes | None]) -> Any:
        if not self._prepares:
            return _good(raw.pgconn, raw.pgconn.exec_params(self._sql, given))
        known = _prepared.setdefault(raw, set())
        try:
            if self._name not in known:
                _good(raw.pgconn, raw.pgconn.prepare(self._name, self._sql))
                known.add(self._name)
            return _good(raw.pgconn, raw.pgconn.exec_prepared(self._name, given))
        except (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement):
            self._prepares = False
            return _good(raw.pgconn, raw.pgconn.exec_params(self._sql, given))


def _begin(connection: Any) -> None:
    """Begin what the driver would with its own first statement: below it, a lone statement commits itself."""
    pgconn = connection.connection.pgconn
    if connection.in_atomic_block and pgconn.transaction_status == pq.TransactionStatus.IDLE:
        _good(pgconn, pgconn.exec_(b"BEGIN"))


def _good(pgconn: Any, result: Any) -> Any:
    if pgconn.status != pq.ConnStatus.OK:
        raise errors.OperationalError("the connection is lost")
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        raise errors.error_from_result(result)
    return result


class _Plan[M: models.Model]:
    """The SQL, where its parameters go, and how its columns become objects."""

    def __init__(self, queryset: models.QuerySet[M], marks: dict[str, Any]) -> None:
        compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, parameters = compiler.as_sql()
        names = {mark: name for name, mark in marks.items()}
        self.parameters = [(names.get(value), value) for value in parameters]
        if missing := set(marks) - {name for name, _value in self.parameters}:
            raise ValueError(f"The SQL takes no parameter {sorted(missing)}.")
        own = compiler.klass_info["select_fields"]
        self.model: type[M] = compiler.klass_info["model"]
        self.own = slice(own[0], own[-1] + 1)
        self.names = [column[0].target.attname for column in compiler.select[self.own]]
        related = compiler.klass_info.get("related_klass_infos", [])
        populator: Any = RelatedPopulator  # the stubs describe the next release of Django
        self.related: list[Any] = [populator(each, compiler.select, DEFAULT_DB_ALIAS) for each in related]
        self.converters = compiler.get_converters([column[0] for column in compiler.select]).items()

    def rows(self, given: dict[str, Any]) -> list[M]:
        values = [value if name is None else given[name] for name, value in self.parameters]
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, values)
            return [self._object(list(row), connection) for row in cursor.fetchall()]

    def _object(self, row: list[Any], connection: Any) -> M:
        for place, (converters, expression) in self.converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        found = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.own])
        for each in self.related:
            each.populate(row, found)
        return found
