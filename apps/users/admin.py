from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_pages  # noqa: F401  registers Group, which is taken away below
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.institutions.queries import visible_agencies
from apps.tenancy.admin import RuledAdmin, admin_actor
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.users.enums import RoleChoices
from apps.users.models import Membership, User
from apps.users.queries import visible_memberships, visible_users
from apps.users.services.members import change_member, create_member

admin.site.unregister(Group)  # roles decide (tenancy.roles); groups would be shared by every institution


class NewMemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything needed for an account and its place; checked and written by the service."""

    email = forms.EmailField(label=_("E-mail"))
    full_name = forms.CharField(label=_("Full name"), max_length=120)
    password = forms.CharField(label=_("First password"), widget=forms.PasswordInput, strip=False)
    role = forms.ChoiceField(label=_("Role"), choices=RoleChoices)
    agencies: Any = forms.ModelMultipleChoiceField(
        None, label=_("Agencies"), required=False, help_text=_("None: every agency of the institution.")
    )
    actor: Any = None

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agencies"].queryset = visible_agencies(self.actor)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        try:
            self.created = create_member(by=self.actor, **self.cleaned_data)
        except DomainError as refusal:
            raise ValidationError(refusal.message) from refusal
        except ValidationError as error:
            self.add_error("password", error)
        return cleaned

    def save(self, commit: bool = True) -> Membership:
        return self.created

    def save_m2m(self) -> None:
        """Nothing is left: the service wrote the agencies."""

    def _post_clean(self) -> None:
        """Skip the model's own check: the row exists already."""


@admin.register(Membership)
class MembershipAdmin(RuledAdmin):
    """The people of an institution, as its administrator manages them."""

    reads = ("operator",)
    writes = (Verb.ADMINISTER,)
    list_display = ("user", "email", "role", "institution", "is_active")
    list_filter = ("role", "is_active")
    search_fields = ("user__full_name", "user__email")
    list_select_related = ("user", "institution")

    @admin.display(description=_("E-mail"))
    def email(self, membership: Membership) -> str:
        return membership.user.email

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        actor = admin_actor(request)
        found = visible_memberships(actor) if actor else Membership.objects.none()
        return found.order_by(*self.ordering)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return type("BoundNewMemberForm", (NewMemberForm,), {"actor": admin_actor(request)})
        return super().get_form(request, obj, change, **{**kwargs, "fields": ("role", "is_active")})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("email", "full_name", "password", "role", "agencies")
        return ("role", "is_active")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            change_member(
                membership=Membership.objects.select_related("user").get(pk=obj.pk),
                by=request.actor,  # type: ignore[attr-defined]
                role=form.cleaned_data["role"],
                is_active=form.cleaned_data["is_active"],
            )


@admin.register(User)
class UserAdmin(RuledAdmin):
    """Every account of the platform, for the operator; nothing is changed here."""

    reads = ("operator",)
    list_display = ("email", "full_name", "is_operator", "is_active", "last_login")
    search_fields = ("email", "full_name")
    fields = ("email", "full_name", "language", "is_operator", "is_active", "last_login")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        actor = admin_actor(request)
        return (visible_users(actor) if actor else User.objects.none()).order_by(*self.ordering)
