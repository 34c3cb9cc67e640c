import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.jobs.models import Job
from apps.scoring.enums import Band, Dimension, Output, ProposalStatus, Recommendation, Source
from apps.tenancy.actor import Actor
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.context import current_institution_id
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet, new_uid


class ScoringPolicy(TenantModel):
    """The dated figures by which an institution turns a probability into advice; approved, never rewritten.

    The first one comes with the institution; each later one was made by one person, approved by another.
    """

    version = models.PositiveIntegerField(_("version"))
    effective_from = models.DateField(_("effective from"), default=timezone.localdate)
    figures = models.JSONField(_("figures"))
    costs = models.JSONField(_("threshold inputs"), default=dict)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.BigIntegerField(_("created by"), null=True)
    approved_by = models.BigIntegerField(_("approved by"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("scoring policy")
        verbose_name_plural = _("scoring policies")
        constraints = [
            *tenant_constraints(append_only=True),
            models.UniqueConstraint(fields=["institution", "version"], name="scoring_policy_version"),
            models.CheckConstraint(
                condition=Q(version=1)
                | Q(created_by__isnull=False, approved_by__isnull=False) & ~Q(approved_by=F("created_by")),
                name="scoring_policy_two_people",
            ),
        ]
        indexes = [models.Index(fields=["institution", "effective_from"], name="scoring_policy_when")]

    def __str__(self) -> str:
        return f"v{self.version} ({self.effective_from})"

    @property
    def started_at(self) -> dt.datetime:
        """When it could first be in force: on its day, and not before it was approved."""
        day = dt.datetime.combine(self.effective_from, dt.time(), timezone.get_default_timezone())
        return max(day, self.created_at)


class PolicyProposal(TenantModel):
    """A policy as it was proposed, and what became of it; approved, it gives a ``ScoringPolicy``.

    What was proposed cannot be changed (the site may write its decision only): another proposal replaces it.
    """

    figures = models.JSONField(_("figures"))
    costs = models.JSONField(_("threshold inputs"), default=dict)
    effective_from = models.DateField(_("effective from"))
    reason = models.CharField(_("reason"), max_length=300)
    status = models.CharField(
        _("status"), max_length=9, choices=ProposalStatus, default=ProposalStatus.PROPOSED
    )
    opening = models.BooleanField(default=False, editable=False)
    based_on = TenantForeignKey(ScoringPolicy, null=True, related_name="+")
    policy = TenantForeignKey(ScoringPolicy, null=True, related_name="proposals")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_reason = models.CharField(_("reason of the decision"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("proposed scoring policy")
        verbose_name_plural = _("proposed scoring policies")
        constraints = [
            *tenant_constraints("based_on", "policy"),
            models.UniqueConstraint(
                fields=["institution"],
                condition=Q(status=ProposalStatus.PROPOSED),
                name="scoring_proposal_one_pending",
            ),
            models.UniqueConstraint(
                fields=["institution", "policy"],
                condition=Q(policy__isnull=False),
                name="scoring_proposal_one_policy",
            ),
            models.CheckConstraint(
                condition=Q(opening=True) | Q(proposed_by__isnull=False), name="scoring_proposal_maker"
            ),
            models.CheckConstraint(
                condition=Q(status=ProposalStatus.PROPOSED, decided_by=None, decided_at=None, policy=None)
                | Q(status=ProposalStatus.APPROVED, opening=True, decided_at__isnull=False)
                | Q(
                    status__in=[ProposalStatus.APPROVED, ProposalStatus.REJECTED],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                )
                & ~Q(decided_by=F("proposed_by"))
                | Q(status=ProposalStatus.WITHDRAWN, decided_at__isnull=False, decided_by=F("proposed_by")),
                name="scoring_proposal_two_people",
            ),
            models.CheckConstraint(
                condition=Q(status=ProposalStatus.APPROVED, policy__isnull=False)
                | ~Q(status=ProposalStatus.APPROVED) & Q(policy=None),
                name="scoring_proposal_policy",
            ),
        ]
        indexes = [models.Index(fields=["institution", "created_at", "uid"], name="scoring_proposal_when")]

    def __str__(self) -> str:
        return f"{self.get_status_display()} ({self.effective_from})"


class Prediction(TenantModel):
    """One score with everything needed to give it again; inserted once, never changed."""

    application = TenantForeignKey("credits.CreditApplication", null=True, related_name="predictions")
    client = TenantForeignKey("credits.Client", null=True, related_name="predictions")
    agency = TenantForeignKey("institutions.Agency", null=True, related_name="predictions")
    model_version = TenantForeignKey("registry.ModelVersion", related_name="predictions")
    policy = TenantForeignKey(ScoringPolicy, related_name="predictions")
    source = models.CharField(_("source"), max_length=5, choices=Source)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    inputs = models.JSONField(_("inputs"))
    facts = models.JSONField(_("facts"))
    input_hash = models.CharField(_("hash of the inputs"), max_length=64)
    pd = models.FloatField(_("probability of default"))
    base = models.FloatField(_("base value (log-odds)"))
    contributions = models.JSONField(_("contributions (log-odds)"))
    threshold = models.FloatField(_("threshold used"))
    predicted_default = models.BooleanField(_("prediction"))
    points = models.SmallIntegerField(_("points"))
    grade = models.CharField(_("grade"), max_length=1)
    band = models.CharField(_("risk band"), max_length=6, choices=Band)
    recommendation = models.CharField(_("recommendation"), max_length=8, choices=Recommendation)
    expected_loss_xaf = models.BigIntegerField(_("expected loss (FCFA)"))
    max_amount_xaf = models.BigIntegerField(_("maximal advised amount (FCFA)"), null=True)
    max_amount_reason = models.CharField(max_length=40, blank=True)
    rules = models.JSONField(_("rules"))
    warnings = models.JSONField(_("warnings"))
    duration_ms = models.FloatField(_("duration (ms)"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            *tenant_constraints(
                "application", "client", "agency", "model_version", "policy", append_only=True
            ),
            models.UniqueConstraint(
                fields=["institution", "application", "model_version", "policy", "input_hash"],
                condition=models.Q(application__isnull=False),
                name="scoring_prediction_once",
            ),
            models.CheckConstraint(
                condition=models.Q(pd__gte=0) & models.Q(pd__lte=1), name="scoring_prediction_pd"
            ),
        ]
        # Scores by values have no application, client or agency: the indexes of these leave them out.
        indexes = [
            models.Index(fields=["institution", "created_at", "uid"], name="scoring_prediction_when"),
            models.Index(fields=["institution", "author", "created_at"], name="scoring_prediction_author"),
            models.Index(
                fields=["institution", "client"],
                name="scoring_prediction_client",
                condition=models.Q(client__isnull=False),
            ),
            # the history's filters, each newest first
            models.Index(
                fields=["institution", "agency", "created_at", "uid"],
                name="scoring_prediction_agency",
                condition=models.Q(agency__isnull=False),
            ),
            models.Index(fields=["institution", "band", "created_at", "uid"], name="scoring_prediction_band"),
            models.Index(
                fields=["institution", "source", "created_at", "uid"], name="scoring_prediction_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} ({self.grade})"


class ShadowScore(TenantModel):
    """What a challenger would have said of a score that was given; nobody's advice ever rests on it."""

    prediction = TenantForeignKey(Prediction, related_name="shadows")
    model_version = TenantForeignKey("registry.ModelVersion", related_name="+")
    pd = models.FloatField(_("probability of default"))
    #: When the score itself was given.
    scored_at = models.DateTimeField(_("scored at"))

    class Meta:
        verbose_name = _("score of a challenger")
        verbose_name_plural = _("scores of challengers")
        constraints = [
            *tenant_constraints("prediction", "model_version", append_only=True),
            models.UniqueConstraint(
                fields=["institution", "prediction", "model_version"], name="scoring_shadow_once"
            ),
            models.CheckConstraint(condition=Q(pd__gte=0) & Q(pd__lte=1), name="scoring_shadow_pd"),
        ]
        indexes = [
            models.Index(fields=["institution", "model_version", "scored_at"], name="scoring_shadow_when")
        ]

    def __str__(self) -> str:
        return f"{self.pd:.4f}"


class Scenario(TenantModel):
    """Other terms tried on an application and kept beside it, with what they gave on that day.

    The credit tried is the amount less the contribution. Whoever kept it may remove it.
    """

    application = TenantForeignKey("credits.CreditApplication", related_name="scenarios")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    model_version = TenantForeignKey("registry.ModelVersion", related_name="+")
    policy = TenantForeignKey(ScoringPolicy, related_name="+")
    amount_xaf = models.BigIntegerField(_("amount (FCFA)"))
    contribution_xaf = models.BigIntegerField(_("own contribution (FCFA)"), default=0)
    duration_months = models.PositiveSmallIntegerField(_("term (months)"))
    rate_percent = models.FloatField(_("nominal annual rate (%)"))
    pd = models.FloatField(_("probability of default"))
    threshold = models.FloatField(_("threshold used"))
    points = models.SmallIntegerField(_("points"))
    grade = models.CharField(_("grade"), max_length=1)
    band = models.CharField(_("risk band"), max_length=6, choices=Band)
    recommendation = models.CharField(_("recommendation"), max_length=8, choices=Recommendation)
    instalment_xaf = models.BigIntegerField(_("instalment (FCFA)"), null=True)
    debt_ratio_percent = models.FloatField(_("debt service ratio (%)"), null=True)
    max_amount_xaf = models.BigIntegerField(_("maximal advised amount (FCFA)"), null=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        constraints = [
            *tenant_constraints("application", "model_version", "policy"),
            models.UniqueConstraint(
                fields=[
                    *("institution", "application", "amount_xaf", "contribution_xaf"),
                    *("duration_months", "rate_percent"),
                ],
                name="scoring_scenario_once",
            ),
            models.CheckConstraint(
                condition=Q(contribution_xaf__gte=0, amount_xaf__gt=F("contribution_xaf")),
                name="scoring_scenario_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} ({self.grade})"


#: The bytes of a line's identifier that hold its number.
LINES = 0xFFFFFFFF


def new_lines_uid() -> uuid.UUID:
    """Return what the identifiers of the lines of a new batch begin with."""
    return uuid.UUID(int=uuid.uuid4().int & ~LINES)


def line_uid(start: uuid.UUID, line: int) -> uuid.UUID:
    """Return the identifier of one line of the batch that has ``lines_from=start``."""
    return uuid.UUID(int=start.int + line)


class ScoringBatchQuerySet(TenantQuerySet["ScoringBatch"]):
    def visible_to(self, actor: Actor) -> Self:
        """Leave what ``actor`` sent; everything for who sees every agency, since a file has none."""
        if actor.agency_ids is None:
            return self
        return self.filter(author_kind=actor.kind, author_id=actor.id)


ScoringBatchManager = TenantManager.from_queryset(ScoringBatchQuerySet)


class ScoringBatch(TenantModel):
    """A file whose lines are scored, and with what: everything a line depends on is settled at the start.

    Its job says where it stands; its chunks say which lines are done. ``columns`` names the variables of
    ``ScoredLine.inputs`` in order, ``champions`` those of each segment: ``[{"segment", "id"}, …]``.
    """

    job = TenantForeignKey(Job, related_name="+")
    source = TenantForeignKey("files.StoredFile", related_name="+")
    result = TenantForeignKey("files.StoredFile", null=True, related_name="+")
    dialect = models.JSONField(editable=False)
    mapping = models.JSONField(editable=False)
    output = models.CharField(_("format of the result"), max_length=6, choices=Output, default=Output.SAME)
    language = models.CharField(max_length=2, default="fr", editable=False)
    columns = models.JSONField(editable=False)
    champions = models.JSONField(editable=False)
    model_version = TenantForeignKey("registry.ModelVersion", related_name="+")
    policy = TenantForeignKey(ScoringPolicy, related_name="+")
    lines_from = models.UUIDField(default=new_lines_uid, editable=False)
    lines_total = models.PositiveIntegerField(_("lines of the file"))
    lines_read = models.PositiveIntegerField(_("lines read"), default=0)
    lines_scored = models.PositiveIntegerField(_("lines scored"), default=0)
    lines_rejected = models.PositiveIntegerField(_("lines rejected"), default=0)
    summary = models.JSONField(_("summary"), null=True)
    author_kind = models.CharField(max_length=8, editable=False)
    author_id = models.BigIntegerField(null=True, editable=False)
    author_name = models.CharField(_("asked by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[ScoringBatchManager] = ScoringBatchManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("scored file")
        verbose_name_plural = _("scored files")
        constraints = [
            *tenant_constraints("job", "source", "result", "model_version", "policy"),
            models.UniqueConstraint(fields=["institution", "job"], name="scoring_batch_job"),
            models.UniqueConstraint(fields=["institution", "lines_from"], name="scoring_batch_lines_from"),
            models.CheckConstraint(
                condition=Q(lines_read=models.F("lines_scored") + models.F("lines_rejected")),
                name="scoring_batch_lines",
            ),
        ]
        indexes = [models.Index(fields=["institution", "created_at", "uid"], name="scoring_batch_when")]

    def __str__(self) -> str:
        return str(self.uid)


class BatchChunk(TenantModel):
    """Lines of a file that are done: stored with their scores in one transaction, or not at all.

    ``figures`` are what the summary adds up; ``sha256`` is that of these lines of the result, by which a
    part that was lost or altered is noticed and made again. ``client_references`` are what the file says of
    whose lines they are, from the first line to the last, None without such a column.
    """

    batch = TenantForeignKey(ScoringBatch, related_name="chunks")
    number = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField()
    last_line = models.PositiveIntegerField()
    scored = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    figures = models.JSONField()
    sha256 = models.CharField(max_length=64)
    client_references = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("lines scored together")
        verbose_name_plural = _("lines scored together")
        constraints = [
            *tenant_constraints("batch", append_only=True),
            models.UniqueConstraint(fields=["institution", "batch", "number"], name="scoring_chunk_number"),
            models.CheckConstraint(
                condition=Q(last_line__gte=models.F("first_line")), name="scoring_chunk_lines"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_line}-{self.last_line}"


class FloatsField(models.Field):  # type: ignore[type-arg]
    """Numbers in double precision, in order: ``django.contrib.postgres`` asks every connection for types."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002  the interface of a field
        return "double precision[]"


class ScoredLineQuerySet(TenantQuerySet["ScoredLine"]):
    def of(self, batch: ScoringBatch) -> Self:
        """Leave the lines of a file, in its order."""
        start = batch.lines_from
        return self.filter(uid__range=(start, line_uid(start, LINES))).order_by("uid")


ScoredLineManager = TenantManager.from_queryset(ScoredLineQuerySet)


class ScoredLine(TenantModel):
    """The score of one line of a file, in a fraction of what a ``Prediction`` takes: a file has a million.

    ``inputs`` are the values of ``batch.columns``, a category as the place of its code; ``log_odds`` the
    contributions in the order of the model's variables; NaN is missing. ``verdicts`` has one letter a rule
    of the policy, ``warnings`` one bit a warning.

    Its ``uid`` says whose it is and which one: ``batch.lines_from`` and the line's number in the last four
    bytes. That keeps a line from being stored twice, finds the lines of a batch and the batch of a line; a
    key to the batch, checked for each of a million rows, would take longer than storing them. It is the only
    key: a number of its own, with its sequence and its index, would take a third of the time of storing.
    """

    id = None  # type: ignore[assignment]  # how Django leaves out an inherited field
    uid = models.UUIDField(primary_key=True, default=new_uid, editable=False)
    institution = models.ForeignKey(
        "institutions.Institution",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        editable=False,
        default=current_institution_id,
    )
    model = models.PositiveSmallIntegerField()
    inputs = FloatsField()
    log_odds = FloatsField()
    pd = models.FloatField(_("probability of default"))
    threshold = models.FloatField(_("threshold used"))
    expected_loss_xaf = models.BigIntegerField(_("expected loss (FCFA)"))
    points = models.SmallIntegerField(_("points"))
    grade = models.SmallIntegerField()
    band = models.SmallIntegerField()
    recommendation = models.SmallIntegerField()
    warnings = models.SmallIntegerField()
    verdicts = models.CharField(max_length=40)

    objects: ClassVar[ScoredLineManager] = ScoredLineManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("score of a line")
        verbose_name_plural = _("scores of lines")
        constraints = [
            *tenant_constraints(append_only=True, uid_is_key=True),
            models.CheckConstraint(condition=Q(pd__gte=0) & Q(pd__lte=1), name="scoring_line_pd"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.points}"

    @property
    def line(self) -> int:
        """The line of the file, as a spreadsheet shows it."""
        return self.uid.int & LINES

    @property
    def lines_from(self) -> uuid.UUID:
        """What its batch has under the same name."""
        return uuid.UUID(int=self.uid.int & ~LINES)


class ScoreTotal(TenantModel):
    """Scores added up by month, agency and credit type, and by one dimension more; whole numbers only.

    Sums of whole numbers are the same in whatever order they were added, so that totals can be compared
    with the rows they stand for. ``agency`` is empty for scores of files and of values without a client.
    Every agency together (``every_agency``) and every credit type (``EVERY_TYPE``) have rows of their own: a
    page reads few of them, however many agencies there are.
    """

    EVERY_TYPE = "*"

    month = models.DateField(_("month"))
    every_agency = models.BooleanField(default=False)
    agency = TenantForeignKey("institutions.Agency", null=True, related_name="+")
    credit_type = models.CharField(_("type of credit"), max_length=40)
    dimension = models.CharField(max_length=8, choices=Dimension)
    value = models.CharField(max_length=40)
    scores = models.BigIntegerField(_("scores"))
    #: The sum of the probabilities, each rounded to a millionth.
    pd_millionths = models.BigIntegerField()
    points = models.BigIntegerField()
    expected_loss_xaf = models.BigIntegerField(_("expected loss (FCFA)"))
    predicted_defaults = models.BigIntegerField()
    favourable = models.BigIntegerField()
    unfavourable = models.BigIntegerField()

    class Meta:
        verbose_name = _("total of scores")
        verbose_name_plural = _("totals of scores")
        constraints = [
            *tenant_constraints("agency"),
            models.UniqueConstraint(
                fields=[
                    *("institution", "dimension", "every_agency", "credit_type", "month", "agency"),
                    "value",
                ],
                nulls_distinct=False,
                name="scoring_total_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month} {self.credit_type} {self.dimension} {self.value}: {self.scores}"


class ScoreTotalsHead(TenantModel):
    """How far the scores of an institution are in its totals: those numbered up to ``settled_id`` are.

    Numbers are given before their rows are committed. ``frontier_id`` was the highest one seen at
    ``frontier_at``, while ``writers`` (virtual transactions) were writing scores: once all of them are over,
    nothing below can appear any more.
    """

    settled_id = models.BigIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    frontier_id = models.BigIntegerField(default=0)
    frontier_at = models.DateTimeField(null=True)
    writers = models.JSONField(default=list)

    class Meta:
        verbose_name = _("state of the totals of scores")
        verbose_name_plural = _("states of the totals of scores")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution"], name="scoring_totals_head"),
        ]

    def __str__(self) -> str:
        return str(self.settled_id)
