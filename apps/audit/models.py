import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.tenancy.constraints import AppendOnly, tenant_constraints
from apps.tenancy.models import TenantModel

#: The entries of ``record_read`` that tell which files a person opened.
FILE_READS = ("client.read", "creditapplication.read", "prediction.read")


class AuditEntry(TenantModel):
    """One verb, by one actor, on one object. The site may insert and read, nothing else."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor_kind = models.CharField(_("kind of actor"), max_length=10)
    actor_id = models.BigIntegerField(_("actor"), null=True)
    actor_name = models.CharField(_("name of the actor"), max_length=160, blank=True)
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(_("type of object"), max_length=60, blank=True)
    object_uid = models.UUIDField(_("object"), null=True)
    before = models.JSONField(_("before"), null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), null=True, encoder=DjangoJSONEncoder)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        constraints = [*tenant_constraints(append_only=True)]
        indexes = [
            models.Index(fields=["institution", "at"], name="audit_entry_when"),
            models.Index(fields=["institution", "object_uid"], name="audit_entry_object"),
            models.Index(
                fields=["institution", "actor_id", "at"],
                name="audit_entry_file_reads",
                condition=models.Q(action__in=FILE_READS),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"


class PlatformEntry(models.Model):
    """What the operator did across institutions, with the reason given; shared, never shown to a tenant."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor_id = models.BigIntegerField(_("actor"), null=True)
    actor_name = models.CharField(_("name of the actor"), max_length=160, blank=True)
    action = models.CharField(_("action"), max_length=60)
    institution_id = models.BigIntegerField(_("institution"), null=True)
    reason = models.CharField(_("reason"), max_length=300)

    class Meta:
        verbose_name = _("platform entry")
        verbose_name_plural = _("platform entries")
        constraints = [AppendOnly(name="audit_platformentry_append_only")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"


class Seal(models.Model):
    """One link of a chain: that an entry stood at a place, in this content, when it was sealed.

    ``entry_id`` is no foreign key on purpose: a seal outlives its entry, and so tells of its deletion.
    """

    position = models.BigIntegerField(_("position"))
    entry_id = models.BigIntegerField(_("entry"))
    sealed_at = models.DateTimeField(_("sealed at"))
    #: The entry bears a date that had already been sealed when it appeared: put in afterwards.
    late = models.BooleanField(_("late"), default=False)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.position}: {self.entry_id}"


class Head(models.Model):
    """How far a chain goes. ``signature`` needs the key and covers every other column."""

    count = models.BigIntegerField(_("count"), default=0)
    hash = models.CharField(_("hash"), max_length=64, blank=True)
    #: When nothing visible was left to seal; an entry that appears later with an older date is late.
    caught_up_at = models.DateTimeField(_("caught up at"), null=True)
    #: The everyday sealer looks after ``settled_id`` only. ``frontier_id`` was the last entry sealed at
    #: ``frontier_at``; it becomes settled once no transaction of that time should still be open.
    settled_id = models.BigIntegerField(default=0)
    frontier_id = models.BigIntegerField(default=0)
    frontier_at = models.DateTimeField(null=True)
    signature = models.CharField(_("signature"), max_length=64, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.count)


class AuditSeal(Seal, TenantModel):
    """The seals of an institution's trail; the site adds to them and reads them."""

    class Meta:
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")
        constraints = [
            *tenant_constraints(append_only=True),
            models.UniqueConstraint(fields=["institution", "position"], name="audit_seal_position"),
            models.UniqueConstraint(fields=["institution", "entry_id"], name="audit_seal_entry"),
        ]


class AuditHead(Head, TenantModel):
    """The head of an institution's chain; one row."""

    class Meta:
        verbose_name = _("audit head")
        verbose_name_plural = _("audit heads")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution"], name="audit_head_once"),
        ]


class PlatformSeal(Seal):
    """The seals of the operator's entries; shared."""

    class Meta:
        verbose_name = _("platform seal")
        verbose_name_plural = _("platform seals")
        constraints = [
            AppendOnly(name="audit_platformseal_append_only"),
            models.UniqueConstraint(fields=["position"], name="audit_platformseal_position"),
            models.UniqueConstraint(fields=["entry_id"], name="audit_platformseal_entry"),
        ]


class PlatformHead(Head):
    """The head of the operator's chain; one row, numbered 1."""

    class Meta:
        verbose_name = _("platform head")
        verbose_name_plural = _("platform heads")
