from typing import Any

from django.core.management.base import BaseCommand

from apps.credits.services.clients import reindex_clients
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope


class Command(BaseCommand):
    help = "Compute again what clients are found by (name, phone, document): needed after a new index key."

    def handle(self, *_args: Any, **_options: Any) -> None:
        changed = 0
        for institution in Institution.objects.order_by("pk"):
            last: int | None = 0
            while last is not None:
                with tenant_scope(institution.pk):
                    last, chunk = reindex_clients(after=last, institution_id=institution.pk)
                changed += chunk
        self.stdout.write(f"{changed} client(s) changed.")
