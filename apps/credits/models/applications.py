from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import (
    ApplicationStatus,
    CancelReason,
    Outcome,
    Piece,
)
from apps.credits.models.clients import Client
from apps.engine.dictionary import STANDARD
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet

UNDECIDED = (ApplicationStatus.DRAFT, ApplicationStatus.SUBMITTED, ApplicationStatus.INCOMPLETE)


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
    #: Who sent it; who completes it afterwards stands in its requests for pieces.
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("sent by"),
    )
    #: What was granted, where a decision said so; else what is asked for.
    granted_xaf = models.BigIntegerField(_("amount granted (FCFA)"), null=True, blank=True)
    granted_months = models.PositiveSmallIntegerField(_("term granted (months)"), null=True, blank=True)
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

    @property
    def amount_to_lend(self) -> int:
        """What was granted, in FCFA; what is asked for where no decision said otherwise."""
        return self.montant_credit if self.granted_xaf is None else self.granted_xaf

    @property
    def months_to_lend(self) -> int:
        """The term that was granted; the one asked for where no decision said otherwise."""
        return self.duree_mois if self.granted_months is None else self.granted_months


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
