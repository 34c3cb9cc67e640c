"""Cursor pages of the site: the rows shown and the addresses of the pages beside."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from apps.tenancy.cursors import Order, UnreadableCursor

SIZE = 25


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
    ``?avant=`` hold the place of a row. The other parameters, filters, are kept from page to page. A cursor
    that cannot be read is a 404.
    """
    order = Order(key, descending=not ascending)
    after, before = request.GET.get("apres"), request.GET.get("avant")
    if before:
        earlier = rows.filter(_beyond(order, rows, before, ahead=False))
        found = list(earlier.order_by(*order.back)[: SIZE + 1])
        shown = found[:SIZE][::-1]
        return _page(request, shown, order, more=True, fewer=len(found) > SIZE)
    later = rows.filter(_beyond(order, rows, after, ahead=True)) if after else rows
    found = list(later.order_by(*order.forth)[: SIZE + 1])
    return _page(request, found[:SIZE], order, more=len(found) > SIZE, fewer=bool(after))


def _beyond(order: Order, rows: QuerySet[Any], cursor: str, *, ahead: bool) -> Q:
    try:
        return order.beyond(rows, cursor, ahead=ahead)
    except UnreadableCursor:
        raise Http404 from None


def _page(request: HttpRequest, rows: list[Any], order: Order, *, more: bool, fewer: bool) -> CursorPage:
    return CursorPage(
        rows=rows,
        next_url=_url(request, "apres", order.cursor(rows[-1])) if rows and more else None,
        previous_url=_url(request, "avant", order.cursor(rows[0])) if rows and fewer else None,
    )


def _url(request: HttpRequest, name: str, cursor: str) -> str:
    query = request.GET.copy()
    query.pop("apres", None)
    query.pop("avant", None)
    query[name] = cursor
    return f"?{query.urlencode()}"
