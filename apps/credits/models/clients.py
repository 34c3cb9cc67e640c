import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import (
    ConsentMethod,
    ContractType,
    DocumentType,
    FamilySituation,
    Sex,
)
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.encryption import EncryptedTextField
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class ClientQuerySet(TenantQuerySet["Client"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def standing(self) -> Self:
        """Leave out the files that were merged into another one."""
        return self.filter(merged_into=None)

    def for_agencies(self, agency_ids: frozenset[int]) -> Self:
        return self.filter(agency_id__in=agency_ids)


ClientManager = TenantManager.from_queryset(ClientQuerySet)


class Client(TenantModel):
    """A borrower of one institution."""

    agency = TenantForeignKey("institutions.Agency", related_name="clients", verbose_name=_("agency"))
    reference = models.CharField(_("reference"), max_length=40)
    last_name = models.CharField(_("last name"), max_length=80)
    first_names = models.CharField(_("first names"), max_length=120, blank=True)
    #: The name as it is searched, both ways round. Ordered by code points, so that the names that begin with
    #: a text are a range of the index: under row-level security LIKE may use none.
    search_name = models.CharField(max_length=200, editable=False, db_collation="C")
    search_first_names = models.CharField(max_length=200, editable=False, default="", db_collation="C")
    #: The words of the name in order and the birth date: the same for « NGONO Marie » and « Marie Ngono ».
    name_key = models.CharField(max_length=220, editable=False, default="", db_collation="C")
    sex = models.CharField(_("sex"), max_length=1, choices=Sex, blank=True)
    birth_date = models.DateField(_("date of birth"))
    family_situation = models.CharField(
        _("family situation"), max_length=12, choices=FamilySituation, blank=True
    )
    phone = EncryptedTextField(_("phone"), blank=True)
    phone_index = models.CharField(max_length=64, blank=True, editable=False)
    city = models.CharField(_("city"), max_length=80, blank=True)
    residence_region = models.CharField(_("region of residence"), max_length=40, blank=True)
    document_type = models.CharField(_("identity document"), max_length=12, choices=DocumentType, blank=True)
    document_number = EncryptedTextField(_("document number"), blank=True)
    document_index = models.CharField(max_length=64, blank=True, editable=False)
    document_expires_on = models.DateField(_("document valid until"), null=True, blank=True)
    occupation = models.CharField(_("occupation"), max_length=120, blank=True)
    contract_type = models.CharField(_("type of contract"), max_length=12, choices=ContractType, blank=True)
    contract_start = models.DateField(_("in this job since"), null=True, blank=True)
    monthly_income_xaf = models.BigIntegerField(
        _("monthly income (FCFA)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    consent_at = models.DateField(_("consent given on"), null=True, blank=True)
    consent_method = models.CharField(_("how obtained"), max_length=12, choices=ConsentMethod, blank=True)
    consent_withdrawn_on = models.DateField(_("consent withdrawn on"), null=True, blank=True)
    #: The client objected to being contacted with offers: no list of prospects holds the file.
    offers_refused_on = models.DateField(_("objected to offers on"), null=True, blank=True)
    bureau_consent_at = models.DateField(_("consent to consult the registers"), null=True, blank=True)
    bureau_consent_method = models.CharField(
        _("how obtained"), max_length=12, choices=ConsentMethod, blank=True
    )
    bureau_consent_withdrawn_on = models.DateField(_("consent withdrawn on"), null=True, blank=True)
    prohibition_source = models.CharField(_("credit prohibition: source"), max_length=120, blank=True)
    prohibition_date = models.DateField(_("credit prohibition: date"), null=True, blank=True)
    data_updated_on = models.DateField(_("data confirmed on"), default=timezone.localdate)
    is_active = models.BooleanField(_("active"), default=True)
    #: The file that stands for the person since both were found to be one; this one then only holds history.
    merged_into = TenantForeignKey(
        "self", null=True, blank=True, editable=False, related_name="merged", verbose_name=_("merged into")
    )
    merged_at = models.DateTimeField(_("merged on"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[ClientManager] = ClientManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints = [
            *tenant_constraints("agency", "merged_into"),
            models.UniqueConstraint(
                fields=["institution", "reference"],
                name="credits_client_reference",
                violation_error_message=_("This reference is already used in your institution."),
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None, merged_at=None)
                | models.Q(merged_into__isnull=False, merged_at__isnull=False)
                & ~models.Q(merged_into=models.F("id")),
                name="credits_client_merged_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "search_name"], name="credits_client_name"),
            models.Index(fields=["institution", "search_first_names"], name="credits_client_first_names"),
            # The keys of duplicates, each read in its order without the rows (queries/duplicates.py).
            *(
                models.Index(fields=["institution", column], include=["agency", "merged_into"], name=name)
                for column, name in (
                    ("phone_index", "credits_client_phone"),
                    ("document_index", "credits_client_document"),
                    ("name_key", "credits_client_same_name"),
                )
            ),
            models.Index(
                fields=["institution", "merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="credits_client_merged_into",
            ),
            models.Index(fields=["institution", "agency"], name="credits_client_agency"),
            models.Index(fields=["institution", "data_updated_on"], name="credits_client_confirmed"),
        ]

    def __str__(self) -> str:
        return f"{self.last_name} {self.first_names}".strip()

    def clean(self) -> None:
        if self.prohibition_date and not self.prohibition_source:
            raise ValidationError({"prohibition_source": _("Say where the prohibition comes from.")})

    def age_on(self, date: dt.date) -> int:
        """Return completed years on ``date``."""
        had_birthday = (date.month, date.day) >= (self.birth_date.month, self.birth_date.day)
        return date.year - self.birth_date.year - (not had_birthday)


class DistinctClients(TenantModel):
    """Two files that look like one person's and are not: somebody looked, and nobody is asked again."""

    first = TenantForeignKey(Client, related_name="+", verbose_name=_("client"))
    second = TenantForeignKey(Client, related_name="+", verbose_name=_("other client"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("files kept apart")
        verbose_name_plural = _("files kept apart")
        constraints = [
            *tenant_constraints("first", "second"),
            models.UniqueConstraint(fields=["institution", "first", "second"], name="credits_distinct_pair"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="credits_distinct_ordered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id}, {self.second_id}"
