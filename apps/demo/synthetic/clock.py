"""Dates as whole days since 1970-01-01, so that a whole portfolio moves in one array operation."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]

MONTH_DAYS = 30.4375
MONTHS_OF_YEAR = 12
THURSDAY_OFFSET = 4  # 1970-01-01 was a Thursday: (day + 4) % 7 is 0 on Sundays
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """The observed history ``[start, end)`` in days; ``end`` is the observation date, itself excluded."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def month_index(self, days: Days) -> Days:
        """Rank of the month of history, 1 for the first; zero or negative before the window."""
        return np.floor((days - self.start) / MONTH_DAYS).astype(np.int64) + 1


def window_before(as_of: dt.date, months: int) -> Window:
    """Span the ``months`` calendar months that end the day before ``as_of``."""
    end = to_day(as_of)
    return Window(int(add_months(np.array([end]), np.array([-months]))[0]), end)


def to_day(date: dt.date) -> int:
    return (date - EPOCH).days


def _as_dates(days: Days) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]")


def month_ordinal(days: Days) -> Days:
    """Months since January 1970, by calendar."""
    return _as_dates(days).astype("datetime64[M]").astype(np.int64)


def month_of_year(days: Days) -> Days:
    """Calendar month, 1-12."""
    return month_ordinal(days) % MONTHS_OF_YEAR + 1


def _first_of(ordinal: Days) -> Days:
    return ordinal.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def day_of_month(days: Days) -> Days:
    return days - _first_of(month_ordinal(days)) + 1


def add_months(days: Days, months: Days) -> Days:
    """Give the same day of the month, ``months`` later; the last day of the month where it has none such."""
    ordinal = month_ordinal(days) + months
    last = _first_of(ordinal + 1) - 1
    return np.minimum(_first_of(ordinal) + day_of_month(days) - 1, last)


def whole_months(start: Days, end: Days) -> Days:
    """Completed months from ``start`` to ``end``."""
    return month_ordinal(end) - month_ordinal(start) - (day_of_month(end) < day_of_month(start))


def whole_years(start: Days, end: Days) -> Days:
    """Completed years from ``start`` to ``end``: an age."""
    return whole_months(start, end) // MONTHS_OF_YEAR


def before_sunday(days: Days) -> Days:
    """Agencies are closed on Sundays: what falls on one happened the Saturday before."""
    return days - ((days + THURSDAY_OFFSET) % 7 == 0)


def date_objects(days: Days, known: NDArray[np.bool_] | None = None) -> NDArray[np.object_]:
    """``datetime.date`` objects; ``None`` where ``known`` is false."""
    dates = _as_dates(days)
    if known is not None:
        dates = np.where(known, dates, np.datetime64("NaT", "D"))
    objects: NDArray[np.object_] = dates.astype(object)
    return objects
