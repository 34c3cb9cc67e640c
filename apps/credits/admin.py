"""Clients and applications as the administrator of an institution reads them; files of clients in and out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.audit.services import record_read
from apps.credits.importing.resources import ClientResource
from apps.credits.models import (
    Client,
    Credit,
    CreditApplication,
    DictionaryVariable,
    Installment,
    Repayment,
)
from apps.credits.queries.applications import visible_applications
from apps.credits.queries.clients import CONSENT_SETTING, STALE_SETTING, visible_clients
from apps.credits.queries.ledger import (
    HORIZON_SETTING,
    visible_credits,
    visible_installments,
    visible_repayments,
)
from apps.credits.queries.privacy import NOTICE_SETTING
from apps.credits.validators import document_index, phone_index, search_form
from apps.institutions.admin import SETTINGS, AgencyFilter, ExchangeAdmin, Setting, in_months
from apps.tenancy.admin import RuledAdmin, admin_actor, begins, told
from apps.tenancy.roles import Verb

LONGEST_NOTICE, SHOWN_OF_NOTICE = 5_000, 80
SETTINGS[STALE_SETTING] = Setting.number(
    gettext_lazy("Months after which a client's data must be confirmed"),
    lowest=1,
    highest=60,
    words=in_months,
)
SETTINGS[CONSENT_SETTING] = Setting.number(
    gettext_lazy("Months for which a client's consent holds"),
    lowest=0,
    highest=120,
    words=lambda months: in_months(months) if months else _("Never expires"),
    help_text=gettext_lazy(
        "0: a consent never expires. Ask your compliance officer: no text that we read gives a figure."
    ),
)
SETTINGS[HORIZON_SETTING] = Setting.number(
    gettext_lazy("Months within which a default counts"), lowest=6, highest=36, words=in_months
)
SETTINGS[NOTICE_SETTING] = Setting(
    label=gettext_lazy("Privacy notice shown to clients"),
    field=lambda: forms.CharField(
        label=_("Privacy notice shown to clients"),
        required=False,
        max_length=LONGEST_NOTICE,
        widget=UnfoldAdminTextareaWidget,
        help_text=_("Paragraphs are parted by an empty line. The standard text stands until you give yours."),
    ),
    words=lambda value: Truncator(str(value)).chars(SHOWN_OF_NOTICE),
)


class FileAdmin(RuledAdmin):
    """A page on people's files: read only, and each reading is known."""

    reads = (Verb.READ_FILES,)
    ordering = ("-pk",)
    sortable_by = ()

    def shown(self, request: HttpRequest, obj: Any) -> None:
        record_read(by=request.actor, target=obj)  # type: ignore[attr-defined]


@admin.register(Client)
class ClientAdmin(ExchangeAdmin, FileAdmin):
    imports = (Verb.IMPORT,)
    exports = (Verb.READ_FILES,)
    resource_classes = [ClientResource]
    list_display = ("reference", "last_name", "first_names", "agency", "city", "is_active", "created_at")
    list_filter = (AgencyFilter, "is_active")
    prefixes = ("reference",)
    search_help_text = gettext_lazy("Beginning of the name or reference, whole phone or document number")
    fields = (
        "reference",
        "agency",
        "last_name",
        "first_names",
        "sex",
        "birth_date",
        "family_situation",
        "phone",
        "city",
        "residence_region",
        "document_type",
        "document_number",
        "document_expires_on",
        "occupation",
        "contract_type",
        "contract_start",
        "monthly_income_xaf",
        "consent_at",
        "prohibition_source",
        "prohibition_date",
        "data_updated_on",
        "is_active",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        actor = admin_actor(request)
        found = visible_clients(actor) if actor else Client.objects.none()
        return found.order_by(*self.ordering)

    def matches(self, request: HttpRequest, term: str) -> Q:
        institution_id = request.actor.institution  # type: ignore[attr-defined]
        found = begins("reference", term.upper()) | begins("search_name", search_form(term))
        if phone := phone_index(term, institution_id=institution_id):
            found |= Q(phone_index=phone)
        if document := document_index(term, institution_id=institution_id):
            found |= Q(document_index=document)
        return found


@admin.register(CreditApplication)
class CreditApplicationAdmin(FileAdmin):
    list_display = ("reference", "client", "agency", "amount", "shown_status", "applied_on")
    list_filter = ("status", AgencyFilter, ("applied_on", RangeDateFilter))
    list_select_related = ("client", "agency")
    prefixes = ("reference",)
    search_help_text = gettext_lazy("Beginning of the reference")
    fields = (
        "reference",
        "client",
        "agency",
        "shown_status",
        "applied_on",
        "purpose",
        "montant_credit",
        "duree_mois",
        "taux_interet",
        "type_credit",
        "author",
        "outcome",
        "outcome_date",
        "created_at",
        "updated_at",
    )

    @display(description=gettext_lazy("status"), label=True)
    def shown_status(self, application: CreditApplication) -> str:
        return application.get_status_display()

    @display(description=gettext_lazy("amount (FCFA)"))
    def amount(self, application: CreditApplication) -> int:
        return application.montant_credit

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditApplication]:
        actor = admin_actor(request)
        found = visible_applications(actor) if actor else CreditApplication.objects.none()
        return found.order_by(*self.ordering)

    def matches(self, request: HttpRequest, term: str) -> Q:
        return begins("reference", term.upper())


