from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.decisions.enums import (
    GRANTING,
    Channel,
    DecisionKind,
    Direction,
    OverrideReason,
    OverrideStatus,
)
from apps.scoring.enums import Recommendation
from apps.tenancy.constraints import Undeletable, tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet

LONGEST_TEXT = 1000


def _person(label: Any, *, null: bool = True) -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=null,
        related_name="+",
        db_index=False,
        verbose_name=label,
    )


class MotiveQuerySet(TenantQuerySet["DecisionMotive"]):
    def in_use(self) -> Self:
        return self.filter(retired_at=None)


MotiveManager = TenantManager.from_queryset(MotiveQuerySet)


class DecisionMotive(TenantModel):
    """One of the institution's motives for a kind of decision; retired, never removed: decisions name it."""

    kind = models.CharField(_("decision"), max_length=20, choices=DecisionKind)
    code = models.SlugField(_("code"), max_length=40, db_index=False)
    label_fr = models.CharField(_("words in French"), max_length=120)
    label_en = models.CharField(_("words in English"), max_length=120)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    objects: ClassVar[MotiveManager] = MotiveManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("motive of decision")
        verbose_name_plural = _("motives of decision")
        constraints = [
            *tenant_constraints(),
            Undeletable(name="decisions_motive_kept"),
            models.UniqueConstraint(fields=["institution", "kind", "code"], name="decisions_motive_code"),
        ]

    def __str__(self) -> str:
        return self.label_fr


class DecisionLimit(TenantModel):
    """The largest amount that a role decides from a day on; written once, replaced by a later one.

    The latest that has started counts; zero, or none at all, lets the role decide nothing.
    """

    role = models.CharField(_("role"), max_length=20)
    amount_xaf = models.BigIntegerField(_("largest amount (FCFA)"))
    starts_on = models.DateField(_("from"))
    written_by = _person(_("written by"))
    written_at = models.DateTimeField(_("written at"), default=timezone.now)

    class Meta:
        verbose_name = _("limit of decision")
        verbose_name_plural = _("limits of decision")
        constraints = [
            *tenant_constraints(append_only=True),
            models.CheckConstraint(condition=Q(amount_xaf__gte=0), name="decisions_limit_amount"),
        ]
        indexes = [models.Index(fields=["institution", "role", "starts_on"], name="decisions_limit_when")]

    def __str__(self) -> str:
        return f"{self.role} {self.amount_xaf} ({self.starts_on})"


#: What lies against the advice, as the database checks it.
_MILDER = Q(recommendation=Recommendation.DECLINE, kind__in=GRANTING)
_STRICTER = Q(recommendation=Recommendation.GRANT, kind=DecisionKind.REFUSE)


