from dataclasses import replace
from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import admin as auth_pages  # noqa: F401  registers Group, which is taken away below
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.institutions.admin import SETTINGS, Setting
from apps.institutions.queries import visible_agencies
from apps.tenancy.admin import ReasonForm, RuledAdmin, ServiceForm, act_on_each, admin_actor, reason_of, told
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.users.backends import account_key
from apps.users.enums import RoleChoices
from apps.users.models import Membership, MembershipAgency, SecondFactor, User
from apps.users.queries import TOTP_ROLES_SETTING, visible_memberships, visible_users
from apps.users.services.invitations import invite_again
from apps.users.services.lockout import unlock
from apps.users.services.members import change_member, create_member

admin.site.unregister(Group)  # roles decide (tenancy.roles); groups would be shared by every institution


def _role_choices() -> list[tuple[str, str]]:
    return [(str(code), str(label)) for code, label in RoleChoices.choices]


def _names_of(roles: list[str]) -> list[str]:
    known = dict(_role_choices())
    return [known.get(role, role) for role in roles]


SETTINGS[TOTP_ROLES_SETTING] = Setting(
    label=lambda: _("Roles that must use a second factor"),
    field=lambda: forms.MultipleChoiceField(
        label=_("Roles that must use a second factor"),
        choices=_role_choices(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    ),
    words=lambda value: (
        ", ".join(dict(_role_choices()).get(role, role) for role in value or []) or _("No role")
    ),
)


class AgenciesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """The agencies of a member among those that the administrator sees."""

    def __init__(self) -> None:
        super().__init__(
            None,
            label=gettext_lazy("Agencies"),
            required=False,
            help_text=gettext_lazy("None: every agency of the institution."),
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )


class NewMemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything needed for an account and its place; checked and written by the service."""

    email = forms.EmailField(label=gettext_lazy("E-mail"), widget=UnfoldAdminEmailInputWidget)
    full_name = forms.CharField(
        label=gettext_lazy("Full name"), max_length=120, widget=UnfoldAdminTextInputWidget
    )
    password = forms.CharField(
        label=gettext_lazy("First password"), widget=UnfoldAdminPasswordWidget, strip=False
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=RoleChoices, widget=UnfoldAdminSelectWidget)
    agencies: Any = AgenciesField()
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


class MemberForm(ServiceForm):
    """The place of a member: role, activity, agencies."""

    agencies: Any = AgenciesField()

    class Meta:
        model = Membership
        fields = ("role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        links = MembershipAgency.objects.filter(membership=self.instance)
        self.fields["agencies"].queryset = visible_agencies(self.actor)  # type: ignore[attr-defined]
        self.initial["agencies"] = list(links.values_list("agency_id", flat=True))

    def write(self) -> Membership:
        stored = Membership.objects.select_related("user").get(pk=self.instance.pk)
        return change_member(membership=stored, by=self.actor, **self.cleaned_data)


class InvitedFilter(admin.SimpleListFilter):
    title = gettext_lazy("invitation")
    parameter_name = "invitation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("attente", _("Not accepted yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "attente":
            return queryset
        return queryset.filter(is_active=False, user__password__startswith=UNUSABLE_PASSWORD_PREFIX)


@admin.register(Membership)
class MembershipAdmin(RuledAdmin):
    """The people of an institution, as its administrator manages them."""

    reads = ("operator",)
    writes = (Verb.ADMINISTER,)
    form = MemberForm
    action_form = ReasonForm
    actions = ("invite_once_more",)
    list_filter = ("role", "is_active", InvitedFilter)
    search_fields = ("user__full_name", "user__email")
    list_select_related = ("user", "institution")

    person = told("user", gettext_lazy("Full name"))

    @display(description=gettext_lazy("E-mail"))
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @display(description=gettext_lazy("Second factor"), boolean=True)
    def second_factor(self, membership: Any) -> bool:
        return bool(membership.has_second_factor)

    def get_list_display(self, request: HttpRequest) -> Any:
        actor = admin_actor(request)
        columns = ("person", "email", "role", "second_factor", "is_active")
        return (*columns, "institution") if actor and actor.kind == "operator" else columns

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        actor = admin_actor(request)
        found = visible_memberships(actor) if actor else Membership.objects.none()
        confirmed = SecondFactor.objects.filter(user_id=OuterRef("user_id"), confirmed_at__isnull=False)
        return found.annotate(has_second_factor=Exists(confirmed)).order_by(*self.ordering)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return type("BoundNewMemberForm", (NewMemberForm,), {"actor": admin_actor(request)})
        if not self.has_change_permission(request, obj):  # the operator's sheet: no scope, so no agencies
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **{**kwargs, "fields": ("role", "is_active")})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("email", "full_name", "password", "role", "agencies")
        if not self.has_change_permission(request, obj):
            return ("person", "email", "institution", "role", "is_active")
        return ("role", "is_active", "agencies")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is left: the forms' services wrote everything."""

    def has_invite_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, ("operator", Verb.ADMINISTER))

    @action(description=gettext_lazy("Send the invitation again"), permissions=["invite"])
    def invite_once_more(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        page = request.build_absolute_uri(reverse("web:invitation"))

        def again(membership: Membership) -> None:
            by = replace(request.actor, institution_id=membership.institution_id)  # type: ignore[attr-defined]
            with tenant_scope(membership.institution_id):
                invite_again(
                    membership=membership, by=by, link=lambda token: f"{page}?{urlencode({'jeton': token})}"
                )

        act_on_each(
            request,
            queryset.select_related("user", "institution"),
            again,
            done=lambda count: (
                ngettext("%(n)s invitation sent.", "%(n)s invitations sent.", count) % {"n": count}
            ),
        )


@admin.register(User)
class UserAdmin(RuledAdmin):
    """Every account of the platform, for the operator; nothing is changed here."""

    reads = ("operator",)
    list_display = ("email", "full_name", "is_operator", "is_active", "last_login")
    list_filter = ("is_active", "is_operator")
    search_fields = ("email", "full_name")
    fields = ("email", "full_name", "language", "is_operator", "is_active", "last_login")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        actor = admin_actor(request)
        return (visible_users(actor) if actor else User.objects.none()).order_by(*self.ordering)


if admin.site.is_registered(AccessAttempt):
    admin.site.unregister(AccessAttempt)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(RuledAdmin):
    """Failed log-ins, counted per account and address. The account is a keyed hash: search by e-mail."""

    reads = ("operator",)
    ordering = ("-attempt_time", "-pk")
    action_form = ReasonForm
    actions = ("let_in",)
    list_display = ("account", "ip_address", "failures_since_start", "attempt_time", "locked")
    list_display_links = None
    search_fields = ("ip_address",)
    search_help_text = gettext_lazy("Whole e-mail, or beginning of the address")

    @display(description=gettext_lazy("Account (fingerprint)"))
    def account(self, attempt: AccessAttempt) -> str:
        return (attempt.username or "")[:12]

    @display(description=gettext_lazy("Locked"), boolean=True)
    def locked(self, attempt: AccessAttempt) -> bool:
        recent = attempt.attempt_time > timezone.now() - settings.LOGIN_WINDOW
        return bool(recent and attempt.failures_since_start >= settings.LOGIN_LIMIT_PAIR)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(username=account_key(term)), False
        if term:
            address = models.functions.Cast("ip_address", models.CharField())
            return queryset.annotate(address=address).filter(address__startswith=term), False
        return queryset, False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)  # the list tells everything

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, ("operator",))

    @action(description=gettext_lazy("Let in again"), permissions=["unlock"])
    def let_in(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        reason = reason_of(request)
        if not reason:
            return
        by = request.actor  # type: ignore[attr-defined]
        act_on_each(
            request,
            list(queryset),
            lambda attempt: unlock(attempt=attempt, by=by, reason=reason),
            done=lambda count: ngettext("%(n)s lock removed.", "%(n)s locks removed.", count) % {"n": count},
        )
