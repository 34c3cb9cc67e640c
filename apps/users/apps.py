from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "apps.users"
    verbose_name = _("Users")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from apps.users.services.sessions import attach_session

        def attach(sender: object, request: object, user: object, **_extra: object) -> None:  # noqa: ARG001
            attach_session(request=request, user=user)  # type: ignore[arg-type]

        # A signal, because Django opens sessions in several places and none may be without its row.
        user_logged_in.connect(attach, weak=False, dispatch_uid="users.attach_session")
