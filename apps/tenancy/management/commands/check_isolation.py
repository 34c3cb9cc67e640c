from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.tenancy.catalogue import violations


class Command(BaseCommand):
    help = "Check over the PostgreSQL catalogue that institutions are kept apart; silent when they are."

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = list(violations())
        for violation in found:
            self.stderr.write(f"{violation.rule}: {violation.subject}: {violation.problem}")
        if found:
            raise CommandError(f"{len(found)} violation(s).")
