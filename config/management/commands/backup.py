from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.audit.services import record_platform
from apps.institutions.models import Institution
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Role
from config.backup import BackupRefused
from config.backup.institution import backup_institution
from config.backup.platform import backup_platform
from config.postgres.errors import PostgresError


class Command(BaseCommand):
    help = "Write a backup of the whole platform, or of one institution, into one new file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file to write; never one that exists")
        parser.add_argument(
            "--institution", metavar="CODE", help="only this institution's own rows and files"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        target, institution = options["file"].absolute(), _institution(options["institution"])
        try:
            if institution is None:
                backup_platform(target, version=settings.VERSION)
            else:
                backup_institution(target, institution, version=settings.VERSION)
        except (BackupRefused, PostgresError) as refusal:
            raise CommandError(str(refusal)) from refusal
        _leave_trace(institution)
        self.stdout.write(f"{target}: {target.stat().st_size} bytes")


def _institution(code: str | None) -> Institution | None:
    if code is None:
        return None
    institution = Institution.objects.filter(code=code).first()
    if institution is None:
        raise CommandError("No institution has this code.")
    return institution


def _leave_trace(institution: Institution | None) -> None:
    operator = Actor("operator", None, None, None, Role.OPERATEUR, display_name="manage.py")
    key = institution.pk if institution is not None else None
    record_platform(by=operator, action="backup.create", institution_id=key, reason="manage.py backup")
