"""The terms to try on a file, in the address so that they can be kept as a link; a credit for nobody."""

import re
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.queries.dictionary import Entry
from apps.engine.dictionary import STANDARD
from apps.engine.policy import SMALLEST_AMOUNT
from apps.engine.wording import typed_number
from apps.scoring.services.simulation import MOST_SCENARIOS, Variant
from apps.tenancy.errors import DomainError
from apps.tenancy.language import current_lang
from apps.web.credits.forms import ARREARS, CREDIT, INCOME, PERSON, ValuesForm
from apps.web.fields import AmountField
from apps.web.policy.forms import NumberField

#: A value of the dictionary -> the field that types it.
FIELDS = {
    "montant_credit": "montant",
    "duree_mois": "duree",
    "taux_interet": "taux",
    "contribution": "apport",
}
#: Terms kept in the page: amount, months, rate.
TERMS = re.compile(r"(\d{1,12})-(\d{1,4})-(\d{1,4}(?:\.\d{1,6})?)", re.ASCII)


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


class CreditForm(ValuesForm):
    """A credit for nobody: the values of an application without person, purpose or file.

    The scenarios beside it travel with the form, as ``terms_text`` writes them: they are kept nowhere else.
    """

    person = PERSON
    purpose = None  # type: ignore[assignment]

    def _types(self, entry: Entry) -> bool:
        """Ask for what a model may use and what the means rest on: nothing else changes the result."""
        needed = entry.name in {*INCOME, *CREDIT, *ARREARS} or entry.in_models
        return entry.name == "age" or (needed and super()._types(entry))

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(_("Person"), self._bound(("age", *PERSON))), *super().sections]

    def scenarios(self, asked: Variant) -> list[Variant]:
        """Return the terms kept in the page, with those just asked for when they are to join them."""
        joining = [asked] if "garder" in self.data else []
        return list(dict.fromkeys([*self._kept(), *joining]))[:MOST_SCENARIOS]

    @property
    def kept_texts(self) -> list[str]:
        """Return the terms kept in the page as it sends them again."""
        return [terms_text(each) for each in self._kept()] if self.is_bound else []

    def _kept(self) -> list[Variant]:
        sent: QueryDict = self.data  # type: ignore[assignment]
        read = (terms_read(text) for text in sent.getlist("garde") if text != sent.get("retirer"))
        return list(dict.fromkeys(each for each in read if each is not None))[:MOST_SCENARIOS]


def terms_text(variant: Variant) -> str:
    """Return the terms of a credit as the page keeps them."""
    return f"{variant.amount_xaf}-{variant.duration_months}-{variant.rate_percent:f}"


def terms_read(text: str) -> Variant | None:
    """Return the terms that a page kept; None for anything else."""
    found = TERMS.fullmatch(text)
    return Variant(int(found[1]), int(found[2]), float(found[3])) if found else None


def _typed(asked: Variant) -> dict[str, Any]:
    lang = current_lang()
    return {
        "montant": typed_number(asked.amount_xaf, lang),
        "apport": typed_number(asked.contribution_xaf, lang) if asked.contribution_xaf else "",
        "duree": str(asked.duration_months),
        "taux": typed_number(asked.rate_percent, lang),
    }
