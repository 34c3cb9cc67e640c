"""Form fields that read what people type here."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.credits.validators import check_line
from apps.web.templatetags.formats import NARROW_NO_BREAK

MOST_XAF = 10**12
DAY_FORMATS = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]
ENGLISH_GROUPS = re.compile(r"\d{1,3}(,\d{3})+")


class LineField(forms.CharField):
    """A text of one line, as the services take it."""

    default_validators = [check_line]


class AmountField(forms.IntegerField):
    """Whole francs, with spaces of every kind or none; « 1.5 » is refused rather than read as 15 or as 1."""

    default_error_messages = {"invalid": _("Enter a whole amount in FCFA, without decimals.")}

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", 0)
        options.setdefault("max_value", MOST_XAF)
        options.setdefault("help_text", _("In FCFA"))
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))
        super().__init__(**options)

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        typed = re.sub(r"\s", "", str(value))
        if not _is_french() and ENGLISH_GROUPS.fullmatch(typed):
            typed = typed.replace(",", "")
        if not re.fullmatch(r"-?[0-9]+", typed):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return int(typed)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value  # what was typed stays as it was typed
        grouped = f"{value:,}"
        return grouped.replace(",", NARROW_NO_BREAK) if _is_french() else grouped


class DayField(forms.DateField):
    """A date as it is written in Cameroon; the ISO form is understood too."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"placeholder": _("dd/mm/yyyy"), "autocomplete": "off"}
        kwargs.setdefault("widget", forms.DateInput(format="%d/%m/%Y", attrs=attrs))
        super().__init__(input_formats=DAY_FORMATS, **kwargs)


def _is_french() -> bool:
    return (get_language() or "").startswith("fr")
