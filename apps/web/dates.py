"""Days that people choose to limit a list."""

import datetime as dt
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

DAY = dt.timedelta(days=1)
#: Beyond, the day after or midnight in UTC may not exist for Python.
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2999, 12, 31)


def day_field(label: Any) -> forms.DateField:
    """Return an optional day; impossible and absurd ones are errors of the field."""
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )


def period(start: dt.date | None, end: dt.date | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the instants of two days, the second included: the instant after its end."""
    return midnight(start), midnight(end + DAY if end else None)


def midnight(day: dt.date | None) -> dt.datetime | None:
    """Return the instant at which a day begins here."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None
