"""Cells as people read them, in the language of the report."""

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.engine.contracts import Lang
from apps.engine.wording import FIRM, NARROW
from apps.reports.queries.documents import Cell, CellKind

MISSING = "\N{EM DASH}"


def shown(value: Cell, kind: CellKind, lang: Lang) -> str:
    """Return a cell in words; what is not known is a dash."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, dt.datetime):
        return date_format(timezone.localtime(value), "d/m/Y H:i")
    if isinstance(value, dt.date):
        return date_format(value, "m/Y" if kind == "month" else "d/m/Y")
    if isinstance(value, str):
        return value
    return _number(value, kind, lang)


def _number(value: float, kind: CellKind, lang: Lang) -> str:
    match kind:
        case "money":
            digits = grouped(value, 0, lang)
            return f"{digits}{FIRM}FCFA" if lang == "fr" else f"XAF{FIRM}{digits}"
        case "rate":
            digits = grouped(100 * value, 2, lang)
            return f"{digits}{FIRM}%" if lang == "fr" else f"{digits}%"
        case "points":
            return grouped(value, 0 if float(value).is_integer() else 1, lang)
        case _:
            return grouped(value, 0 if float(value).is_integer() else 2, lang)


def grouped(value: float, decimals: int, lang: Lang) -> str:
    """Write a number grouped by three, with exactly so many decimals."""
    text = f"{value:,.{decimals}f}"
    return text if lang == "en" else text.replace(",", NARROW).replace(".", ",")


def period_words(starts_on: dt.date, ends_on: dt.date) -> str:
    """Return the days of a report, one day or « from … to … »."""
    first, last = (date_format(day, "d/m/Y") for day in (starts_on, ends_on))
    return first if starts_on == ends_on else _("From %(first)s to %(last)s") % {"first": first, "last": last}
