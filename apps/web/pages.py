"""Cursor pages over rows ordered by creation, newest first; no OFFSET, however long the list."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

SIZE = 25
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CursorPage:
    rows: list[Any]
    next_url: str | None
    previous_url: str | None


def cursor_page(request: HttpRequest, rows: QuerySet[Any], *, moment: str = "created_at") -> CursorPage:
    """Return one page of ``rows`` (which have ``moment``, an instant, and ``uid``), after or before a cursor.

    ``?apres=`` and ``?avant=`` hold an instant; the other parameters, filters, are kept from page to page.
    A cursor that cannot be read is a 404.
    """
    after, before = request.GET.get("apres"), request.GET.get("avant")
    if before:
        found = list(rows.filter(_beyond(before, moment, "gt")).order_by(moment, "uid")[: SIZE + 1])
        shown = found[:SIZE][::-1]
        return _page(request, shown, moment, older=True, newer=len(found) > SIZE)
    older = rows.filter(_beyond(after, moment, "lt")) if after else rows
    found = list(older.order_by(f"-{moment}", "-uid")[: SIZE + 1])
    return _page(request, found[:SIZE], moment, older=len(found) > SIZE, newer=bool(after))


def _page(request: HttpRequest, rows: list[Any], moment: str, *, older: bool, newer: bool) -> CursorPage:
    return CursorPage(
        rows=rows,
        next_url=_url(request, "apres", rows[-1], moment) if rows and older else None,
        previous_url=_url(request, "avant", rows[0], moment) if rows and newer else None,
    )


def _url(request: HttpRequest, name: str, row: Any, moment: str) -> str:
    query = request.GET.copy()
    query.pop("apres", None)
    query.pop("avant", None)
    query[name] = f"{(getattr(row, moment) - EPOCH) // MICROSECOND}-{row.uid}"
    return f"?{query.urlencode()}"


def _beyond(cursor: str, moment: str, side: str) -> Q:
    """Rows past a cursor; the first condition bounds the index, which an OR alone does not."""
    instant, uid = _read(cursor)
    bound = Q(**{f"{moment}__{side}e": instant})
    return bound & (Q(**{f"{moment}__{side}": instant}) | Q(**{f"uid__{side}": uid}))


def _read(cursor: str) -> tuple[dt.datetime, UUID]:
    micros, _separator, uid = cursor.partition("-")
    try:
        return EPOCH + int(micros) * MICROSECOND, UUID(uid)
    except (ValueError, OverflowError):
        raise Http404 from None
