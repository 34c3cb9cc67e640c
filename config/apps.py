from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db import connections
from django.db.models.signals import post_migrate

from config.postgres.roles import HISTORY_PRIVILEGES


class ProjectConfig(AppConfig):
    """Loads the Celery application with Django, so that tasks sent from a page find their broker."""

    name = "config"

    def ready(self) -> None:
        from config import celery  # noqa: F401  registers itself as the current application

        # Once a migrate: the list of migrations exists only now on a new database.
        post_migrate.connect(_close_history, sender=apps.get_app_config("users"))


def _close_history(*, using: str, **_kwargs: Any) -> None:
    if using == "owner":
        with connections[using].cursor() as cursor:
            cursor.execute(HISTORY_PRIVILEGES)


class BackOfficeConfig(AdminConfig):
    """Django's admin with the site's own door."""

    default_site = "config.backoffice.BackOffice"
