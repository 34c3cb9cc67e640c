"""The test profiles: read, and set to the figures of the institution's own clients."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from apps.engine.dictionary import STANDARD
from apps.engine.profiles import EDITABLE
from apps.engine.wording import format_value, typed_number
from apps.registry.renderers import profile_labels
from apps.registry.services.profiles import change_profiles, profiles_in_force
from apps.tenancy.errors import DomainError
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.credits.forms import unit_text
from apps.web.fields import LineField
from apps.web.forms import ServiceForm
from apps.web.registry.forms import NumberField


class ProfilesForm(ServiceForm):
    """A number a figure of a profile, and why they change."""

    reason = LineField(label=gettext_lazy("Reason"), max_length=300)

    def __init__(self, *sent: Any, **options: Any) -> None:
        super().__init__(*sent, **options)
        known, lang = profiles_in_force(), current_lang()
        for code, names in EDITABLE.items():
            for name in names:
                variable, value = STANDARD[name], known[code].get(name)
                field = NumberField(
                    label=variable.label(lang),
                    initial=typed_number(float(value), lang) if isinstance(value, int | float) else "",
                    help_text=unit_text(variable),
                    required=False,
                )
                self.fields[f"{code}.{name}"] = field

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return each profile by its name, with its fields."""
        labels = profile_labels()
        return [(labels[code], [self[f"{code}.{name}"] for name in EDITABLE[code]]) for code in EDITABLE]

    def facts(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return each profile by its name, with its figures in words."""
        known, labels, lang = profiles_in_force(), profile_labels(), current_lang()
        return [
            (
                labels[code],
                [
                    (STANDARD[name].label(lang), format_value(STANDARD[name], known[code][name], lang))
                    for name in names
                ],
            )
            for code, names in EDITABLE.items()
        ]

    def values(self) -> dict[str, dict[str, object]]:
        """Return what was typed, by profile."""
        return {
            code: {name: self.cleaned_data[f"{code}.{name}"] for name in names}
            for code, names in EDITABLE.items()
        }


@require_http_methods(["GET", "POST"])
@allow(Verb.READ_REPORTS)
def model_profiles(request: ActorRequest) -> HttpResponse:
    """Show the test profiles; who may propose a model sets them."""
    may = request.actor.may(Verb.PROPOSE_MODEL)
    if request.method == "POST" and not may:
        raise PermissionDenied
    form = ProfilesForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            change_profiles(values=form.values(), reason=form.cleaned_data["reason"], by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Set: every checklist uses them from now on."))
            return redirect("web:model_profiles")
    context = {"form": form, "facts": None if may else form.facts()}
    return render(request, "registry/profiles.html", context, status=422 if form.errors else 200)
