import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantModel


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

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"
