from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "apps.web"

    def ready(self) -> None:
        """Lend the words of the trail's actions to the reports, which stand below the pages."""
        from apps.reports.queries.lines import say_actions_by
        from apps.web.audit.presenters import action_labels

        say_actions_by(action_labels)
