from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.backup import BackupRefused, opened_archive
from config.backup import institution as one
from config.backup import platform as whole
from config.postgres.errors import PostgresError


class Command(BaseCommand):
    help = "Restore a backup into the empty database of the settings."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what `backup` wrote")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with opened_archive(options["file"]) as (manifest, folder):
                if manifest["kind"] == whole.KIND:
                    whole.restore_platform(folder)
                else:
                    one.restore_institution(folder, manifest)
        except (BackupRefused, PostgresError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{options['file']}: restored ({manifest['kind']}, version {manifest['version']})")
