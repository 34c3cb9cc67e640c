import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.web.audit.presenters import action_choices, object_choices

DAY = dt.timedelta(days=1)


class AuditFilterForm(forms.Form):
    """What the list and the file are limited to; every field may stay empty. Days include their end."""

    use_required_attribute = False

    date_from = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    date_to = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    actor = forms.CharField(label=_("Who"), required=False, max_length=160)
    action = forms.ChoiceField(label=_("Action"), required=False, choices=action_choices)
    object_type = forms.ChoiceField(label=_("Object"), required=False, choices=object_choices)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        start, end = values.get("date_from"), values.get("date_to")
        if start and end and start > end:
            self.add_error("date_to", _("The end comes before the start."))
        return values

    def limits(self) -> dict[str, Any]:
        """Return the arguments of ``audit_entries``; ask for it after ``is_valid()``."""
        values = self.cleaned_data
        return {
            "start": _midnight(values["date_from"]),
            "end": _midnight(values["date_to"] and values["date_to"] + DAY),
            "actor": values["actor"],
            "action": values["action"],
            "object_type": values["object_type"],
        }


def _midnight(day: dt.date | None) -> dt.datetime | None:
    return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None
