from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.institutions.models import Institution
from apps.jobs.services import create_job, send_job
from apps.scoring.services.portfolio import RESCORE
from apps.scoring.tasks import rescore_institution
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope


class Command(BaseCommand):
    help = "Ask a worker to score every undecided application of an institution again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("institution", help="code of the institution")

    def handle(self, *_args: Any, **options: Any) -> None:
        institution = Institution.objects.active().filter(code=options["institution"]).first()
        if institution is None:
            raise CommandError("No active institution has this code.")
        with tenant_scope(institution.pk):
            job = create_job(kind=RESCORE, by=task_actor(institution.pk))
            send_job(job=job, task=rescore_institution)
        self.stdout.write(f"Job {job.uid}")
