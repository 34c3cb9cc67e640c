from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import (
    RiskDirection,
    Sensitivity,
    ValueSource,
    ValueType,
    ValueUnit,
    VariableChange,
    VariableKind,
)
from apps.engine.dictionary import Category, Variable
from apps.tenancy.constraints import Undeletable, tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantManager, TenantModel, TenantQuerySet

LONGEST_NAME, LONGEST_LABEL, LONGEST_REASON = 40, 80, 300


class DictionaryQuerySet(TenantQuerySet["DictionaryVariable"]):
    def own(self) -> Self:
        return self.filter(kind=VariableKind.OWN)

    def in_use(self) -> Self:
        return self.filter(retired_at=None)


DictionaryManager = TenantManager.from_queryset(DictionaryQuerySet)


class DictionaryVariable(TenantModel):
    """A variable that the institution declared, or a standard one where its settings are its own.

    A standard row holds the settings only: what the variable is stands in the engine's dictionary. What an
    own variable is never changes but for its labels, its range and codes added to its list.
    """

    name = models.CharField(_("name"), max_length=63)
    kind = models.CharField(_("kind"), max_length=8, choices=VariableKind)
    label_fr = models.CharField(_("label in French"), max_length=LONGEST_LABEL, blank=True)
    label_en = models.CharField(_("label in English"), max_length=LONGEST_LABEL, blank=True)
    type = models.CharField(_("type"), max_length=8, choices=ValueType, blank=True)
    unit = models.CharField(_("unit"), max_length=16, choices=ValueUnit, blank=True)
    minimum = models.FloatField(_("minimum"), null=True)
    maximum = models.FloatField(_("maximum"), null=True)
    codes = models.JSONField(_("codes"), default=list)
    direction = models.CharField(_("direction"), max_length=4, choices=RiskDirection, blank=True)
    source = models.CharField(_("source"), max_length=8, choices=ValueSource, blank=True)
    sensitivity = models.CharField(_("sensitivity"), max_length=8, choices=Sensitivity, blank=True)
    purpose = models.CharField(_("why it is asked"), max_length=LONGEST_REASON, blank=True)
    asked = models.BooleanField(_("asked for"), default=True)
    in_models = models.BooleanField(_("models may learn from it"))
    model_use_reason = models.CharField(
        _("reason why models may learn from it"), max_length=LONGEST_REASON, blank=True
    )
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("declared by"),
    )
    declared_at = models.DateTimeField(_("declared on"), auto_now_add=True)
    retired_at = models.DateTimeField(_("retired on"), null=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[DictionaryManager] = DictionaryManager()  # type: ignore[type-arg]

    class Meta:
        verbose_name = _("variable of the dictionary")
        verbose_name_plural = _("variables of the dictionary")
        constraints = [
            *tenant_constraints(),
            Undeletable(name="credits_dictionaryvariable_kept"),
            models.UniqueConstraint(fields=["institution", "name"], name="credits_variable_name"),
            models.CheckConstraint(
                condition=models.Q(kind=VariableKind.STANDARD, retired_at=None)
                | ~models.Q(label_fr="") & ~models.Q(label_en="") & ~models.Q(type=""),
                name="credits_variable_described",
            ),
            models.CheckConstraint(
                condition=models.Q(retired_at=None) | models.Q(asked=False, in_models=False),
                name="credits_variable_retired_unused",
            ),
            models.CheckConstraint(
                condition=models.Q(sensitivity="")
                | models.Q(in_models=False)
                | ~models.Q(model_use_reason=""),
                name="credits_variable_sensitive_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def declared(self) -> Variable:
        """Return an own variable as the engine reads it; a missing value of it stays missing."""
        direction: Any = self.direction or None
        kind: Any = self.type
        unit: Any = self.unit
        source: Any = self.source
        return Variable(
            name=self.name,
            type=kind,
            label_fr=self.label_fr,
            label_en=self.label_en,
            unit=unit,
            minimum=self.minimum,
            maximum=self.maximum,
            categories=tuple(
                Category(each["code"], each["label_fr"], each["label_en"]) for each in self.codes
            ),
            direction=direction,
            sensitivity=self.sensitivity,
            source=source,
        )


class DictionaryRevision(TenantModel):
    """A variable of the dictionary as it was from a moment on; nothing here is ever rewritten."""

    variable = TenantForeignKey(DictionaryVariable, related_name="revisions", verbose_name=_("variable"))
    change = models.CharField(_("change"), max_length=8, choices=VariableChange)
    state = models.JSONField(_("state"))
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("changed by"),
    )
    changed_at = models.DateTimeField(_("changed on"), default=timezone.now)

    class Meta:
        verbose_name = _("state of a variable")
        verbose_name_plural = _("states of a variable")
        constraints = [*tenant_constraints("variable", append_only=True)]
        indexes = [
            models.Index(fields=["institution", "variable", "changed_at"], name="credits_revision_variable")
        ]

    def __str__(self) -> str:
        return f"{self.variable_id} ({self.changed_at:%d/%m/%Y})"
