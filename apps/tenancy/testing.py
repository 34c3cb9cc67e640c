"""What tests need of isolation: rows of several institutions made on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from apps.tenancy.context import SETTING


@contextmanager
def forgotten_scope(using: str = "default") -> Iterator[None]:
    """Blank the database setting, as a request without middleware would find it."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', true)", [SETTING])
    yield
