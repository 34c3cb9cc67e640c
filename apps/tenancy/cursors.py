"""Pages over rows in the order of one indexed column, by cursor; no OFFSET, however long the list."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q, QuerySet

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
UID_LENGTH = 36


class UnreadableCursor(ValueError):
    """A cursor that no page of this list gave."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of ``key`` then ``uid``, either way; ``key`` names an instant, a day or a text."""

    key: str
    descending: bool = True

    @property
    def forth(self) -> tuple[str, str]:
        """What ``order_by`` takes."""
        return self._signed("-" if self.descending else "")

    @property
    def back(self) -> tuple[str, str]:
        """What ``order_by`` takes to read the page before."""
        return self._signed("" if self.descending else "-")

    def _signed(self, sign: str) -> tuple[str, str]:
        return f"{sign}{self.key}", f"{sign}uid"

    def cursor(self, row: Any) -> str:
        """Return the place of a row in the list.

        A text is left out and read again from the row, since it may be the name of a person and addresses
        are kept in histories.
        """
        return f"{_written(getattr(row, self.key))}{row.uid}"

    def beyond(self, rows: QuerySet[Any], cursor: str, *, ahead: bool) -> Q:
        """Return the rows past a cursor; the first condition bounds the index, which an OR does not.

        Raises ``UnreadableCursor``.
        """
        value, uid = _read(rows, self.key, cursor)
        side = "lt" if ahead == self.descending else "gt"
        bound = Q(**{f"{self.key}__{side}e": value})
        return bound & (Q(**{f"{self.key}__{side}": value}) | Q(**{f"uid__{side}": uid}))


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
        raise UnreadableCursor(cursor) from None
