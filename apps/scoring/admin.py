"""Scores, read only. Opening an institution joins its row, its policy and its administrator: hence here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
)

from apps.credits.admin import FileAdmin
from apps.institutions.admin import AgencyFilter, InstitutionAdmin, InstitutionForm
from apps.institutions.models import Institution
from apps.scoring.enums import Band
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import visible_predictions
from apps.scoring.services.policies import open_institution
from apps.tenancy.admin import admin_actor, begins, told
from apps.users.models import User


class OpeningForm(InstitutionForm):
    """A new institution with what it needs on its first day."""

    administrator = forms.EmailField(
        label=_("E-mail of the first administrator"), widget=UnfoldAdminEmailInputWidget
    )
    default_threshold = forms.FloatField(
        label=_("Decision threshold"),
        min_value=0.01,
        max_value=0.99,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    copy_from = forms.ModelChoiceField(
        Institution.objects.active(),
        label=_("Copy the scoring policy of"),
        required=False,
        widget=UnfoldAdminSelectWidget,
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


@admin.register(Prediction)
class PredictionAdmin(FileAdmin):
    """The scores of the agencies that the administrator sees; factors are on the analysts' pages."""

    list_display = (
        "created_at",
        "shown_client",
        "points",
        "grade",
        "shown_band",
        "recommendation",
        "shown_model_version",
    )
    list_filter = ("grade", "band", AgencyFilter, ("created_at", RangeDateTimeFilter))
    list_select_related = ("client", "model_version")
    prefixes = ("client__reference",)
    search_help_text = _("Beginning of the client's reference")
    fields = (
        "created_at",
        "shown_client",
        "shown_application",
        "points",
        "grade",
        "shown_band",
        "recommendation",
        "pd",
        "threshold",
        "expected_loss_xaf",
        "max_amount_xaf",
        "shown_model_version",
        "shown_policy",
        "source",
        "shown_author",
    )

    shown_client = told("client", _("client"))
    shown_application = told("application", _("credit application"))
    shown_model_version = told("model_version", _("model version"))
    shown_policy = told("policy", _("scoring policy"))
    shown_author = told("author", _("author"))

    @display(
        description=_("risk band"),
        label={Band.LOW: "success", Band.MODERATE: "warning", Band.HIGH: "danger"},
    )
    def shown_band(self, prediction: Prediction) -> tuple[str, str]:
        return prediction.band, prediction.get_band_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        actor = admin_actor(request)
        found = visible_predictions(actor) if actor else Prediction.objects.none()
        return found.defer("inputs", "facts", "contributions", "rules", "warnings").order_by(*self.ordering)

    def matches(self, request: HttpRequest, term: str) -> Q:
        return begins("client__reference", term.upper())
