from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit.errors import BrokenTrail
from apps.audit.queries import PLATFORM_TRAIL, Finding, Trail, findings, institution_trail
from apps.audit.services import seal_trail
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope


class Command(BaseCommand):
    help = (
        "Seal the audit trail, then check every seal: entries altered, deleted, inserted or reordered, an "
        "end that was cut off or rewritten without the key. One line per finding and exit code 1; one line "
        "in all when it is whole. Keep that line elsewhere: it tells the length and the last hash."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--institution", metavar="CODE", help="this institution only")

    def handle(self, *_args: Any, institution: str | None = None, **_options: Any) -> None:
        self.heads: list[str] = []
        found = 0
        for code, finding in self._findings(institution):
            self.stderr.write(f"{code}: {finding.kind}: {finding}")
            found += 1
        if found:
            raise CommandError(f"{found} finding(s).", returncode=1)
        self.stdout.write(f"The audit trail is whole. {', '.join(self.heads)}")

    def _findings(self, code: str | None) -> Iterator[tuple[str, Finding]]:
        institutions = Institution.objects.order_by("code")
        chosen = institutions.filter(code=code) if code else institutions
        if code and not chosen:
            raise CommandError(f"No institution has the code {code}.")
        for institution in chosen:
            with tenant_scope(institution.pk):
                for finding in self._check(institution.code, institution_trail()):
                    yield institution.code, finding
        if not code:
            for finding in self._check("platform", PLATFORM_TRAIL):
                yield "platform", finding

    def _check(self, code: str, trail: Trail) -> Iterator[Finding]:
        with suppress(BrokenTrail):  # told as a finding
            seal_trail(trail, everything=True)
        yield from findings(trail)
        head = trail.heads.objects.first()
        self.heads.append(f"{code}: {head.count if head else 0} {head.hash[:16] if head else ''}".strip())
