"""What is typed of a repayment, a write-off, a restructuring."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.credits.enums import RepaymentKind
from apps.credits.models import Credit
from apps.credits.services.ledger import Receipt, Restructuring
from apps.web.fields import AmountField, DayField, LineField
from apps.web.forms import ServiceForm

LONGEST_REASON = 300
MOST_MONTHS, MOST_PERCENT = 120, 120


class RepaymentForm(ServiceForm):
    """Money received for a credit."""

    amount_xaf = AmountField(label=gettext_lazy("Amount received"), min_value=1)
    paid_on = DayField(label=gettext_lazy("Received on"), initial=timezone.localdate)
    reference = LineField(
        label=gettext_lazy("Receipt number"),
        max_length=40,
        help_text=gettext_lazy("One per repayment: entered twice, it counts once."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def receipt(self) -> Receipt:
        return Receipt(**self.cleaned_data)


class WriteOffForm(ServiceForm):
    """What is left of a credit passed to losses, and why."""

    on = DayField(label=gettext_lazy("Written off on"), initial=timezone.localdate)
    reason = LineField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Kept in the audit trail: what was tried, who decided."),
    )


class RestructuringForm(ServiceForm):
    """The new schedule of what is left of a credit, and why."""

    on = DayField(label=gettext_lazy("In force from"), initial=timezone.localdate)
    duration_months = forms.IntegerField(
        label=gettext_lazy("New term (months)"),
        min_value=1,
        max_value=MOST_MONTHS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    rate_percent = forms.DecimalField(
        label=gettext_lazy("Nominal annual rate (%)"),
        min_value=0,
        max_value=MOST_PERCENT,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    repayment_kind = forms.ChoiceField(label=gettext_lazy("Repayment"), choices=RepaymentKind.choices)
    for_difficulty = forms.BooleanField(
        label=gettext_lazy("The client is in difficulty"),
        required=False,
        help_text=gettext_lazy("A restructuring for difficulty counts as a default of this credit."),
    )
    reason = LineField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Kept in the audit trail: what was tried, who decided."),
    )

    def __init__(self, *args: Any, credit: Credit, **kwargs: Any) -> None:
        kwargs["initial"] = {"rate_percent": credit.rate_percent, "repayment_kind": credit.repayment_kind}
        super().__init__(*args, **kwargs)

    def plan(self) -> Restructuring:
        rate = float(self.cleaned_data["rate_percent"])
        return Restructuring(**{**self.cleaned_data, "rate_percent": rate})
