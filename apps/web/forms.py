"""What forms of several areas share: amounts, days, and the refusals of services."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.tenancy.errors import DomainError

DAY_FORMATS = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]
LARGEST_AMOUNT = 999_999_999_999


class AmountField(forms.IntegerField):
    """Whole francs, spaces allowed between the digits, shown with them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))
        kwargs.setdefault("help_text", _("In FCFA"))
        super().__init__(min_value=0, max_value=LARGEST_AMOUNT, **kwargs)

    def to_python(self, value: Any) -> int | None:
        return super().to_python(re.sub(r"\s", "", value) if isinstance(value, str) else value)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:,}".replace(",", " ") if isinstance(value, int) else value


class DayField(forms.DateField):
    """A date as it is written in Cameroon; the ISO form is understood too."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"placeholder": _("dd/mm/yyyy"), "autocomplete": "off"}
        kwargs.setdefault("widget", forms.DateInput(format="%d/%m/%Y", attrs=attrs))
        super().__init__(input_formats=DAY_FORMATS, **kwargs)


class ServiceForm(forms.Form):
    """A form whose values a service checks too."""

    use_required_attribute = False
    #: Field of a row -> field of the form, where the names differ.
    places: Mapping[str, str] = {}

    def refuse(self, refusal: DomainError) -> None:
        """Put a service's refusal beside its fields, or above the form."""
        for name, messages in refusal.fields.items():
            place = self.places.get(name, name)
            for message in messages:
                self.add_error(place if place in self.fields else None, message)
        if not refusal.fields:
            self.add_error(None, refusal.message)
