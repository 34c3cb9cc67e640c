"""What the figures are limited to, and the name under which a view is kept."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.engine.dictionary import STANDARD
from apps.institutions.queries import known_agencies
from apps.reports.queries.portfolio import PortfolioWish, breakdowns_for
from apps.reports.queries.prospects import ProspectWish
from apps.scoring.enums import Breakdown
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.web.fields import LineField
from apps.web.forms import ServiceForm

#: Months that can be chosen, and those that are shown while nothing is.
MONTHS, SHOWN_MONTHS = 60, 12


def months_before(count: int) -> list[dt.date]:
    """Return the first days of the last ``count`` months, this one first."""
    today = timezone.localdate()
    place = today.year * 12 + today.month - 1
    return [dt.date(each // 12, each % 12 + 1, 1) for each in range(place, place - count, -1)]


def month_name(month: dt.date) -> str:
    """Return « 11/2026 »."""
    return f"{month:%m/%Y}"


def credit_types() -> list[tuple[str, str]]:
    """Return the standard credit types, all first."""
    lang = current_lang()
    variable = STANDARD["type_credit"]
    return [("", _("All types")), *((each.code, each.label(lang)) for each in variable.categories)]


class AgencyForm(forms.Form):
    """The agencies that the reader sees; one statement gives the choice and the names."""

    use_required_attribute = False

    agence = forms.ChoiceField(label=gettext_lazy("Agency"), required=False)
    produit = forms.ChoiceField(label=gettext_lazy("Type of credit"), required=False, choices=credit_types)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.agencies = list(known_agencies(actor))
        choice: Any = self.fields["agence"]
        choice.choices = [
            ("", _("All agencies")),
            *((str(each.uid), each.name) for each in self.agencies),
        ]

    @property
    def agency_id(self) -> int | None:
        """The key of the agency chosen; ask for it after ``is_valid()``."""
        chosen = self.cleaned_data.get("agence")
        return next((each.pk for each in self.agencies if str(each.uid) == chosen), None)

    def asked(self, name: str) -> str:
        """Return what was chosen, the initial value otherwise."""
        return str(self.cleaned_data.get(name) or self.fields[name].initial or "")


class PeriodForm(AgencyForm):
    """Months, both included; agency and credit type."""

    field_order = ("du", "au", "agence", "produit", "par")

    du = forms.ChoiceField(label=gettext_lazy("From"), required=False)
    au = forms.ChoiceField(label=gettext_lazy("To"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = [(f"{month:%Y-%m}", month_name(month)) for month in months_before(MONTHS)]
        fields: Any = self.fields
        fields["du"].choices = fields["au"].choices = months
        fields["du"].initial, fields["au"].initial = months[SHOWN_MONTHS - 1][0], months[0][0]
        # what is not asked for shows what stands for it
        known = {name: each.initial for name, each in fields.items() if each.initial}
        self.data = {**known, **{name: value for name, value in self.data.items() if value}}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("du") and values.get("au") and values["du"] > values["au"]:
            self.add_error("au", _("The end comes before the start."))
        return values

    def wish(self) -> PortfolioWish:
        """Return what the queries take; ask for it after ``is_valid()``."""
        return PortfolioWish(
            first=_month(self.asked("du")),
            last=_month(self.asked("au")),
            agency_id=self.agency_id,
            credit_type=self.cleaned_data["produit"],
        )


def _month(text: str) -> dt.date:
    return dt.date.fromisoformat(f"{text}-01")


class PortfolioForm(PeriodForm):
    """What the figures are limited to, and by what they are broken down."""

    par = forms.ChoiceField(label=gettext_lazy("Broken down by"), required=False, initial=Breakdown.AGENCY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["par"]
        choice.choices = [(each.value, each.label) for each in breakdowns_for(self.actor)]

    @property
    def breakdown(self) -> Breakdown:
        """By what figures are broken down; ask for it after ``is_valid()``."""
        return Breakdown(self.asked("par"))


class ProspectForm(AgencyForm):
    """What the list of prospects is limited to."""

    def wish(self) -> ProspectWish:
        """Return what the query takes; ask for it after ``is_valid()``."""
        return ProspectWish(agency_id=self.agency_id, credit_type=self.cleaned_data["produit"])


class BenchmarkForm(forms.Form):
    """The type of credit whose benchmarks are shown."""

    produit = forms.ChoiceField(label=gettext_lazy("Type of credit"), required=False, choices=credit_types)


class JoinForm(ServiceForm):
    """Why an institution shares its figures."""

    reason = LineField(label=gettext_lazy("Reason"), max_length=500)


class ViewForm(ServiceForm):
    """The name of a view, and whether others see it."""

    name = LineField(label=gettext_lazy("Name of this view"), max_length=60)
    shared = forms.BooleanField(label=gettext_lazy("Show it to the whole institution"), required=False)
    query = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
