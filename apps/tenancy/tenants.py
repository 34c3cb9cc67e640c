"""Which institutions there are and which may act, for what stands below ``apps.institutions``."""

from uuid import UUID

from django.db import connection


def every_institution() -> list[int]:
    """Return the keys of all institutions, suspended ones included."""
    return _keys("SELECT id FROM institutions_institution ORDER BY id")


def active_institutions() -> list[int]:
    """Return the keys of the institutions that are not suspended."""
    return _keys("SELECT id FROM institutions_institution WHERE status = 'active' ORDER BY id")


def is_active(institution_id: int) -> bool:
    """Say whether an institution exists and is not suspended, as committed now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM institutions_institution WHERE id = %s AND status = 'active'", [institution_id]
        )
        return cursor.fetchone() is not None


def institution_uid(institution_id: int) -> UUID:
    """Return the public identifier of an institution, the name of the folder of its files."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT uid FROM institutions_institution WHERE id = %s", [institution_id])
        uid: UUID = cursor.fetchone()[0]
        return uid


def _keys(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
