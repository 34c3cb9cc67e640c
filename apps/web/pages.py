"""Cursor pages over rows in the order of one indexed column; no OFFSET, however long the list."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

SIZE = 25
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
UID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class CursorPage:
    rows: list[Any]
    next_url: str | None
    previous_url: str | None


def cursor_page(
    request: HttpRequest, rows: QuerySet[Any], *, key: str = "created_at", ascending: bool = False
) -> CursorPage:
    """Return one page of ``rows`` in the order of ``key`` then ``uid``, after or before a cursor.

    ``key`` names an instant, a day or a text; the latest come first unless ``ascending``. ``?apres=`` and
    ``?avant=`` hold a row's value of it and its identifier; a text is left out and read again from the row,
    since it may be the name of a person and addresses are kept in histories. The other parameters, filters,
    are kept from page to page. A cursor that cannot be read is a 404.
    """
    order = _Order(key, "" if ascending else "-")
    after, before = request.GET.get("apres"), request.GET.get("avant")
    if before:
        found = list(rows.filter(order.beyond(rows, before, ahead=False)).order_by(*order.back)[: SIZE + 1])
        shown = found[:SIZE][::-1]
        return _page(request, shown, key, more=True, fewer=len(found) > SIZE)
    later = rows.filter(order.beyond(rows, after, ahead=True)) if after else rows
    found = list(later.order_by(*order.forth)[: SIZE + 1])
    return _page(request, found[:SIZE], key, more=len(found) > SIZE, fewer=bool(after))


@dataclass(frozen=True, slots=True)
class _Order:
    key: str
    sign: str

    @property
    def forth(self) -> tuple[str, str]:
        return f"{self.sign}{self.key}", f"{self.sign}uid"

    @property
    def back(self) -> tuple[str, str]:
        sign = "" if self.sign else "-"
        return f"{sign}{self.key}", f"{sign}uid"

    def beyond(self, rows: QuerySet[Any], cursor: str, *, ahead: bool) -> Q:
        """Return the rows past a cursor; the first condition bounds the index, which an OR does not."""
        value, uid = _read(rows, self.key, cursor)
        side = "lt" if ahead == bool(self.sign) else "gt"
        bound = Q(**{f"{self.key}__{side}e": value})
        return bound & (Q(**{f"{self.key}__{side}": value}) | Q(**{f"uid__{side}": uid}))


def _page(request: HttpRequest, rows: list[Any], key: str, *, more: bool, fewer: bool) -> CursorPage:
    return CursorPage(
        rows=rows,
        next_url=_url(request, "apres", rows[-1], key) if rows and more else None,
        previous_url=_url(request, "avant", rows[0], key) if rows and fewer else None,
    )


def _url(request: HttpRequest, name: str, row: Any, key: str) -> str:
    query = request.GET.copy()
    query.pop("apres", None)
    query.pop("avant", None)
    query[name] = f"{_written(getattr(row, key))}{row.uid}"
    return f"?{query.urlencode()}"


def _written(value: dt.datetime | dt.date | str) -> str:
    if isinstance(value, str):
        return ""
    return f"{(value - EPOCH) // MICROSECOND}-" if isinstance(value, dt.datetime) else f"{value}-"


def _read(rows: QuerySet[Any], key: str, cursor: str) -> tuple[Any, UUID]:
    text, field = cursor[: -UID_LENGTH - 1], rows.model._meta.get_field(key)
    try:
        uid = UUID(cursor[-UID_LENGTH:])
        if isinstance(field, models.DateTimeField):
            return EPOCH + int(text) * MICROSECOND, uid
        if isinstance(field, models.DateField):
            return dt.date.fromisoformat(text), uid
        return rows.model._default_manager.values_list(key, flat=True).get(uid=uid), uid
    except (ValueError, OverflowError, ObjectDoesNotExist):
        raise Http404 from None
