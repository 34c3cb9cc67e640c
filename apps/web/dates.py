"""Days that people choose to limit a list."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from apps.tenancy.days import EARLIEST, LATEST


def day_field(label: Any) -> forms.DateField:
    """Return an optional day; impossible and absurd ones are errors of the field."""
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )
