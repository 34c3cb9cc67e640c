import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import (
    REAL_SECURITIES,
    ApplicationStatus,
    CancelReason,
    ConsentMethod,
    ContractType,
    DocumentType,
    ExternalSource,
    ExternalStatus,
    FamilySituation,
    GuaranteeKind,
    Outcome,
    Piece,
    Sex,
)
from apps.engine.dictionary import STANDARD
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.encryption import EncryptedTextField
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet

UNDECIDED = (ApplicationStatus.DRAFT, ApplicationStatus.SUBMITTED, ApplicationStatus.INCOMPLETE)


class ClientQuerySet(TenantQuerySet["Client"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

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
    bureau_consent_at = models.DateField(_("consent to consult the registers"), null=True, blank=True)
    bureau_consent_method = models.CharField(
        _("how obtained"), max_length=12, choices=ConsentMethod, blank=True
    )
    bureau_consent_withdrawn_on = models.DateField(_("consent withdrawn on"), null=True, blank=True)
    prohibition_source = models.CharField(_("credit prohibition: source"), max_length=120, blank=True)
    prohibition_date = models.DateField(_("credit prohibition: date"), null=True, blank=True)
    data_updated_on = models.DateField(_("data confirmed on"), default=timezone.localdate)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[ClientManager] = ClientManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints = [
            *tenant_constraints("agency"),
            models.UniqueConstraint(
                fields=["institution", "reference"],
                name="credits_client_reference",
                violation_error_message=_("This reference is already used in your institution."),
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "search_name"], name="credits_client_name"),
            models.Index(fields=["institution", "search_first_names"], name="credits_client_first_names"),
            models.Index(fields=["institution", "phone_index"], name="credits_client_phone"),
            models.Index(fields=["institution", "document_index"], name="credits_client_document"),
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


class ApplicationQuerySet(TenantQuerySet["CreditApplication"]):
    def matured(self) -> Self:
        return self.exclude(outcome="")

    def undecided(self) -> Self:
        return self.filter(status__in=UNDECIDED)

    def for_agencies(self, agency_ids: frozenset[int]) -> Self:
        return self.filter(agency_id__in=agency_ids)


ApplicationManager = TenantManager.from_queryset(ApplicationQuerySet)


class CreditApplication(TenantModel):
    """What a client asks for, with the variables as they were known on that day.

    Columns named in French are the variables of the dictionary, under their contract names.
    """

    client = TenantForeignKey(Client, related_name="applications", verbose_name=_("client"))
    agency = TenantForeignKey("institutions.Agency", related_name="applications", verbose_name=_("agency"))
    reference = models.CharField(_("reference"), max_length=40)
    status = models.CharField(
        _("status"), max_length=24, choices=ApplicationStatus, default=ApplicationStatus.DRAFT
    )
    applied_on = models.DateField(_("date of the application"), default=timezone.localdate)
    submitted_at = models.DateTimeField(_("submitted for decision on"), null=True, blank=True)
    cancel_reason = models.CharField(
        _("reason of the cancellation"), max_length=16, choices=CancelReason, blank=True
    )
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("author"),
    )

    age = models.PositiveSmallIntegerField(
        _("age"), validators=[MinValueValidator(18), MaxValueValidator(80)]
    )
    sexe = models.CharField(_("sex"), max_length=1, blank=True)
    situation_familiale = models.CharField(_("family situation"), max_length=12, blank=True)
    revenu_mensuel = models.BigIntegerField(_("monthly income (FCFA)"), null=True, blank=True)
    type_contrat_travail = models.CharField(_("type of contract"), max_length=12, blank=True)
    anciennete_travail_mois = models.PositiveSmallIntegerField(_("months in the job"), null=True, blank=True)
    montant_credit = models.BigIntegerField(_("amount (FCFA)"))
    duree_mois = models.PositiveSmallIntegerField(_("term (months)"))
    taux_interet = models.FloatField(_("nominal annual rate (%)"))
    type_credit = models.CharField(_("type of credit"), max_length=40)
    nb_retards_30j = models.PositiveSmallIntegerField(_("delays of 30 days"), null=True, blank=True)
    nb_retards_60j = models.PositiveSmallIntegerField(_("delays of 60 days"), null=True, blank=True)
    nb_retards_90j = models.PositiveSmallIntegerField(_("delays of 90 days"), null=True, blank=True)
    taux_endettement = models.FloatField(_("debt service ratio (%)"), null=True, blank=True)
    ratio_dette_revenu = models.FloatField(_("debt to income"), null=True, blank=True)
    mensualites_en_cours = models.BigIntegerField(_("other monthly payments (FCFA)"), null=True, blank=True)
    encours_autres_dettes = models.BigIntegerField(_("other debts outstanding (FCFA)"), null=True, blank=True)
    charges_mensuelles = models.BigIntegerField(_("monthly expenses (FCFA)"), null=True, blank=True)
    personnes_a_charge = models.PositiveSmallIntegerField(_("dependants"), null=True, blank=True)
    extra = models.JSONField(_("other variables"), default=dict, blank=True)
    guarantees_value_xaf = models.BigIntegerField(_("value of guarantees (FCFA)"), null=True, blank=True)
    real_security = models.BooleanField(_("real security"), default=False)

    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, blank=True)
    outcome_date = models.DateField(_("outcome known on"), null=True, blank=True)
    outcome_source = models.CharField(_("source of the outcome"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[ApplicationManager] = ApplicationManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("credit application")
        verbose_name_plural = _("credit applications")
        constraints = [
            *tenant_constraints("client", "agency"),
            models.UniqueConstraint(
                fields=["institution", "reference"], name="credits_application_reference"
            ),
            models.CheckConstraint(
                condition=models.Q(montant_credit__gt=0) & models.Q(duree_mois__gt=0),
                name="credits_application_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="", outcome_date=None)
                | ~models.Q(outcome="") & models.Q(outcome_date__isnull=False),
                name="credits_application_outcome_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "client"], name="credits_application_client"),
            # Lists run through these from their end: the latest first, whatever the filter.
            models.Index(fields=["institution", "applied_on", "uid"], name="credits_application_when"),
            models.Index(
                fields=["institution", "agency", "applied_on", "uid"], name="credits_application_agency"
            ),
            models.Index(
                fields=["institution", "status", "applied_on", "uid"], name="credits_application_status"
            ),
            models.Index(
                fields=["institution", "author", "applied_on", "uid"], name="credits_application_author"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Guarantee(TenantModel):
    """What secures a client's credit: a thing, or a person who answers for the client."""

    client = TenantForeignKey(Client, related_name="guarantees", verbose_name=_("client"))
    application = TenantForeignKey(
        CreditApplication, null=True, related_name="guarantees", verbose_name=_("application")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=GuaranteeKind)
    description = models.CharField(_("description"), max_length=200, blank=True)
    value_xaf = models.BigIntegerField(_("value (FCFA)"), validators=[MinValueValidator(0)])
    guarantor_name = models.CharField(_("name of the guarantor"), max_length=160, blank=True)
    guarantor_phone = EncryptedTextField(_("phone of the guarantor"), blank=True)
    released_on = models.DateField(_("released on"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("guarantee")
        verbose_name_plural = _("guarantees")
        constraints = [
            *tenant_constraints("client", "application"),
            models.CheckConstraint(condition=models.Q(value_xaf__gte=0), name="credits_guarantee_value"),
        ]
        indexes = [
            models.Index(fields=["institution", "client"], name="credits_guarantee_client"),
            models.Index(fields=["institution", "application"], name="credits_guarantee_application"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_real(self) -> bool:
        return self.kind in REAL_SECURITIES

    @property
    def is_active(self) -> bool:
        return self.released_on is None


class ExternalCredit(TenantModel):
    """A credit that the client has or had with another lender, as known on a date."""

    client = TenantForeignKey(Client, related_name="external_credits", verbose_name=_("client"))
    lender = models.CharField(_("lender"), max_length=120)
    kind = models.CharField(_("type of credit"), max_length=40, blank=True)
    amount_xaf = models.BigIntegerField(
        _("amount (FCFA)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    outstanding_xaf = models.BigIntegerField(
        _("outstanding balance (FCFA)"), validators=[MinValueValidator(0)]
    )
    monthly_payment_xaf = models.BigIntegerField(
        _("monthly payment (FCFA)"), validators=[MinValueValidator(0)]
    )
    status = models.CharField(
        _("status"), max_length=6, choices=ExternalStatus, default=ExternalStatus.ACTIVE
    )
    worst_late_days = models.PositiveSmallIntegerField(_("longest delay (days)"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=7, choices=ExternalSource)
    as_of = models.DateField(_("as known on"), default=timezone.localdate)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("external credit")
        verbose_name_plural = _("external credits")
        constraints = [
            *tenant_constraints("client"),
            models.CheckConstraint(
                condition=models.Q(outstanding_xaf__gte=0, monthly_payment_xaf__gte=0),
                name="credits_external_amounts",
            ),
        ]
        indexes = [models.Index(fields=["institution", "client"], name="credits_external_client")]

    def __str__(self) -> str:
        return self.lender


class PieceRequest(TenantModel):
    """What was asked for when a file was returned to be completed, and what was answered."""

    application = TenantForeignKey(
        CreditApplication, related_name="piece_requests", verbose_name=_("application")
    )
    pieces = models.JSONField(_("missing pieces"))
    note = models.CharField(_("what is expected"), max_length=500, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField(_("asked for on"), default=timezone.now)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    answered_at = models.DateTimeField(_("answered on"), null=True)

    class Meta:
        verbose_name = _("request for pieces")
        verbose_name_plural = _("requests for pieces")
        constraints = [
            *tenant_constraints("application"),
            models.UniqueConstraint(
                fields=["institution", "application"],
                condition=models.Q(answered_at=None),
                name="credits_piecerequest_one_open",
            ),
        ]
        indexes = [models.Index(fields=["institution", "application"], name="credits_piecerequest_file")]

    def __str__(self) -> str:
        return ", ".join(self.labels)

    @property
    def labels(self) -> list[str]:
        """The words of the pieces, in the reader's language."""
        return [str(Piece(code).label) for code in self.pieces]


#: The variables of the dictionary that have a column; the others live in ``extra``.
VARIABLE_COLUMNS = frozenset(field.name for field in CreditApplication._meta.local_fields) & frozenset(
    STANDARD.names
)
