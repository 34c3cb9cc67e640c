import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.demo.cast import INSTITUTIONS
from apps.demo.seeding.everything import seed
from apps.demo.seeding.people import logins
from apps.tenancy.errors import DomainError


class Command(BaseCommand):
    help = "Load the fictional institutions, their history and a trained model; safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rows", type=int, help="applications of the first institution; the others follow"
        )
        parser.add_argument(
            "--as-of", type=dt.date.fromisoformat, help="last day of the history (default: today)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            seed(rows=self._rows(options["rows"]), as_of=options["as_of"], say=self.stdout.write)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self._tell_logins()

    def _rows(self, first: int | None) -> dict[str, int] | None:
        if first is None:
            return None
        if first < 1:
            raise CommandError("--rows must be at least 1.")
        share = first / INSTITUTIONS[0].rows
        return {demo.code: max(1, round(demo.rows * share)) for demo in INSTITUTIONS}

    def _tell_logins(self) -> None:
        self.stdout.write(f"\nComptes (mot de passe {settings.DEMO_PASSWORD}) :")
        for email, role in logins():
            self.stdout.write(f"  {email:32} {role}")
        self.stdout.write(f"\nClé de bac à sable ({INSTITUTIONS[0].name}), en-tête des requêtes de l'API :")
        self.stdout.write(f"  Authorization: Api-Key {settings.DEMO_API_KEY}")
