"""The terms to try on a file: in the address, so that a simulation can be kept as a link."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from apps.engine.dictionary import STANDARD
from apps.engine.policy import SMALLEST_AMOUNT
from apps.engine.wording import typed_number
from apps.scoring.services.simulation import Variant
from apps.tenancy.errors import DomainError
from apps.tenancy.language import current_lang
from apps.web.fields import AmountField
from apps.web.policy.forms import NumberField

#: A value of the dictionary -> the field that types it.
FIELDS = {
    "montant_credit": "montant",
    "duree_mois": "duree",
    "taux_interet": "taux",
    "contribution": "apport",
}


class SimulationForm(forms.Form):
    """Amount, term, rate and contribution; what is left out is what the file asks for."""

    use_required_attribute = False

    montant = AmountField(
        label=gettext_lazy("Amount to finance"),
        min_value=SMALLEST_AMOUNT,
        max_value=int(STANDARD["montant_credit"].maximum or 0),
    )
    apport = AmountField(
        label=gettext_lazy("Own contribution"),
        required=False,
        help_text=gettext_lazy("In FCFA. The credit is the amount less the contribution."),
    )
    duree = forms.IntegerField(
        label=gettext_lazy("Term"),
        min_value=1,
        max_value=int(STANDARD["duree_mois"].maximum or 0),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("In months"),
    )
    taux = NumberField(
        label=gettext_lazy("Interest rate"),
        min_value=0,
        max_value=STANDARD["taux_interet"].maximum,
        help_text=gettext_lazy("In % a year"),
    )

    def __init__(self, data: QueryDict, *, asked: Variant) -> None:
        super().__init__({**_typed(asked), **{name: data[name] for name in _typed(asked) if name in data}})

    def variant(self) -> Variant:
        """Return the terms to try; ask for it after ``is_valid()``."""
        values = self.cleaned_data
        return Variant(values["montant"], values["duree"], values["taux"], values["apport"] or 0)

    def refuse(self, refusal: DomainError) -> None:
        """Put a service's refusal beside its fields, or above the form."""
        for name, messages in refusal.fields.items():
            for message in messages:
                self.add_error(FIELDS.get(name), message)
        if not refusal.fields:
            self.add_error(None, refusal.message)


def _typed(asked: Variant) -> dict[str, Any]:
    lang = current_lang()
    return {
        "montant": typed_number(asked.amount_xaf, lang),
        "apport": typed_number(asked.contribution_xaf, lang) if asked.contribution_xaf else "",
        "duree": str(asked.duration_months),
        "taux": typed_number(asked.rate_percent, lang),
    }
