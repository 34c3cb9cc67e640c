"""« Nouvelle demande »: fields made from the dictionary, checked by the service that stores them."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import DocumentType
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.dictionary import Entry as DictionaryEntry
from apps.credits.queries.dictionary import asked_entries, dictionary_for
from apps.credits.services.applications import Change, Entry, stored_values, version_of
from apps.credits.validators import check_phone
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.wording import typed_number
from apps.institutions.queries import visible_agencies
from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError
from apps.tenancy.language import current_lang
from apps.web.fields import DayField, LineField

INCOME = (
    "type_contrat_travail",
    "anciennete_travail_mois",
    "revenu_mensuel",
    "charges_mensuelles",
    "personnes_a_charge",
    "mensualites_en_cours",
    "encours_autres_dettes",
)
CREDIT = ("montant_credit", "duree_mois", "taux_interet", "type_credit")
ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j")
PERSON = ("sexe", "situation_familiale")
NOT_TYPED = ("age", "taux_endettement", "ratio_dette_revenu")
"""Computed: the age from the date of birth, the ratios from income, debts and the credit asked."""


def dictionary_field(variable: Variable) -> forms.Field:
    """Return the field of a variable; its value is checked by the dictionary, with the dictionary's words."""
    label = lazy(lambda: _label(variable), str)()
    if variable.type == "category":
        return forms.ChoiceField(label=label, required=variable.required, choices=lambda: _choices(variable))
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    help_text = lazy(lambda: unit_text(variable), str)()
    return forms.CharField(label=label, required=variable.required, widget=widget, help_text=help_text)


def _label(variable: Variable) -> str:
    """Name a variable, and say of one that the officer sets that it is a judgement."""
    label = variable.label(current_lang())
    return _("%(label)s (set by the officer)") % {"label": label} if variable.source == "officer" else label


def unit_text(variable: Variable) -> str:
    """Return in which unit a variable is typed."""
    texts = {
        "XAF": _("In FCFA"),
        "XAF_per_month": _("In FCFA a month"),
        "months": _("In months"),
        "percent_per_year": _("In % a year"),
        "percent": _("In %"),
        "km": _("In kilometres"),
    }
    return texts.get(variable.unit, "")


def _choices(variable: Variable) -> list[tuple[str, str]]:
    lang = current_lang()
    return [("", _("Choose")), *((each.code, each.label(lang)) for each in variable.categories)]


