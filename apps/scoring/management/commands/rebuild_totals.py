from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.institutions.models import Institution
from apps.scoring.services.totals import rebuild_totals
from apps.tenancy.context import tenant_scope


class Command(BaseCommand):
    help = "Count the totals of scores of an institution anew, from its scores and scored lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("institution", help="code of the institution")

    def handle(self, *_args: Any, **options: Any) -> None:
        institution = Institution.objects.active().filter(code=options["institution"]).first()
        if institution is None:
            raise CommandError("No active institution has this code.")
        with tenant_scope(institution.pk):
            scores = rebuild_totals()
        self.stdout.write(f"{scores} scores")
