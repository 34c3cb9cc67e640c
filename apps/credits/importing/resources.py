"""Clients in and out of files; each row goes through ``save_client``."""

from typing import Any

from django.db.models import Model, QuerySet
from import_export.fields import Field

from apps.credits.enums import ContractType, DocumentType, FamilySituation, Sex
from apps.credits.models import Client
from apps.credits.queries.clients import visible_clients
from apps.credits.services.clients import save_client
from apps.institutions.importing import (
    AgencyWidget,
    AmountWidget,
    ChoiceWidget,
    DayWidget,
    ServiceResource,
    YesNoWidget,
)
from apps.tenancy.actor import Actor

CHOICES = {
    "sex": Sex,
    "family_situation": FamilySituation,
    "document_type": DocumentType,
    "contract_type": ContractType,
}
DAYS = (
    "birth_date",
    "document_expires_on",
    "contract_start",
    "consent_at",
    "prohibition_date",
    "data_updated_on",
)


class ClientResource(ServiceResource):
    """A client per row, found by reference. Phone and document are in clear in the file, as on the form."""

    class Meta:
        model = Client
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
        import_id_fields = ("reference",)
        skip_unchanged = True
        report_skipped = True

    def __init__(self, actor: Actor, **kwargs: Any) -> None:
        super().__init__(actor, **kwargs)
        agency = AgencyWidget(actor)
        self.fields["agency"] = Field(attribute="agency", column_name=self.column("agency"), widget=agency)
        for name, choices in CHOICES.items():
            self.fields[name].widget = ChoiceWidget(choices)
        for name in DAYS:
            self.fields[name].widget = DayWidget()
        self.fields["monthly_income_xaf"].widget = AmountWidget()
        self.fields["is_active"].widget = YesNoWidget()

    def rows(self) -> QuerySet[Client]:
        return visible_clients(self.actor).order_by("pk")

    def write(self, row: Model) -> None:
        assert isinstance(row, Client)
        save_client(client=row, by=self.actor)
