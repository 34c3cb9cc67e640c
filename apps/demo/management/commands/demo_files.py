import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.demo.cast import INSTITUTIONS
from apps.demo.synthetic.books import write_books
from apps.demo.synthetic.portfolio import generate
from apps.demo.synthetic.sheets import sheets_of, write_sheets

PREFIX = "X-"


class Command(BaseCommand):
    help = "Write the spreadsheets of a fictional portfolio, to try imports with; touches no database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where to write them")
        parser.add_argument("--rows", type=int, default=500, help="applications (default: 500)")
        parser.add_argument("--seed", type=int, default=11, help="another portfolio for another number")
        parser.add_argument(
            "--as-of", type=dt.date.fromisoformat, help="last day of the history (default: today)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["rows"] < 1:
            raise CommandError("--rows must be at least 1.")
        day, seed = options["as_of"] or timezone.localdate(), options["seed"]
        cities = [city for city, _region in INSTITUTIONS[0].cities]
        portfolio = generate(rows=options["rows"], as_of=day, seed=seed, cities=cities)
        sheets = sheets_of(portfolio, write_books(portfolio, as_of=day, seed=seed), prefix=PREFIX)
        written = write_sheets(sheets, options["folder"])
        self.stdout.write(f"{len(written)} fichiers dans {options['folder']}")
