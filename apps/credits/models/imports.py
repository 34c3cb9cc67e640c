from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import ImportMode, ImportStep
from apps.jobs.models import Job
from apps.tenancy.actor import Actor
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class ImportRunQuerySet(TenantQuerySet["ImportRun"]):
    def visible_to(self, actor: Actor) -> Self:
        """Leave what ``actor`` sent; everything for who sees every agency, since a file has none."""
        if actor.agency_ids is None:
            return self
        return self.filter(author_kind=actor.kind, author_id=actor.id)


ImportRunManager = TenantManager.from_queryset(ImportRunQuerySet)


class ImportRun(TenantModel):
    """A file that is imported: how it is read, what its columns are, how far it has come.

    ``step`` says what is done or was asked last and ``job`` whether that waits, runs or has ended. The counts
    are those of the last check or import; ``checked`` keeps those of the check. ``common`` gives, by name of
    field, the value of every row where no column holds the field. ``agencies`` are the keys of
    those that whoever asked sees, null for all of them. ``columns`` names, for each table written, those
    whose values tell whether a row was changed since.
    """

    target = models.CharField(_("what is imported"), max_length=30)
    source = TenantForeignKey("files.StoredFile", related_name="+")
    report = TenantForeignKey("files.StoredFile", null=True, related_name="+")
    rejects = TenantForeignKey("files.StoredFile", null=True, related_name="+")
    dialect = models.JSONField(editable=False)
    mapping = models.JSONField(default=list, editable=False)
    common = models.JSONField(default=dict, editable=False)
    mode = models.CharField(_("rows to import"), max_length=5, choices=ImportMode, default=ImportMode.VALID)
    keep_duplicates = models.BooleanField(_("import probable duplicates too"), default=False)
    language = models.CharField(max_length=2, default="fr", editable=False)
    step = models.CharField(_("step"), max_length=8, choices=ImportStep, default=ImportStep.SETTLING)
    job = TenantForeignKey(Job, null=True, related_name="+")
    agencies = models.JSONField(null=True, editable=False)
    columns = models.JSONField(default=dict, editable=False)
    rows_total = models.PositiveIntegerField(_("rows of the file"))
    rows_read = models.PositiveIntegerField(_("rows read"), default=0)
    rows_new = models.PositiveIntegerField(_("new"), default=0)
    rows_updated = models.PositiveIntegerField(_("updated"), default=0)
    rows_unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    rows_duplicate = models.PositiveIntegerField(_("duplicates"), default=0)
    rows_rejected = models.PositiveIntegerField(_("rejected"), default=0)
    checked = models.JSONField(null=True, editable=False)
    summary = models.JSONField(null=True, editable=False)
    author_kind = models.CharField(max_length=8, editable=False)
    author_id = models.BigIntegerField(null=True, editable=False)
    author_name = models.CharField(_("asked by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects: ClassVar[ImportRunManager] = ImportRunManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            *tenant_constraints("source", "report", "rejects", "job"),
            models.CheckConstraint(
                condition=models.Q(step=ImportStep.SETTLING) | models.Q(job__isnull=False),
                name="credits_importrun_job",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "created_at", "uid"], name="credits_importrun_when"),
            models.Index(fields=["institution", "job"], name="credits_importrun_job_key"),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class ImportChunk(TenantModel):
    """Rows of a file that are imported: written in one transaction with this row, or not at all.

    ``report_at`` and ``rejects_at`` are where the files of problems and of rows left out ended then.
    """

    run = TenantForeignKey(ImportRun, related_name="chunks")
    number = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField()
    last_line = models.PositiveIntegerField()
    report_at = models.PositiveBigIntegerField()
    rejects_at = models.PositiveBigIntegerField()
    figures = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("rows imported together")
        verbose_name_plural = _("rows imported together")
        constraints = [
            *tenant_constraints("run", append_only=True),
            models.UniqueConstraint(
                fields=["institution", "run", "number"], name="credits_importchunk_number"
            ),
            models.CheckConstraint(
                condition=models.Q(last_line__gte=models.F("first_line")), name="credits_importchunk_lines"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_line}-{self.last_line}"


class ImportChange(TenantModel):
    """What one line of a file did to one row of a table: enough to give back the state before, exactly.

    ``before`` is the row as the table held it, encrypted values as ciphertext; null when the line created it.
    ``after`` identifies what the import left.
    """

    run = TenantForeignKey(ImportRun, related_name="changes")
    line = models.PositiveIntegerField()
    model = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.CharField(max_length=32)

    class Meta:
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        constraints = [*tenant_constraints("run", append_only=True)]
        indexes = [
            models.Index(
                fields=["institution", "run", "model", "object_id"], name="credits_importchange_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.object_id}"


class ImportMapping(TenantModel):
    """What an institution said that a header holds, for the next file of the same kind."""

    target = models.CharField(max_length=30)
    header = models.CharField(max_length=200)
    field = models.CharField(max_length=60, blank=True)
    conversion = models.CharField(max_length=30, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("remembered column")
        verbose_name_plural = _("remembered columns")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(
                fields=["institution", "target", "header"], name="credits_importmapping_header"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.header}: {self.field}"