@admin.register(Credit)
class CreditAdmin(FileAdmin):
    list_display = ("reference", "client", "agency", "amount_xaf", "shown_status", "disbursed_on")
    list_filter = ("status", AgencyFilter, ("disbursed_on", RangeDateFilter))
    list_select_related = ("client", "agency", "application")
    prefixes = ("reference",)
    search_help_text = gettext_lazy("Beginning of the reference")
    fields = (
        "reference",
        "client",
        "application",
        "agency",
        "shown_status",
        "amount_xaf",
        "disbursed_on",
        "rate_percent",
        "duration_months",
        "repayment_kind",
        "closed_on",
        "written_off_on",
        "restructured_on",
        "for_difficulty",
        "exclusion",
        "shown_author",
        "created_at",
        "updated_at",
    )

    shown_author = told("author", gettext_lazy("author"))

    @display(description=gettext_lazy("status"), label=True)
    def shown_status(self, credit: Credit) -> str:
        return credit.get_status_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credit]:
        actor = admin_actor(request)
        found = visible_credits(actor) if actor else Credit.objects.none()
        return found.order_by(*self.ordering)

    def matches(self, request: HttpRequest, term: str) -> Q:
        return begins("reference", term)


class EntryAdmin(FileAdmin):
    """A line of a credit's ledger: to look at it is to read the credit."""

    list_select_related = ("credit",)
    prefixes = ("credit__reference",)
    search_help_text = gettext_lazy("Beginning of the credit's reference")

    def shown(self, request: HttpRequest, obj: Any) -> None:
        record_read(by=request.actor, target=obj.credit)  # type: ignore[attr-defined]


@admin.register(Installment)
class InstallmentAdmin(EntryAdmin):
    list_display = ("credit", "number", "due_on", "principal_xaf", "interest_xaf", "schedule_from")
    list_filter = (("due_on", RangeDateFilter),)
    fields = ("credit", "schedule_from", "number", "due_on", "principal_xaf", "interest_xaf")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Installment]:
        actor = admin_actor(request)
        found = visible_installments(actor) if actor else Installment.objects.none()
        return found.order_by(*self.ordering)


@admin.register(Repayment)
class RepaymentAdmin(EntryAdmin):
    list_display = ("reference", "credit", "paid_on", "amount_xaf", "source")
    list_filter = ("source", ("paid_on", RangeDateFilter))
    prefixes = ("reference",)  # an index of its own; with the credit's beside it none would serve
    search_help_text = gettext_lazy("Beginning of the receipt number")
    shown_author = told("author", gettext_lazy("author"))
    fields = ("reference", "credit", "paid_on", "amount_xaf", "source", "shown_author", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Repayment]:
        actor = admin_actor(request)
        found = visible_repayments(actor) if actor else Repayment.objects.none()
        return found.order_by(*self.ordering)


@admin.register(DictionaryVariable)
class DictionaryVariableAdmin(RuledAdmin):
    """What the institution declared or decided of variables; the pages of the dictionary change it."""

    reads = (Verb.ADMINISTER,)
    list_display = ("name", "kind", "label_fr", "asked", "in_models", "retired_at")
    list_filter = ("kind", "asked", "in_models")
    prefixes = ("name",)
    search_help_text = gettext_lazy("Beginning of the name")
    fields = (
        *("name", "kind", "label_fr", "label_en", "type", "unit", "minimum", "maximum", "codes"),
        *("direction", "source", "sensitivity", "purpose", "asked", "in_models", "model_use_reason"),
        *("declared_at", "retired_at"),
    )
