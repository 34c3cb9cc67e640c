from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.institutions.models import Agency, Institution
from apps.institutions.services import save_agency, save_institution
from apps.tenancy.admin import RuledAdmin
from apps.tenancy.roles import Verb


class InstitutionForm(forms.ModelForm):  # type: ignore[type-arg]
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Kept in the platform's journal beside your name.")
    )

    class Meta:
        model = Institution
        fields = ("code", "name", "category", "licence", "country", "language", "status")


@admin.register(Institution)
class InstitutionAdmin(RuledAdmin):
    reads = ("operator",)
    writes = ("operator",)
    form = InstitutionForm
    list_display = ("name", "code", "category", "country", "status", "is_demo")
    list_filter = ("status", "category")
    search_fields = ("name", "code")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_institution(institution=obj, by=request.actor, reason=form.cleaned_data["reason"])  # type: ignore[attr-defined]


@admin.register(Agency)
class AgencyAdmin(RuledAdmin):
    reads = ("operator",)
    writes = (Verb.ADMINISTER,)
    fields = ("code", "name", "city", "region", "is_active")
    list_display = ("name", "code", "city", "region", "is_active")
    search_fields = ("name", "code", "city")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_agency(agency=obj, by=request.actor)  # type: ignore[attr-defined]