class Decision(TenantModel):
    """What a person decided on an application, and the advice that was seen; inserted once, never changed.

    ``asked_*`` are what the file asked for on that day, ``amount_xaf`` and ``duration_months`` what is
    decided (granted, offered, or refused and deferred as asked). ``author`` and ``sender`` are who entered
    and who sent the file: neither decides it, nor does ``requested_by`` confirm the own override.
    ``is_retrospective`` marks a decision older than the score shown beside it: nobody saw that advice.
    """

    application = TenantForeignKey("credits.CreditApplication", related_name="decisions")
    number = models.PositiveSmallIntegerField(_("number"))
    prediction = TenantForeignKey("scoring.Prediction", null=True, related_name="decisions")
    agency = TenantForeignKey("institutions.Agency", related_name="+", verbose_name=_("agency"))
    kind = models.CharField(_("decision"), max_length=20, choices=DecisionKind)
    recommendation = models.CharField(_("advice"), max_length=8, choices=Recommendation, blank=True)
    pd = models.FloatField(_("probability of default"), null=True)
    threshold = models.FloatField(_("threshold used"), null=True)
    asked_xaf = models.BigIntegerField(_("amount asked for (FCFA)"))
    asked_months = models.PositiveSmallIntegerField(_("term asked for (months)"))
    amount_xaf = models.BigIntegerField(_("amount decided (FCFA)"))
    duration_months = models.PositiveSmallIntegerField(_("term decided (months)"))
    motive = TenantForeignKey(DecisionMotive, null=True, related_name="+", verbose_name=_("motive"))
    comment = models.CharField(_("comment"), max_length=LONGEST_TEXT, blank=True)
    is_override = models.BooleanField(_("against the advice"), default=False)
    override_direction = models.CharField(_("direction"), max_length=14, choices=Direction, blank=True)
    override_reason = models.CharField(_("reason"), max_length=20, choices=OverrideReason, blank=True)
    override_text = models.CharField(_("explanation"), max_length=LONGEST_TEXT, blank=True)
    requested_by = _person(_("override asked for by"))
    decided_by = _person(_("decided by"))
    role = models.CharField(_("role"), max_length=20, blank=True)
    limit_xaf = models.BigIntegerField(_("limit of the role (FCFA)"), null=True)
    author = _person(_("author"))
    sender = _person(_("sent by"))
    decided_at = models.DateTimeField(_("decided at"), default=timezone.now)
    is_retrospective = models.BooleanField(_("older than its score"), default=False)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            *tenant_constraints("application", "prediction", "agency", "motive", append_only=True),
            models.UniqueConstraint(
                fields=["institution", "application", "number"], name="decisions_decision_number"
            ),
            models.CheckConstraint(
                condition=Q(is_retrospective=True)
                | Q(prediction__isnull=False, pd__isnull=False, threshold__isnull=False)
                & ~Q(recommendation=""),
                name="decisions_decision_advice_seen",
            ),
            models.CheckConstraint(
                condition=Q(is_retrospective=True)
                | Q(decided_by__isnull=False)
                & (Q(author=None) | ~Q(decided_by=F("author")))
                & (Q(sender=None) | ~Q(decided_by=F("sender"))),
                name="decisions_decision_not_the_author",
            ),
            models.CheckConstraint(
                condition=Q(is_retrospective=True)
                | Q(limit_xaf__isnull=False, asked_xaf__lte=F("limit_xaf"), amount_xaf__lte=F("limit_xaf")),
                name="decisions_decision_within_limit",
            ),
            models.CheckConstraint(
                condition=Q(
                    is_override=False,
                    override_direction="",
                    override_reason="",
                    override_text="",
                    requested_by=None,
                )
                & (Q(is_retrospective=True) | ~(_MILDER | _STRICTER))
                | Q(is_override=True, requested_by__isnull=False, is_retrospective=False)
                & ~Q(decided_by=F("requested_by"))
                & ~Q(override_reason="")
                & ~Q(override_text="")
                & (
                    Q(override_direction=Direction.MILDER) & _MILDER
                    | Q(override_direction=Direction.STRICTER) & _STRICTER
                ),
                name="decisions_decision_override",
            ),
            models.CheckConstraint(
                condition=Q(amount_xaf__gt=0, duration_months__gt=0)
                & (~Q(kind__in=GRANTING) | Q(amount_xaf__lte=F("asked_xaf"))),
                name="decisions_decision_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "decided_at", "uid"], name="decisions_decision_when"),
            models.Index(fields=["institution", "agency", "decided_at"], name="decisions_decision_agency"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class OverrideRequest(TenantModel):
    """A decision against the advice, asked for by one person; answered by another, it is a ``Decision``.

    What was asked for cannot be changed: the site may write its answer only.
    """

    application = TenantForeignKey("credits.CreditApplication", related_name="override_requests")
    prediction = TenantForeignKey("scoring.Prediction", related_name="+")
    agency = TenantForeignKey("institutions.Agency", related_name="+", verbose_name=_("agency"))
    kind = models.CharField(_("decision"), max_length=20, choices=DecisionKind)
    amount_xaf = models.BigIntegerField(_("amount decided (FCFA)"))
    duration_months = models.PositiveSmallIntegerField(_("term decided (months)"))
    motive = TenantForeignKey(DecisionMotive, related_name="+", verbose_name=_("motive"))
    comment = models.CharField(_("comment"), max_length=LONGEST_TEXT, blank=True)
    direction = models.CharField(_("direction"), max_length=14, choices=Direction)
    reason = models.CharField(_("reason"), max_length=20, choices=OverrideReason)
    text = models.CharField(_("explanation"), max_length=LONGEST_TEXT)
    requested_by = _person(_("override asked for by"), null=False)
    requested_at = models.DateTimeField(_("asked for on"), default=timezone.now)
    status = models.CharField(
        _("status"), max_length=10, choices=OverrideStatus, default=OverrideStatus.PENDING
    )
    answered_by = _person(_("answered by"))
    answered_at = models.DateTimeField(_("answered on"), null=True)
    answer = models.CharField(_("answer"), max_length=LONGEST_TEXT, blank=True)
    decision = TenantForeignKey(Decision, null=True, related_name="+")

    class Meta:
        verbose_name = _("request to override")
        verbose_name_plural = _("requests to override")
        constraints = [
            *tenant_constraints("application", "prediction", "agency", "motive", "decision"),
            models.UniqueConstraint(
                fields=["institution", "application"],
                condition=Q(status=OverrideStatus.PENDING),
                name="decisions_override_one_pending",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="decisions_override_explained"),
            models.CheckConstraint(
                condition=Q(status=OverrideStatus.PENDING, answered_by=None, answered_at=None, decision=None)
                | Q(
                    status=OverrideStatus.CONFIRMED,
                    answered_by__isnull=False,
                    answered_at__isnull=False,
                    decision__isnull=False,
                )
                & ~Q(answered_by=F("requested_by"))
                | Q(
                    status=OverrideStatus.REFUSED,
                    answered_by__isnull=False,
                    answered_at__isnull=False,
                    decision=None,
                )
                & ~Q(answered_by=F("requested_by"))
                & ~Q(answer="")
                | Q(
                    status=OverrideStatus.WITHDRAWN,
                    answered_by=F("requested_by"),
                    answered_at__isnull=False,
                    decision=None,
                )
                | Q(status=OverrideStatus.LAPSED, answered_at__isnull=False, decision=None),
                name="decisions_override_two_people",
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "requested_at"],
                name="decisions_override_pending",
                condition=Q(status=OverrideStatus.PENDING),
            ),
            models.Index(fields=["institution", "application"], name="decisions_override_file"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_status_display()})"


class ReconsiderationQuerySet(TenantQuerySet["Reconsideration"]):
    def open(self) -> Self:
        return self.filter(handled_at=None)


ReconsiderationManager = TenantManager.from_queryset(ReconsiderationQuerySet)


class Reconsideration(TenantModel):
    """A client's request that a person look again at a decision, and what came of it.

    ``first_decider`` is who took that decision: never who handles the request. Without an ``outcome`` the
    decision was kept. What was asked cannot be changed: the site may write its answer only.
    """

    application = TenantForeignKey("credits.CreditApplication", related_name="reconsiderations")
    decision = TenantForeignKey(Decision, related_name="reconsiderations")
    agency = TenantForeignKey("institutions.Agency", related_name="+", verbose_name=_("agency"))
    asked_on = models.DateField(_("asked on"))
    channel = models.CharField(_("how it was asked"), max_length=10, choices=Channel)
    text = models.CharField(_("what the client says"), max_length=LONGEST_TEXT)
    registered_by = _person(_("registered by"), null=False)
    registered_at = models.DateTimeField(_("registered at"), default=timezone.now)
    first_decider = _person(_("who had decided"))
    handled_by = _person(_("handled by"))
    handled_at = models.DateTimeField(_("handled on"), null=True)
    answer = models.CharField(_("answer"), max_length=LONGEST_TEXT, blank=True)
    outcome = TenantForeignKey(Decision, null=True, related_name="+")

    objects: ClassVar[ReconsiderationManager] = ReconsiderationManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("request for another look")
        verbose_name_plural = _("requests for another look")
        constraints = [
            *tenant_constraints("application", "decision", "agency", "outcome"),
            models.UniqueConstraint(
                fields=["institution", "application"],
                condition=Q(handled_at=None),
                name="decisions_reconsideration_one_open",
            ),
            models.CheckConstraint(
                condition=Q(handled_at=None, handled_by=None, outcome=None, answer="")
                | Q(handled_at__isnull=False, handled_by__isnull=False)
                & (Q(first_decider=None) | ~Q(handled_by=F("first_decider")))
                & (Q(outcome__isnull=False) | ~Q(answer="")),
                name="decisions_reconsideration_two_people",
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "registered_at"],
                name="decisions_review_open",
                condition=Q(handled_at=None),
            ),
            models.Index(fields=["institution", "application"], name="decisions_review_file"),
        ]

    def __str__(self) -> str:
        return f"{self.asked_on}"
