from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.institutions.admin import SETTINGS, Setting, in_days, in_months
from apps.registry.enums import ModelStatus
from apps.registry.models import ModelVersion, PlatformModel
from apps.tenancy.admin import RuledAdmin

COLOURS = {ModelStatus.CHAMPION: "success", ModelStatus.CHALLENGER: "info", ModelStatus.RETIRED: "warning"}

SETTINGS["retrain_every_months"] = Setting.number(
    gettext_lazy("Months between two scheduled trainings (0: none)"), lowest=0, highest=24, words=in_months
)
SETTINGS["training_kept_days"] = Setting.number(
    gettext_lazy("Days that the data of a training are kept"), lowest=30, highest=3650, words=in_days
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
