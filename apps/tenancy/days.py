"""Days that people and partners choose, and the instants between which they lie."""

import datetime as dt

from django.utils import timezone

DAY = dt.timedelta(days=1)
#: Beyond, the day after or midnight in UTC may not exist for Python.
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2999, 12, 31)


def period(start: dt.date | None, end: dt.date | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the instants of two days, the second included: the instant after its end."""
    return midnight(start), midnight(end + DAY if end else None)


def midnight(day: dt.date | None) -> dt.datetime | None:
    """Return the instant at which a day begins here."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None
