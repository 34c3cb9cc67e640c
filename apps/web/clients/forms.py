"""The list's filters, a client's file, and what is added to it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import (
    ConsentMethod,
    ConsentPurpose,
    ContractType,
    DocumentType,
    ExternalSource,
    ExternalStatus,
    FamilySituation,
    GuaranteeKind,
    Sex,
)
from apps.credits.models import Client, CreditApplication, ExternalCredit, Guarantee
from apps.credits.services.clients import version_of
from apps.credits.validators import check_phone
from apps.engine.dictionary import STANDARD
from apps.institutions.queries import visible_agencies
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.web.fields import AmountField, DayField, LineField
from apps.web.forms import ServiceForm

IDENTITY = ("agency", "last_name", "first_names", "birth_date", "sex", "family_situation")
CONTACT = ("phone", "city", "residence_region")
DOCUMENT = ("document_type", "document_number", "document_expires_on")
WORK = ("occupation", "contract_type", "contract_start", "monthly_income_xaf")
PROHIBITION = ("prohibition_source", "prohibition_date")
CONSENT = ("data_consent", "bureau_consent", "consent_method")
OWN = (*IDENTITY, *CONTACT, *DOCUMENT, *WORK, *PROHIBITION)


def optional(choices: type[Any]) -> Any:
    return lambda: [("", _("Choose")), *choices.choices]


def phone_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=24,
        validators=[check_phone],
        help_text=gettext_lazy("Example: 6 77 12 34 56"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )


class ClientFilterForm(forms.Form):
    """What the list is limited to; every field may stay empty."""

    use_required_attribute = False

    q = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("Beginning of the name, reference, phone or document number"),
        widget=forms.TextInput({"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    agence: Any = forms.ModelChoiceField(None, label=gettext_lazy("Agency"), required=False)
    a_confirmer = forms.BooleanField(label=gettext_lazy("Data to confirm only"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agency: Any = self.fields["agence"]
        agency.queryset = visible_agencies(actor)
        agency.to_field_name = "code"
        agency.empty_label = _("All agencies")


class ClientForm(ServiceForm):
    """The file of a client; consents are asked for when it is opened, and have their buttons afterwards."""

    version = forms.CharField(required=False, widget=forms.HiddenInput)
    agency: Any = forms.ModelChoiceField(None, label=gettext_lazy("Agency"))
    last_name = LineField(label=gettext_lazy("Last name"), max_length=80)
    first_names = LineField(label=gettext_lazy("First names"), required=False, max_length=120)
    birth_date = DayField(label=gettext_lazy("Date of birth"))
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), required=False, choices=optional(Sex))
    family_situation = forms.ChoiceField(
        label=gettext_lazy("Family situation"), required=False, choices=optional(FamilySituation)
    )
    phone = phone_field(gettext_lazy("Phone"))
    city = LineField(label=gettext_lazy("City"), required=False, max_length=80)
    residence_region = LineField(label=gettext_lazy("Region of residence"), required=False, max_length=40)
    document_type = forms.ChoiceField(
        label=gettext_lazy("Identity document"), required=False, choices=optional(DocumentType)
    )
    document_number = LineField(label=gettext_lazy("Document number"), required=False, max_length=40)
    document_expires_on = DayField(label=gettext_lazy("Document valid until"), required=False)
    occupation = LineField(label=gettext_lazy("Occupation"), required=False, max_length=120)
    contract_type = forms.ChoiceField(
        label=gettext_lazy("Type of contract"), required=False, choices=optional(ContractType)
    )
    contract_start = DayField(label=gettext_lazy("In this job since"), required=False)
    monthly_income_xaf = AmountField(
        label=gettext_lazy("Monthly income"), required=False, help_text=gettext_lazy("In FCFA a month")
    )
    prohibition_source = LineField(
        label=gettext_lazy("Source of the prohibition"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("Court decision or register; never deduced from a score."),
    )
    prohibition_date = DayField(label=gettext_lazy("Prohibited since"), required=False)
    data_consent = forms.BooleanField(
        label=gettext_lazy("The client agrees to the use of these data to examine credit applications"),
        required=False,
    )
    bureau_consent = forms.BooleanField(
        label=gettext_lazy("The client agrees to the consultation of the credit registers (CREMF, BIC)"),
        required=False,
    )
    consent_method = forms.ChoiceField(
        label=gettext_lazy("How the consent was obtained"), required=False, choices=optional(ConsentMethod)
    )

    def __init__(self, *args: Any, actor: Actor, client: Client | None = None, **kwargs: Any) -> None:
        if client is not None:
            shown = {name: getattr(client, name) for name in OWN}
            kwargs["initial"] = {**shown, "version": version_of(client)}
        super().__init__(*args, **kwargs)
        agencies = visible_agencies(actor)
        choice: Any = self.fields["agency"]
        choice.queryset, choice.empty_label = agencies, _("Choose")
        if client is None and len(agencies) == 1:
            choice.initial = agencies[0]
        for name in CONSENT if client is not None else ():
            del self.fields[name]

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        parts = [
            (_("Identity"), IDENTITY),
            (_("Contact"), CONTACT),
            (_("Identity document"), DOCUMENT),
            (_("Work and income"), WORK),
            (_("Consent"), CONSENT),
        ]
        bound = [(title, [self[name] for name in names if name in self.fields]) for title, names in parts]
        return [(title, fields) for title, fields in bound if fields]

    @property
    def optional_section(self) -> tuple[str, list[forms.BoundField]]:
        return _("Prohibition of credit (optional)"), [self[name] for name in PROHIBITION]

    def clean_birth_date(self) -> Any:
        day = self.cleaned_data["birth_date"]
        if day >= timezone.localdate():
            raise ValidationError(_("The date of birth is in the past."))
        return day

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        agreed = values.get("data_consent") or values.get("bureau_consent")
        if agreed and not values.get("consent_method"):
            self.add_error("consent_method", _("Say how the consent was obtained."))
        if values.get("document_number") and not values.get("document_type"):
            self.add_error("document_type", _("Say which document it is."))
        return values

    def filled(self, client: Client | None = None) -> Client:
        """Return the client with the values of the form; ask for it after ``is_valid()``."""
        filled = client or Client()
        for name in OWN:
            setattr(filled, name, self.cleaned_data[name])
        for wanted, prefix in (("data_consent", ""), ("bureau_consent", "bureau_")):
            if self.cleaned_data.get(wanted):
                setattr(filled, f"{prefix}consent_at", timezone.localdate())
                setattr(filled, f"{prefix}consent_method", self.cleaned_data["consent_method"])
        return filled

    def take_version(self, client: Client) -> None:
        """Let the next sending of this form overwrite the state of ``client``, which was announced."""
        self.data = {**self.data.dict(), "version": version_of(client)}  # type: ignore[attr-defined]


class OtherFileForm(forms.Form):
    """The file that one is compared with: by a link, or by the reference that somebody types."""

    use_required_attribute = False

    avec = forms.UUIDField(required=False, widget=forms.HiddenInput)
    reference = LineField(
        label=gettext_lazy("Compare with another file"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Reference of the other file"),
    )


class ConsentForm(forms.Form):
    """A consent given, with how it was obtained, or withdrawn."""

    purpose = forms.ChoiceField(choices=ConsentPurpose.choices)
    method = forms.ChoiceField(choices=ConsentMethod.choices, required=False)


class GuaranteeForm(ServiceForm):
    """What secures a credit."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of guarantee"), choices=optional(GuaranteeKind))
    value_xaf = AmountField(label=gettext_lazy("Value"))
    description = LineField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("What it is, its number or title"),
    )
    application = forms.ChoiceField(
        label=gettext_lazy("Application that it secures"),
        required=False,
        help_text=gettext_lazy("The application's value of guarantees is then computed from its guarantees."),
    )
    guarantor_name = LineField(
        label=gettext_lazy("Name of the guarantor"),
        required=False,
        max_length=160,
        help_text=gettext_lazy("For an aval or a joint surety"),
    )
    guarantor_phone = phone_field(gettext_lazy("Phone of the guarantor"))

    def __init__(self, *args: Any, applications: list[CreditApplication], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.applications = {str(each.uid): each for each in applications}
        choice: Any = self.fields["application"]
        choice.choices = [("", _("None for now")), *((uid, each.reference) for uid, each in self._known())]

    def _known(self) -> Any:
        return self.applications.items()

    def filled(self, client: Client) -> Guarantee:
        data = self.cleaned_data
        application = self.applications.get(data["application"])
        names = ("kind", "value_xaf", "description", "guarantor_name", "guarantor_phone")
        return Guarantee(client=client, application=application, **{name: data[name] for name in names})


def _credit_types() -> list[tuple[str, str]]:
    lang = current_lang()
    kinds = STANDARD["type_credit"].categories
    return [("", _("Not known")), *((kind.code, kind.label(lang)) for kind in kinds)]


class ExternalCreditForm(ServiceForm):
    """What the client owes to another lender."""

    lender = LineField(label=gettext_lazy("Lender"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("Type of credit"), required=False, choices=_credit_types)
    amount_xaf = AmountField(label=gettext_lazy("Amount lent"), required=False)
    outstanding_xaf = AmountField(label=gettext_lazy("Outstanding balance"))
    monthly_payment_xaf = AmountField(
        label=gettext_lazy("Monthly payment"), help_text=gettext_lazy("In FCFA a month")
    )
    worst_late_days = forms.IntegerField(
        label=gettext_lazy("Longest delay known"),
        required=False,
        min_value=0,
        max_value=9_999,
        help_text=gettext_lazy("In days"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"), choices=ExternalStatus.choices, initial=ExternalStatus.ACTIVE
    )
    source = forms.ChoiceField(label=gettext_lazy("Source"), choices=optional(ExternalSource))
    as_of = DayField(label=gettext_lazy("As known on"), initial=timezone.localdate)

    def filled(self, client: Client) -> ExternalCredit:
        return ExternalCredit(client=client, **self.cleaned_data)
