"""Is the process alive, is it ready: asked by load balancers, so plain and outside any log-in."""

import logging
import os
import tempfile
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.registry.services.versions import refused_models

logger = logging.getLogger(__name__)


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """Alive; touches nothing."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """200, or 503 with one line per dependency; models that do not load are listed, and fail nothing."""
    checks: dict[str, Callable[[], str]] = {
        "database": _database,
        "migrations": _migrations,
        "broker": _broker,
    }
    found: dict[str, object] = {name: _verdict(name, check) for name, check in checks.items()}
    ready = all(verdict == "ok" for verdict in found.values())
    if ready and (broken := refused_models()):
        found["models_not_loaded"] = broken
    return JsonResponse({"status": "ok" if ready else "unavailable", **found}, status=200 if ready else 503)


def _verdict(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, OSError) as error:
        logger.warning("Not ready: %s does not answer (%s)", name, type(error).__name__)
        return "unavailable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


def _broker() -> str:
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        folder = settings.CELERY_QUEUE_DIR / "messages"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder.parent)
        os.close(descriptor)
        os.unlink(name)  # noqa: PTH108  the name came from mkstemp
        return "ok"
    if settings.CELERY_BROKER_URL.startswith("memory"):
        return "ok"
    from config.celery import app

    with app.connection_for_read() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)
    return "ok"