class ValuesForm(forms.Form):
    """The variables of an application: what the client earns, owes, asks for, and how they repaid before."""

    person: tuple[str, ...] = ()
    purpose = LineField(label=gettext_lazy("Purpose of the credit"), required=False, max_length=200)
    first_credit = forms.ChoiceField(
        label=gettext_lazy("First credit with us?"),
        required=False,
        choices=lambda: [("", _("Not known")), ("yes", _("Yes")), ("no", _("No"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = [entry for entry in asked_entries() if self._types(entry)]
        for entry in self.asked:
            self.fields[entry.name] = dictionary_field(entry.variable)

    def _types(self, entry: DictionaryEntry) -> bool:
        if entry.own:
            return True
        return entry.name in typed_variables() and (entry.name not in PERSON or entry.name in self.person)

    def variables(self) -> tuple[str, ...]:
        """Return the variables typed here, in the dictionary's order, those of the institution last."""
        return tuple(entry.name for entry in self.asked)

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [
            (_("Work, income and debts"), self._bound(INCOME)),
            (_("Credit asked for"), self._bound((*CREDIT, "purpose"))),
            (_("Earlier credits"), self._bound(("first_credit", *ARREARS))),
        ]

    @property
    def optional_section(self) -> tuple[str, list[forms.BoundField]]:
        """What an institution may add to the file, folded away by default."""
        shown = {*INCOME, *CREDIT, *ARREARS, *PERSON, "age"}
        others = (entry.name for entry in self.asked if not entry.own and entry.name not in shown)
        return _("Further information (optional)"), self._bound(others)

    @property
    def optional_open(self) -> bool:
        """Say whether the folded part holds something to be seen."""
        return any(field.errors or field.value() for field in self.optional_section[1])

    @property
    def own_section(self) -> tuple[str, list[forms.BoundField]]:
        """What the institution alone asks for; nothing where it declared no variable."""
        return _("Variables of the institution"), self._bound(e.name for e in self.asked if e.own)

    def values(self) -> dict[str, object]:
        """Return the variables as typed; arrears are unknown, never zero, for a first credit."""
        values: dict[str, object] = {name: self.cleaned_data[name] for name in self.variables()}
        if self.cleaned_data["first_credit"] == "yes":
            values |= dict.fromkeys(ARREARS, "")
        return values

    def refuse(self, refusal: DomainError) -> None:
        """Put a service's refusal beside its fields, or above the form."""
        for name, messages in refusal.fields.items():
            place = name if name in self.fields else PLACES.get(name, name)
            for message in messages:
                self.add_error(place if place in self.fields else None, message)
        if not refusal.fields:
            self.add_error(None, refusal.message)

    def _bound(self, names: Iterable[str]) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]


class ChangeForm(ValuesForm):
    """The values of a stored application, with the version they were read at."""

    version = forms.CharField(widget=forms.HiddenInput)

    def change(self) -> Change:
        """Return what the service takes."""
        return Change(
            values=self.values(),
            purpose=self.cleaned_data["purpose"],
            version=self.cleaned_data["version"],
        )


def change_initial(application: CreditApplication) -> dict[str, object]:
    """Return the values of an application as its form shows them."""
    lang = current_lang()
    stored = stored_values(application)
    shown = {
        name: value if isinstance(value, str) else typed_number(value, lang) for name, value in stored.items()
    }
    return {**shown, "purpose": application.purpose, "version": version_of(application)}


class ApplicationForm(ValuesForm):
    """One page: who asks, and every value of the application."""

    person = PERSON
    uid = forms.UUIDField(widget=forms.HiddenInput)
    client_reference = forms.CharField(
        label=gettext_lazy("Reference of a known client"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Leave empty for a new client."),
    )
    agency: Any = forms.ModelChoiceField(
        None, label=gettext_lazy("Agency"), required=False, empty_label=gettext_lazy("Choose")
    )
    last_name = LineField(label=gettext_lazy("Last name"), required=False, max_length=80)
    first_names = LineField(label=gettext_lazy("First names"), required=False, max_length=120)
    birth_date = DayField(label=gettext_lazy("Date of birth"), required=False)
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        max_length=24,
        validators=[check_phone],
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )
    document_type = forms.ChoiceField(
        label=gettext_lazy("Identity document"),
        required=False,
        choices=lambda: [("", _("Choose")), *DocumentType.choices],
    )
    document_number = LineField(label=gettext_lazy("Document number"), required=False, max_length=40)
    consent = forms.BooleanField(
        label=gettext_lazy("The client agrees to the use of these data for this application"), required=False
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = visible_agencies(actor)
        choice: Any = self.fields["agency"]
        choice.queryset = agencies
        if len(agencies) == 1:
            self.fields["agency"].initial = agencies[0]
        if not self.is_bound:
            self.initial.setdefault("uid", uuid.uuid4())

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        identity = ("client_reference", "agency", "last_name", "first_names", "birth_date", *PERSON)
        contact = ("phone", "document_type", "document_number", "consent")
        return [(_("Client"), self._bound((*identity, *contact))), *super().sections]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("client_reference"):
            for name in ("agency", "last_name", "birth_date"):
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, _("This field is required for a new client."))
        return cleaned

    def entry(self) -> Entry:
        """Return what the service takes."""
        data = self.cleaned_data
        return Entry(
            values=self.values(),
            agency=data["agency"],
            client_reference=data["client_reference"],
            identity=_identity(data),
            purpose=data["purpose"],
        )


def field_problems(name: str, text: str, *, actor: Actor) -> list[str]:
    """Return what is wrong with one typed field by itself, in the words of the whole form."""
    field = ApplicationForm(actor=actor).fields.get(name)
    if field is None:
        return []
    try:
        value = field.clean(text)
    except forms.ValidationError as error:
        return [str(message) for message in error.messages]
    if name == "birth_date" and value:
        name, value = "age", Client(birth_date=value).age_on(timezone.localdate())
    dictionary = dictionary_for([name])
    problems = dictionary.clean({name: value}).problems if name in dictionary else ()
    return [each.text(current_lang()) for each in problems if each.field == name]


PLACES = {
    "age": "birth_date",
    "sex": "sexe",
    "family_situation": "situation_familiale",
    "reference": "client_reference",
}


def typed_variables() -> tuple[str, ...]:
    """Return the names of the dictionary that a person types, in its order."""
    return tuple(name for name in STANDARD.names if name not in NOT_TYPED)


def _identity(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "last_name": data["last_name"],
        "first_names": data["first_names"],
        "birth_date": data["birth_date"],
        "phone": data["phone"],
        "document_type": data["document_type"],
        "document_number": data["document_number"],
        "sex": data["sexe"],
        "family_situation": data["situation_familiale"],
        "contract_type": data["type_contrat_travail"],
        "consent_at": timezone.localdate() if data["consent"] else None,
    }
