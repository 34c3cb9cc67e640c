"""Named locks of the open transaction: one at a time, whatever the process or the machine."""

from django.db import connection

from apps.tenancy.context import current_institution_id


def wait_for_lock(name: str) -> None:
    """Take the lock ``name`` of the institution in scope till the transaction ends; wait for who holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_full(name)])


def take_lock(name: str) -> bool:
    """Take the lock ``name`` of the institution till the transaction ends; ``False`` while somebody holds it.

    A lock rather than a row: whoever dies lets go of it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [_full(name)])
        return bool(cursor.fetchone()[0])


def _full(name: str) -> str:
    return f"{current_institution_id()}:{name}"
