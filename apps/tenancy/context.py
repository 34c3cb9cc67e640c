"""``tenant_scope``: the only way to reach tenant rows.

The institution is set *local to a transaction*, so that poolers cannot carry it to somebody else,
and in a context variable, so that the default manager can add its literal filter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from apps.tenancy.errors import NoTenantScope, ScopeConflict

SETTING = "app.institution_id"
PLATFORM_ALIAS = "platform"

_institution: ContextVar[int | None] = ContextVar("institution", default=None)


def current_institution_id() -> int:
    """Return the institution of the open scope; raise ``NoTenantScope`` when there is none."""
    institution_id = _institution.get()
    if institution_id is None:
        raise NoTenantScope("No tenant_scope is open: tenant data cannot be reached here.")
    return institution_id


def in_scope() -> bool:
    """Say whether a scope is open in this thread or task."""
    return _institution.get() is not None


@contextmanager
def compiling_for(institution_id: int) -> Iterator[None]:
    """Let querysets be built for a stand-in, compiled and never run; the database is not told."""
    token = _institution.set(institution_id)
    try:
        yield
    finally:
        _institution.reset(token)


@contextmanager
def tenant_scope(institution_id: int, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Open one transaction in which the database shows only ``institution_id``.

    Nesting into the same institution is a savepoint; into another one raises ``ScopeConflict``. The
    previous setting is restored when the scope ends: ``set_config(..., true)`` outlives a released
    savepoint, and a forgotten scope inside an outer transaction would otherwise pass unseen.
    """
    outer = _institution.get()
    if outer not in (None, institution_id):
        raise ScopeConflict("A scope of another institution is open.")
    connection = connections[using]
    nested = connection.in_atomic_block
    with transaction.atomic(using=using):
        previous = _switch(using, str(int(institution_id)))
        token = _institution.set(institution_id)
        try:
            yield
        finally:
            _institution.reset(token)
        # After an error the savepoint's rollback restores the setting by itself.
        if nested and not connection.needs_rollback:
            _switch(using, previous)


def undo_writes() -> None:
    """Undo what was written in the open scope; the scope stays open until its own end."""
    if in_scope():
        transaction.set_rollback(True)


def _switch(using: str, value: str) -> str:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT previous, set_config(%s, %s, true)"
            " FROM (SELECT coalesce(current_setting(%s, true), '') AS previous OFFSET 0) AS before",
            [SETTING, value, SETTING],
        )
        row = cursor.fetchone()
    return str(row[0])
