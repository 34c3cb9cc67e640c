"""Filters of the list, what is missing in a file, why one is cancelled."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import ApplicationStatus, CancelReason, Piece
from apps.credits.queries import ApplicationFilter
from apps.institutions.queries import visible_agencies
from apps.tenancy.actor import Actor
from apps.web.dates import day_field


class ApplicationFilterForm(forms.Form):
    """What the list is limited to; every field may stay empty. Both days are included."""

    use_required_attribute = False

    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=lambda: [("", _("All statuses")), *ApplicationStatus.choices],
    )
    agency: Any = forms.ModelChoiceField(
        None,
        label=gettext_lazy("Agency"),
        required=False,
        to_field_name="uid",
        empty_label=gettext_lazy("All agencies"),
    )
    date_from = day_field(gettext_lazy("From"))
    date_to = day_field(gettext_lazy("To"))
    mine = forms.BooleanField(label=gettext_lazy("Entered by me"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        choice: Any = self.fields["agency"]
        choice.queryset = visible_agencies(actor)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        start, end = values.get("date_from"), values.get("date_to")
        if start and end and start > end:
            self.add_error("date_to", _("The end comes before the start."))
        return values

    @property
    def is_active(self) -> bool:
        """Whether anything is limited; ask for it after ``is_valid()``."""
        return any(self.cleaned_data.values())

    def wish(self) -> ApplicationFilter:
        """Return what the query takes; ask for it after ``is_valid()``."""
        values = self.cleaned_data
        agency = values.get("agency")
        return ApplicationFilter(
            status=values["status"],
            agency_id=agency.pk if agency else None,
            author_id=self.actor.id if values["mine"] else None,
            start=values["date_from"],
            end=values["date_to"],
        )


class PieceRequestForm(forms.Form):
    """What a file lacks."""

    pieces = forms.MultipleChoiceField(
        label=gettext_lazy("What is missing?"),
        choices=lambda: Piece.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Say which piece is missing.")},
    )
    note = forms.CharField(
        label=gettext_lazy("What you expect"),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Shown to whoever completes the file. Needed with « Other »."),
    )


class AnswerForm(forms.Form):
    """What was added to a file that was returned."""

    answer = forms.CharField(
        label=gettext_lazy("What was added"),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("Optional. Example: « new receipt of the identity card, valid until March »."),
    )


class CancelForm(forms.Form):
    """Why an application is cancelled."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why is this application cancelled?"),
        choices=lambda: CancelReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a reason.")},
    )
