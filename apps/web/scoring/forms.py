"""What the history of scores is limited to."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from apps.institutions.queries import visible_agencies
from apps.scoring.enums import Band, Source
from apps.tenancy.actor import Actor
from apps.tenancy.days import period
from apps.users.queries import visible_users
from apps.web.dates import day_field


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, in words, and the address of the list without it."""

    label: str
    value: str
    url: str


class ScoreFilterForm(forms.Form):
    """Filters of the history; every field may stay empty. Days include their end."""

    use_required_attribute = False

    date_from = day_field(_("From"))
    date_to = day_field(_("To"))
    analyst: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        None, label=_("Analyst"), required=False, to_field_name="uid", empty_label=_("All")
    )
    agency: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        None, label=_("Agency"), required=False, to_field_name="uid", empty_label=_("All")
    )
    band = forms.ChoiceField(label=_("Risk"), required=False, choices=[("", _("All")), *Band.choices])
    source = forms.ChoiceField(label=_("Source"), required=False, choices=[("", _("All")), *Source.choices])
    mine = forms.BooleanField(label=_("My scores only"), required=False)

    def __init__(self, data: QueryDict, *, actor: Actor) -> None:
        super().__init__(data)
        self.actor = actor
        people = visible_users(actor).only("uid", "full_name", "email").order_by("full_name")
        self.fields["analyst"].queryset = people  # type: ignore[attr-defined]
        self.fields["agency"].queryset = visible_agencies(actor)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        start, end = values.get("date_from"), values.get("date_to")
        if start and end and start > end:
            self.add_error("date_to", _("The end comes before the start."))
        return values

    def limits(self) -> dict[str, Any]:
        """Return the arguments of ``scores_found``; ask for it after ``is_valid()``."""
        values = self.cleaned_data
        start, end = period(values["date_from"], values["date_to"])
        analyst, agency = values["analyst"], values["agency"]
        return {
            "start": start,
            "end": end,
            "author_id": self.actor.id if values["mine"] else analyst and analyst.pk,
            "agency_id": agency and agency.pk,
            "band": values["band"],
            "source": values["source"],
        }

    def address(self, *, without: str = "") -> str:
        """Return the end of the list's address: the parameters that say something, but ``without``."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            if name != without and self.data.get(name):
                query[name] = self.data[name]
        return f"?{query.urlencode()}" if query else ""

    def chips(self) -> list[Chip]:
        """Return the filters in force, in the order of the form; ask for it after ``is_valid()``."""
        return [
            Chip("" if name == "band" else str(field.label), self._words(name), self.address(without=name))
            for name, field in self.fields.items()
            if self.cleaned_data.get(name)
        ]

    def _words(self, name: str) -> str:
        value, field = self.cleaned_data[name], self.fields[name]
        if name in {"date_from", "date_to"}:
            return date_format(value, "d/m/Y")
        if name == "mine":
            return ""
        choices = {} if hasattr(field, "queryset") else dict(field.choices)  # type: ignore[attr-defined]
        return str(choices.get(value, value))
