import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.files.enums import FileKind, FilePurpose
from apps.tenancy.actor import Actor
from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet


class StoredFileQuerySet(TenantQuerySet["StoredFile"]):
    def kept(self) -> Self:
        return self.filter(deleted_at=None, expires_on__gte=timezone.localdate())

    def expired(self, on: dt.date) -> Self:
        return self.filter(deleted_at=None, expires_on__lt=on)

    def visible_to(self, actor: Actor) -> Self:
        """Leave what ``actor`` sent and what its agencies hold; without agency, for who sees them all."""
        own = Q(uploaded_by=actor.person_id, uploaded_by__isnull=False)
        shared = ~Q(purpose=FilePurpose.REPORT)  # a report holds what its asker may see, and nobody else
        if actor.agency_ids is not None:
            shared &= Q(agency_id__in=actor.agency_ids)
        return self.filter(own | shared)


StoredFileManager = TenantManager.from_queryset(StoredFileQuerySet)


class StoredFile(TenantModel):
    """A file of an institution under its own folder, until a date; the row stays when the file is gone.

    ``path`` is relative to ``institutions/<uid>/files`` under the data folder. ``dialect`` and ``rows`` are
    what was found when it came in; both are null for a file that the site wrote.
    """

    purpose = models.CharField(_("purpose"), max_length=10, choices=FilePurpose)
    original_name = models.CharField(_("name"), max_length=150)
    kind = models.CharField(_("kind"), max_length=7, choices=FileKind)
    size = models.PositiveBigIntegerField(_("size (bytes)"))
    sha256 = models.CharField(max_length=64, editable=False)
    path = models.CharField(max_length=120, editable=False)
    dialect = models.JSONField(null=True, editable=False)
    rows = models.PositiveIntegerField(_("rows"), null=True)
    agency = TenantForeignKey(
        "institutions.Agency", null=True, related_name="+", verbose_name=_("agency"), editable=False
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("sent by"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_on = models.DateField(_("kept until"))
    deleted_at = models.DateTimeField(_("deleted at"), null=True)

    objects: ClassVar[StoredFileManager] = StoredFileManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [*tenant_constraints("agency")]
        indexes = [
            models.Index(fields=["institution", "created_at"], name="files_storedfile_when"),
            models.Index(
                fields=["institution", "expires_on"],
                name="files_storedfile_due",
                condition=Q(deleted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.original_name
