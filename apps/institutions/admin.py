"""Institutions, their agencies and their dated settings; what pages with files of rows share."""

import datetime as dt
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm
from import_export.results import RowResult
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from apps.audit.services import record
from apps.institutions.enums import InstitutionStatus
from apps.institutions.importing import (
    KEPT_SECONDS,
    MAX_BYTES,
    MAX_EXPORTED,
    AgencyResource,
    PrivateFiles,
    formats,
)
from apps.institutions.models import Agency, DatedSetting, Institution
from apps.institutions.queries import visible_agencies
from apps.institutions.services import save_agency, save_institution, set_setting
from apps.tenancy.actor import Actor
from apps.tenancy.admin import RuledAdmin, ServiceForm, admin_actor
from apps.tenancy.roles import Verb

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

UNPACKED_BYTES = 50 * 1024 * 1024
UPLOAD_SALT = "institutions.upload"


class InstitutionForm(forms.ModelForm):  # type: ignore[type-arg]
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Kept in the platform's journal beside your name."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Institution
        fields = ("code", "name", "category", "licence", "country", "language", "status")


@admin.register(Institution)
class InstitutionAdmin(RuledAdmin):
    reads = ("operator",)
    writes = ("operator",)
    form = InstitutionForm
    list_display = ("name", "code", "category", "country", "shown_status", "is_demo")
    list_filter = ("status", "category")
    search_fields = ("name", "code")

    @display(
        description=gettext_lazy("status"),
        label={InstitutionStatus.ACTIVE: "success", InstitutionStatus.SUSPENDED: "danger"},
    )
    def shown_status(self, institution: Institution) -> tuple[str, str]:
        return institution.status, institution.get_status_display()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_institution(institution=obj, by=request.actor, reason=form.cleaned_data["reason"])  # type: ignore[attr-defined]


