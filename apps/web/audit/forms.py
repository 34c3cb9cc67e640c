from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.tenancy.days import period
from apps.web.audit.presenters import action_choices, object_choices
from apps.web.dates import day_field


class AuditFilterForm(forms.Form):
    """What the list and the file are limited to; every field may stay empty. Days include their end."""

    use_required_attribute = False

    date_from = day_field(_("From"))
    date_to = day_field(_("To"))
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
        start, end = period(values["date_from"], values["date_to"])
        return {
            "start": start,
            "end": end,
            "actor": values["actor"],
            "action": values["action"],
            "object_type": values["object_type"],
        }
