"""``tenant_scope``: the only way to reach tenant rows.

The institution is set *local to a transaction*, so that poolers cannot carry it to somebody else,
and in a context variable, so that the default manager can add its literal filter.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from apps.tenancy.errors import NoTenantScope, ScopeConflict

SETTING = "app.institution_id"
PLATFORM_ALIAS = "platform"

_institution: ContextVar[int | None] = ContextVar("institution", default=None)
#: Whether the institution was set in the database too.
_open: ContextVar[bool] = ContextVar("open", default=False)
_light: ContextVar["LightScope | None"] = ContextVar("light", default=None)


def current_institution_id() -> int:
    """Return the institution of the open scope; raise ``NoTenantScope`` when there is none."""
    institution_id = _institution.get()
    if institution_id is None:
        raise NoTenantScope("No tenant_scope is open: tenant data cannot be reached here.")
    return institution_id


def in_scope() -> bool:
    """Say whether a scope, hence its transaction, is open in this thread or task."""
    return _open.get()


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
        token, opened = _institution.set(institution_id), _open.set(True)
        try:
            yield
        finally:
            _open.reset(opened)
            _institution.reset(token)
        # After an error the savepoint's rollback restores the setting by itself.
        if nested and not connection.needs_rollback:
            _switch(using, previous)


class LightScope:
    """A scope without a transaction, for a request that reads first and writes last.

    Each is one function of the database, which sets the institution for itself and for no longer. Any other
    statement on tenant rows fails there, unless ``whole_scope`` opened the transaction.
    """

    def __init__(self, institution_id: int, stack: ExitStack) -> None:
        self._institution_id = institution_id
        self._stack = stack
        self._writes: list[Callable[[], None]] = []

    def open(self) -> None:
        """Open the transaction, until the end of this scope."""
        if not in_scope():
            self._stack.enter_context(tenant_scope(self._institution_id))

    def put_off(self, write: Callable[[], None]) -> None:
        """Have ``write`` run at the end, if what asked for it does not fail meanwhile."""
        self._writes.append(write)

    def forget(self) -> None:
        """Drop what was put off."""
        self._writes.clear()

    def finish(self) -> None:
        """Run what was put off."""
        for write in self._writes:
            write()


@contextmanager
def light_scope(institution_id: int) -> Iterator[LightScope]:
    """Name the institution of a request without a transaction; the caller calls ``finish`` at the end."""
    token = _institution.set(institution_id)
    try:
        with ExitStack() as stack:
            scope = LightScope(institution_id, stack)
            light = _light.set(scope)
            try:
                yield scope
            finally:
                _light.reset(light)
    finally:
        _institution.reset(token)


def whole_scope() -> None:
    """Open the transaction of the request's light scope; nothing to do in a whole one."""
    scope = _light.get()
    if scope is not None:
        scope.open()


def put_off(write: Callable[[], None]) -> None:
    """Run ``write`` when the request of the open light scope has been answered; at once in a whole one."""
    scope = _light.get()
    if scope is None:
        write()
    else:
        scope.put_off(write)


def undo_writes() -> None:
    """Undo what was written in the open scope, or was to be; the scope stays open until its own end."""
    scope = _light.get()
    if scope is not None:
        scope.forget()
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
