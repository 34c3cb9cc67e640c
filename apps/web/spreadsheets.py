"""Tables as files for a spreadsheet in French: byte-order mark, semicolons, decimal commas, no formula."""

import csv
import datetime as dt
import io
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

from apps.tenancy.cells import harmless


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows of texts, numbers and days as a French spreadsheet opens them by a double click.

    Numbers are whole to their last digit, without exponents; None and what is not finite are nothing.
    """
    file = io.StringIO()
    file.write("\ufeff")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case float():
            text = format(Decimal(repr(value)), "f") if math.isfinite(value) else ""
            return text.removesuffix(".0").replace(".", ",")
        case dt.date():
            return f"{value:%d/%m/%Y}"
        case _:
            return harmless(value)


def csv_answer(name: str, rows: Iterable[Iterable[Any]]) -> HttpResponse:
    """Return the answer that gives rows as the file ``name``; no cache keeps it."""
    return attached(csv_text(rows), name, "text/csv; charset=utf-8")


def attached(content: str | bytes, name: str, kind: str) -> HttpResponse:
    """Return the answer that gives a file to keep, which no cache on the way keeps."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(content, content_type=kind, headers=headers)
