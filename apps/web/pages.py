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


def cursor_page(request: HttpRequest, rows: QuerySet[Any]) -> CursorPage:
    """Return one page of ``rows`` (which have ``created_at`` and ``uid``), after or before a cursor.

    ``?apres=`` and ``?avant=`` hold an instant; a cursor that cannot be read is a 404.
    """
    after, before = request.GET.get("apres"), request.GET.get("avant")
    if before:
        found = list(rows.filter(_newer(before)).order_by("created_at", "uid")[: SIZE + 1])
        shown = found[:SIZE][::-1]
        return _page(shown, older=True, newer=len(found) > SIZE)
    older = rows.filter(_older(after)) if after else rows
    found = list(older.order_by("-created_at", "-uid")[: SIZE + 1])
    return _page(found[:SIZE], older=len(found) > SIZE, newer=bool(after))


def _page(rows: list[Any], *, older: bool, newer: bool) -> CursorPage:
    return CursorPage(
        rows=rows,
        next_url=f"?apres={_cursor(rows[-1])}" if rows and older else None,
        previous_url=f"?avant={_cursor(rows[0])}" if rows and newer else None,
    )


def _cursor(row: Any) -> str:
    return f"{(row.created_at - EPOCH) // MICROSECOND}-{row.uid}"


def _older(cursor: str) -> Q:
    instant, uid = _read(cursor)
    return Q(created_at__lt=instant) | Q(created_at=instant, uid__lt=uid)


def _newer(cursor: str) -> Q:
    instant, uid = _read(cursor)
    return Q(created_at__gt=instant) | Q(created_at=instant, uid__gt=uid)


def _read(cursor: str) -> tuple[dt.datetime, UUID]:
    micros, _separator, uid = cursor.partition("-")
    try:
        return EPOCH + int(micros) * MICROSECOND, UUID(uid)
    except (ValueError, OverflowError):
        raise Http404 from None
