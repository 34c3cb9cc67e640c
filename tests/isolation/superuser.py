"""A connection of the embedded server's superuser, for defects that no role of the site could make."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connections, transaction

from config import postgres
from config.postgres.state import SUPERUSER, plan


def needs_superuser():
    """Skip a test where the server is not ours."""
    if not postgres.is_embedded():
        pytest.skip("DATABASE_URL names another server: its superuser is not ours to use")


def superuser_dsn():
    """Return the superuser's address, in a database that no test drops under it."""
    needs_superuser()
    return plan(settings.DATA_DIR).dsn(SUPERUSER, "postgres")


@contextmanager
def rolled_back_superuser() -> Iterator[str]:
    """Give alias ``owner`` to the superuser inside a transaction that is undone, whatever was altered."""
    needs_superuser()
    password = plan(settings.DATA_DIR).passwords[SUPERUSER]
    kept = connections["owner"]
    mine = type(kept)({**kept.settings_dict, "USER": SUPERUSER, "PASSWORD": password}, "owner")
    connections["owner"] = mine
    try:
        with transaction.atomic(using="owner"):
            yield "owner"
            transaction.set_rollback(True, using="owner")
    finally:
        mine.close()
        connections["owner"] = kept
