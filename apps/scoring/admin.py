"""Opening an institution joins its row, its policy and its administrator: hence here, above them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.institutions.admin import InstitutionAdmin, InstitutionForm
from apps.institutions.models import Institution
from apps.scoring.services import open_institution
from apps.users.models import User


class OpeningForm(InstitutionForm):
    """A new institution with what it needs on its first day."""

    administrator = forms.EmailField(label=_("E-mail of the first administrator"))
    default_threshold = forms.FloatField(
        label=_("Decision threshold"), min_value=0.01, max_value=0.99, required=False
    )
    copy_from = forms.ModelChoiceField(
        Institution.objects.active(), label=_("Copy the scoring policy of"), required=False
    )

    def clean_administrator(self) -> str:
        email = str(self.cleaned_data["administrator"]).lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("This e-mail cannot be used."))
        return email


admin.site.unregister(Institution)


@admin.register(Institution)
class OpeningAdmin(InstitutionAdmin):
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = OpeningForm if obj is None else InstitutionForm
        return super().get_form(request, obj, change, **{**kwargs, "form": form})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        page = request.build_absolute_uri(reverse("web:invitation"))
        open_institution(
            institution=obj,
            administrator=form.cleaned_data["administrator"],
            by=request.actor,  # type: ignore[attr-defined]
            reason=form.cleaned_data["reason"],
            link=lambda token: f"{page}?{urlencode({'jeton': token})}",
            threshold=form.cleaned_data["default_threshold"],
            copy_from=form.cleaned_data["copy_from"],
        )
