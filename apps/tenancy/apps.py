from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "apps.tenancy"

    def ready(self) -> None:
        from django.db.backends.postgresql.features import DatabaseFeatures

        from apps.tenancy import checks  # noqa: F401  registers the system checks

        # The database's keys are (institution_id, id): GROUP BY id alone does not cover the other columns.
        DatabaseFeatures.allows_group_by_selected_pks = False