class AgencyFilter(admin.SimpleListFilter):
    """The agencies that the person sees."""

    title = gettext_lazy("agency")
    parameter_name = "agence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        actor = admin_actor(request)
        return [] if actor is None else [(agency.code, agency.name) for agency in visible_agencies(actor)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(agency__in=Agency.objects.filter(code=self.value()))


class UploadForm(ImportForm):  # type: ignore[misc]
    def clean_import_file(self) -> Any:
        """Refuse what would fill the memory, packed or not."""
        upload = self.cleaned_data["import_file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(_("This file is too large: 5 MB at most."))
        if zipfile.is_zipfile(upload):
            with zipfile.ZipFile(upload) as packed:
                if sum(each.file_size for each in packed.infolist()) > UNPACKED_BYTES:
                    raise forms.ValidationError(_("This file is too large: 5 MB at most."))
        upload.seek(0)
        return upload


class SealedConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    """Names the upload by a seal of ours: only the session that sent a file confirms it, within an hour."""

    owner = ""
    format_count = 0

    def clean_import_file_name(self) -> str:
        try:
            name, owner = signing.loads(
                self.cleaned_data["import_file_name"], salt=UPLOAD_SALT, max_age=KEPT_SECONDS
            )
        except (signing.BadSignature, ValueError):
            name, owner = "", None
        if owner != self.owner or not PrivateFiles(name=name).exists():
            raise forms.ValidationError(_("This import is no longer available: send the file again."))
        return str(name)

    def clean_format(self) -> str:
        index = str(self.cleaned_data["format"])
        if not index.isdecimal() or int(index) >= self.format_count:
            raise forms.ValidationError(_("This import is no longer available: send the file again."))
        return index

    def clean_resource(self) -> str:
        return "0"


class ExchangeAdmin(ImportExportMixin, RuledAdmin):  # type: ignore[misc]
    """A list whose rows come and go in files; ``imports`` and ``exports`` say who may."""

    imports: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    import_form_class = UploadForm
    export_form_class = ExportForm
    tmp_storage_class = PrivateFiles
    to_encoding = "utf-8-sig"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, self.imports)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, self.exports)

    def get_import_formats(self) -> list[type[Any]]:
        return formats()

    def get_export_formats(self) -> list[type[Any]]:
        return formats()

    def get_resource_kwargs(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"actor": admin_actor(request)}

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {"rollback_on_validation_errors": True}  # one transaction: all the rows or none

    def get_confirm_form_class(self, request: HttpRequest) -> Any:
        bound = {"owner": self._owner(request), "format_count": len(formats())}
        return type("BoundConfirmForm", (SealedConfirmForm,), bound)

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            named = [initial["import_file_name"], self._owner(request)]
            initial["import_file_name"] = signing.dumps(named, salt=UPLOAD_SALT)
        return initial

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and self.has_import_permission(request):
            form = self.create_confirm_form(request)
            if not form.is_valid():
                messages.error(request, _("This import is no longer available: send the file again."))
                return redirect(f"admin:{self._names()}_import")
        answer: HttpResponse = super().process_import(request, **kwargs)
        return answer

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():  # the rows changed since the preview
            messages.error(
                request, _("Nothing was imported: some rows are refused now. Send the file again.")
            )
            return redirect(f"admin:{self._names()}_import")
        count = {
            "new": result.totals[RowResult.IMPORT_TYPE_NEW],
            "changed": result.totals[RowResult.IMPORT_TYPE_UPDATE],
            "unchanged": result.totals[RowResult.IMPORT_TYPE_SKIP],
        }
        record(by=request.actor, action=f"{self.opts.model_name}.import", after=count)  # type: ignore[attr-defined]
        text = _("Import done: %(new)s added, %(changed)s changed, %(unchanged)s unchanged.")
        messages.success(request, text % count)
        return redirect(f"admin:{self._names()}_changelist")

    def export_action(self, request: HttpRequest) -> HttpResponse:
        if "export_items" in request.POST:  # keys sent by hand: the package would list every key of the table
            data = request.POST.copy()
            data.pop("export_items")
            request.POST = data  # type: ignore[assignment]
        try:
            answer: HttpResponse = super().export_action(request)
        except IncorrectLookupParameters:  # a filter sent by hand, as on the list
            return redirect(f"admin:{self._names()}_changelist")
        return answer

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        count = queryset.order_by()[: MAX_EXPORTED + 1].count()
        if count > MAX_EXPORTED:
            raise ValueError(_("More than %(most)s rows: filter the list first.") % {"most": MAX_EXPORTED})
        content = super().get_export_data(file_format, request, queryset, **kwargs)
        record(by=request.actor, action=f"{self.opts.model_name}.export", after={"count": count})  # type: ignore[attr-defined]
        return content

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        name = slugify(str(self.opts.verbose_name_plural))
        return f"{name}-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"

    def _owner(self, request: HttpRequest) -> str:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        return f"{actor.uid}:{actor.institution}:{request.session.session_key}:{self.opts.label_lower}"

    def _names(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"


class AgencyForm(ServiceForm):
    class Meta:
        model = Agency
        fields = ("code", "name", "city", "region", "is_active")

    def write(self) -> Agency:
        return save_agency(agency=self.instance, by=self.actor)


@admin.register(Agency)
class AgencyAdmin(ExchangeAdmin):
    reads = ("operator",)
    writes = (Verb.ADMINISTER,)
    imports = exports = (Verb.ADMINISTER,)
    form = AgencyForm
    resource_classes = [AgencyResource]
    fields = ("code", "name", "city", "region", "is_active")
    list_display = ("name", "code", "city", "region", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code", "city")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agency]:
        actor, agencies = admin_actor(request), super().get_queryset(request)
        limited = actor.agency_ids if actor else None
        return agencies if limited is None else agencies.filter(id__in=limited)


@dataclass(frozen=True)
class Setting:
    """A dated setting that administrators give: its words, the field of its value, the words of a value.

    The field is not required: the form shows those of every setting, and asks for the chosen one's.
    """

    label: "StrPromise"
    field: Callable[[], forms.Field]
    words: Callable[[Any], str]

    @classmethod
    def number(
        cls,
        label: "StrPromise",
        *,
        lowest: int,
        highest: int,
        words: Callable[[int], str],
        help_text: "StrPromise | str" = "",
    ) -> Self:
        """Return the setting of a whole number between two limits."""
        field = partial(
            forms.IntegerField,
            label=label,
            required=False,
            min_value=lowest,
            max_value=highest,
            widget=UnfoldAdminIntegerFieldWidget,
            help_text=help_text,
        )
        return cls(label=label, field=field, words=words)


def in_months(count: int) -> str:
    return ngettext("%(count)d month", "%(count)d months", count) % {"count": count}


def in_days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


#: Key -> setting; the app that reads a key adds it (users/admin.py).
SETTINGS: dict[str, Setting] = {}


class SettingForm(ServiceForm):
    """One new value from a date on; the values before stay what they were."""

    key = forms.ChoiceField(label=gettext_lazy("Setting"), widget=UnfoldAdminSelectWidget)
    effective_from = forms.DateField(
        label=gettext_lazy("Effective from"), initial=timezone.localdate, widget=UnfoldAdminSingleDateWidget
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = DatedSetting
        fields = ("key", "effective_from", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].choices = [(key, each.label) for key, each in SETTINGS.items()]  # type: ignore[attr-defined]
        for key, each in SETTINGS.items():
            self.fields[f"value_{key}"] = each.field()

    def clean_effective_from(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_from"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("A setting does not change the past: choose today or later."))
        return day

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or {}
        name = f"value_{values.get('key')}"
        if name in self.fields and name not in self.errors and values.get(name) in (None, ""):
            self.add_error(name, _("Give the new value of this setting."))
        return values

    def write(self) -> DatedSetting:
        values = self.cleaned_data
        return set_setting(
            key=values["key"],
            value=values[f"value_{values['key']}"],
            by=self.actor,
            reason=values["reason"],
            effective_from=values["effective_from"],
        )


@admin.register(DatedSetting)
class DatedSettingAdmin(RuledAdmin):
    """What the institution decided, and since when. A new value is added; nothing is edited."""

    reads = (Verb.ADMINISTER,)
    writes = (Verb.ADMINISTER,)
    ordering = ("-pk",)
    list_display = ("shown_key", "shown_value", "effective_from", "reason", "created_at")
    fields = ("shown_key", "shown_value", "effective_from", "reason", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(SETTINGS) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return type("BoundSettingForm", (SettingForm,), {"actor": admin_actor(request)})
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("key", *(f"value_{key}" for key in SETTINGS), "effective_from", "reason")
        return self.fields

    @display(description=gettext_lazy("setting"))
    def shown_key(self, setting: DatedSetting) -> str:
        known = SETTINGS.get(setting.key)
        return str(known.label) if known else setting.key

    @display(description=gettext_lazy("value"))
    def shown_value(self, setting: DatedSetting) -> str:
        known = SETTINGS.get(setting.key)
        return known.words(setting.value) if known else str(setting.value)
