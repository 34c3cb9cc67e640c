"""What is typed of a repayment."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.credits.services.ledger import Receipt
from apps.web.fields import AmountField, DayField
from apps.web.forms import ServiceForm


class RepaymentForm(ServiceForm):
    """Money received for a credit."""

    amount_xaf = AmountField(label=gettext_lazy("Amount received"), min_value=1)
    paid_on = DayField(label=gettext_lazy("Received on"), initial=timezone.localdate)
    reference = forms.CharField(
        label=gettext_lazy("Receipt number"),
        max_length=40,
        help_text=gettext_lazy("One per repayment: entered twice, it counts once."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def receipt(self) -> Receipt:
        return Receipt(**self.cleaned_data)
