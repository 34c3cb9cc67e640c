from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProjectConfig(AppConfig):
    """Loads the Celery application with Django, so that tasks sent from a page find their broker."""

    name = "config"

    def ready(self) -> None:
        from config import celery  # noqa: F401  registers itself as the current application


class BackOfficeConfig(AdminConfig):
    """Django's admin with the site's own door."""

    default_site = "config.backoffice.BackOffice"
