"""Over which days a report is asked for, and for whom it is made again."""

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.institutions.queries import visible_agencies
from apps.reports.enums import Frequency, ReportFormat, ReportKind
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.web.dates import day_field
from apps.web.forms import ServiceForm


def _agency_field() -> "forms.ModelChoiceField[Any]":
    return forms.ModelChoiceField(
        None, label=_("Agency"), required=False, to_field_name="uid", empty_label=_("All")
    )


class ReportForm(ServiceForm):
    """The days of a report, both included, the agency and the language; this month unless said otherwise."""

    starts_on = day_field(_("From"))
    ends_on = day_field(_("To"))
    agency = _agency_field()
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, data: Any = None, *, actor: Actor, kind: str) -> None:
        super().__init__(data, initial={**this_month(), "language": current_lang()})
        self.fields["agency"].queryset = visible_agencies(actor)  # type: ignore[attr-defined]
        if kind == ReportKind.AUDIT:
            del self.fields["agency"]
        self.fields["starts_on"].required = self.fields["ends_on"].required = True

    def wanted(self) -> dict[str, Any]:
        """Return the arguments of ``wish_for``; ask for it after ``is_valid()``."""
        values = self.cleaned_data
        agency = values.get("agency")
        return {
            "starts_on": values["starts_on"],
            "ends_on": values["ends_on"],
            "language": values["language"],
            "agency_uid": agency.uid if agency else None,
        }

    def usual(self) -> dict[str, Any]:
        """Return the same of a form that nobody has filled in yet."""
        return {**this_month(), "language": current_lang()}


def this_month() -> dict[str, dt.date]:
    """Return the first day of this month and today."""
    today = timezone.localdate()
    return {"starts_on": today.replace(day=1), "ends_on": today}


class ScheduleForm(ServiceForm):
    """How often a report is made again, in which form, and for whom."""

    frequency = forms.ChoiceField(label=_("How often"), choices=Frequency.choices)
    format = forms.ChoiceField(label=_("Format"), choices=ReportFormat.choices)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    agency = _agency_field()
    recipients = forms.MultipleChoiceField(
        label=_("For whom"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each gets a link to a report of their own, which tells what that person may see."),
    )
    places = {"agency_uid": "agency"}

    def __init__(self, data: Any = None, *, actor: Actor, kind: str, readers: Any) -> None:
        initial = {"language": current_lang(), "recipients": [str(actor.uid)]}
        super().__init__(data, initial=initial)
        self.fields["agency"].queryset = visible_agencies(actor)  # type: ignore[attr-defined]
        if kind == ReportKind.AUDIT:
            del self.fields["agency"]
        people = [
            (str(member.user.uid), f"{member.user} ({member.get_role_display()})") for member in readers
        ]
        self.fields["recipients"].choices = people  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """Return the arguments of ``schedule_report``; ask for it after ``is_valid()``."""
        values = dict(self.cleaned_data)
        agency = values.pop("agency", None)
        values["recipients"] = [UUID(uid) for uid in values["recipients"]]
        return {**values, "agency_uid": agency.uid if agency else None}
