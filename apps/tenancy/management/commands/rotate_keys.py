from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.tenancy.rotation import CHUNK, rotate


class Command(BaseCommand):
    help = "Encrypt personal data again with the newest field key; safe to interrupt and to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only count; fails while a value uses an old key"
        )
        parser.add_argument("--chunk", type=int, default=CHUNK, help="rows in one transaction")

    def handle(self, *_args: Any, **options: Any) -> None:
        check, chunk = options["check"], max(1, options["chunk"])
        verb = "under an old key" if check else "encrypted again"
        older = unreadable = 0
        for column in rotate(check=check, chunk=chunk):
            self.stdout.write(
                f"{column.column}: {column.newest} under the newest key, {column.older} {verb}, "
                f"{column.unreadable} under an unknown key"
            )
            older, unreadable = older + column.older, unreadable + column.unreadable
        if unreadable:
            raise CommandError(f"{unreadable} value(s) can be read by no key of CREDISENSE_FIELD_KEYS.")
        if check and older:
            raise CommandError(f"{older} value(s) use an old key: run rotate_keys before dropping it.")
