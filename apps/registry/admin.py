from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from apps.institutions.admin import SETTINGS, Setting
from apps.registry.enums import ModelStatus
from apps.registry.models import ModelVersion, PlatformModel
from apps.tenancy.admin import RuledAdmin

COLOURS = {ModelStatus.CHAMPION: "success", ModelStatus.CHALLENGER: "info", ModelStatus.RETIRED: "warning"}

SETTINGS["retrain_every_months"] = Setting(
    label=lambda: _("Months between two scheduled trainings (0: none)"),
    field=lambda: forms.IntegerField(
        label=_("Months between two scheduled trainings (0: none)"),
        required=False,
        min_value=0,
        max_value=24,
        widget=UnfoldAdminIntegerFieldWidget,
    ),
    words=lambda value: ngettext("%(count)d month", "%(count)d months", value) % {"count": value},
)
SETTINGS["training_kept_days"] = Setting(
    label=lambda: _("Days that the data of a training are kept"),
    field=lambda: forms.IntegerField(
        label=_("Days that the data of a training are kept"),
        required=False,
        min_value=30,
        max_value=3650,
        widget=UnfoldAdminIntegerFieldWidget,
    ),
    words=lambda value: ngettext("%(count)d day", "%(count)d days", value) % {"count": value},
)


@admin.register(PlatformModel)
class PlatformModelAdmin(RuledAdmin):
    """The models that the platform publishes; `manage.py` and the pages of models put them to work."""

    reads = ("operator",)
    ordering = ("-pk",)
    list_display = ("name", "version", "training_data", "trained_at", "created_at")
    list_filter = ("training_data",)
    search_fields = ("name",)
    fields = ("name", "version", "training_data", "trained_at", "sha256", "created_at")


@admin.register(ModelVersion)
class ModelVersionAdmin(RuledAdmin):
    """Which version each institution holds, and in which state."""

    reads = ("operator",)
    ordering = ("-pk",)
    list_display = (
        "name",
        "version",
        "institution",
        "segment",
        "shown_status",
        "training_data",
        "trained_at",
    )
    list_filter = ("status", "training_data")
    list_select_related = ("institution",)
    sortable_by = ()
    prefixes = ("name",)
    fields = (
        "name",
        "version",
        "institution",
        "segment",
        "shown_status",
        "training_data",
        "trained_at",
        "sha256",
        "created_at",
    )

    @display(description=gettext_lazy("status"), label=COLOURS)
    def shown_status(self, version: ModelVersion) -> tuple[str, str]:
        return version.status, version.get_status_display()
