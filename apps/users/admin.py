from dataclasses import replace
from datetime import datetime, time, timedelta
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
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.institutions.admin import SETTINGS, Setting
from apps.institutions.queries import visible_agencies
from apps.tenancy.admin import ReasonForm, RuledAdmin, ServiceForm, act_on_each, admin_actor, reason_of, told
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import DomainError, InvalidValues
from apps.tenancy.roles import Verb
from apps.users.backends import account_key
from apps.users.enums import OFFERED_SCOPES, KeyScope, RoleChoices
from apps.users.models import (
    BoundIdentity,
    IdentityProvider,
    Membership,
    MembershipAgency,
    PartnerKey,
    PartnerKeyAgency,
    SecondFactor,
    User,
)
from apps.users.queries import TOTP_ROLES_SETTING, visible_keys, visible_memberships, visible_users
from apps.users.services.invitations import invite_again
from apps.users.services.keys import OVERLAP, issue_key, revoke_key, rotate_key
from apps.users.services.lockout import unlock
from apps.users.services.members import change_member, create_member
from apps.users.services.providers import ProviderWish, forget_identity, set_provider

admin.site.unregister(Group)  # roles decide (tenancy.roles); groups would be shared by every institution


def _role_choices() -> list[tuple[str, str]]:
    return [(str(code), str(label)) for code, label in RoleChoices.choices]


def _names_of(roles: list[str]) -> list[str]:
    known = dict(_role_choices())
    return [known.get(role, role) for role in roles]


SETTINGS[TOTP_ROLES_SETTING] = Setting(
    label=gettext_lazy("Roles that must use a second factor"),
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


class NewKeyForm(ServiceForm):
    """What a partner key may do, where, how often and until when."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=[(scope.value, scope.label) for scope in OFFERED_SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    agencies: Any = AgenciesField()
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("Empty: until it is revoked."),
        widget=UnfoldAdminSingleDateWidget,
    )

    class Meta:
        model = PartnerKey
        fields = ("name", "daily_quota")
        widgets = {"name": UnfoldAdminTextInputWidget, "daily_quota": UnfoldAdminIntegerFieldWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agencies"].queryset = visible_agencies(self.actor)  # type: ignore[attr-defined]

    def write(self) -> PartnerKey:
        given = dict(self.cleaned_data)
        day = given.pop("last_day")
        end = None
        if day is not None:
            end = timezone.make_aware(datetime.combine(day, time()) + timedelta(days=1))
        try:
            key, self.secret = issue_key(by=self.actor, expires_at=end, **given)
        except InvalidValues as refusal:
            if "expires_at" in refusal.fields:
                raise InvalidValues(
                    refusal.message, fields={"last_day": refusal.fields["expires_at"]}
                ) from refusal
            raise
        return key


class KeyStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "etat"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("vive", _("In use")), ("finie", _("Revoked or expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        over = models.Q(revoked_at__isnull=False) | models.Q(expires_at__lte=timezone.now())
        if self.value() == "finie":
            return queryset.filter(over)
        return queryset.exclude(over) if self.value() == "vive" else queryset


@admin.register(PartnerKey)
class PartnerKeyAdmin(RuledAdmin):
    """The keys of an institution's partners: issued, replaced and revoked here; a secret is shown once."""

    reads = ("operator",)
    writes = (Verb.ADMINISTER,)
    ordering = ("-pk",)
    form = NewKeyForm
    actions = ("replace", "revoke")
    list_filter = (KeyStateFilter,)
    search_fields = ("name", "prefix")

    @display(description=gettext_lazy("state"), label={"live": "success", "over": "danger"})
    def state(self, key: PartnerKey) -> tuple[str, str]:
        return ("live", _("In use")) if key.is_live else ("over", _("Revoked or expired"))

    @display(description=gettext_lazy("Scopes"))
    def allowed(self, key: PartnerKey) -> str:
        return ", ".join(str(KeyScope(scope).label) for scope in key.scopes if scope in KeyScope)

    @display(description=gettext_lazy("Agencies"))
    def agencies(self, key: PartnerKey) -> str:
        if not key.is_limited:
            return _("Every agency")
        links = PartnerKeyAgency.objects.filter(key_id=key.pk).select_related("agency")
        return ", ".join(sorted(link.agency.name for link in links))

    def get_list_display(self, request: HttpRequest) -> Any:
        actor = admin_actor(request)
        columns = ("name", "prefix", "state", "daily_quota", "expires_at", "last_used_at")
        return (*columns, "institution") if actor and actor.kind == "operator" else columns

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerKey]:
        actor = admin_actor(request)
        return (visible_keys(actor) if actor else PartnerKey.objects.none()).order_by(*self.ordering)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)  # a key is replaced, never changed

    def has_replace_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, (Verb.ADMINISTER,))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "scopes", "agencies", "daily_quota", "last_day")
        actor = admin_actor(request)
        own = () if actor and actor.kind == "operator" else ("agencies",)  # no scope is open for the operator
        dates = ("created_at", "expires_at", "revoked_at", "last_used_at")
        return ("name", "prefix", "state", "allowed", *own, "daily_quota", *dates)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        request.told_keys = [(form.written, form.secret)]  # type: ignore[attr-defined]
        return super().save_form(request, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._show_once(request, request.told_keys)  # type: ignore[attr-defined]

    @action(description=gettext_lazy("Replace: the old key ends in 24 hours"), permissions=["replace"])
    def replace(self, request: HttpRequest, queryset: QuerySet[PartnerKey]) -> HttpResponse | None:
        told: list[tuple[PartnerKey, str]] = []
        by = request.actor  # type: ignore[attr-defined]
        act_on_each(
            request,
            queryset,
            lambda key: told.append(rotate_key(key=key, by=by, overlap=OVERLAP)),
            done=lambda count: ngettext("%(n)s key replaced.", "%(n)s keys replaced.", count) % {"n": count},
        )
        return self._show_once(request, told) if told else None

    @action(description=gettext_lazy("Revoke at once"), permissions=["replace"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PartnerKey]) -> None:
        by = request.actor  # type: ignore[attr-defined]
        act_on_each(
            request,
            queryset,
            lambda key: revoke_key(key=key, by=by),
            done=lambda count: ngettext("%(n)s key revoked.", "%(n)s keys revoked.", count) % {"n": count},
        )

    def _show_once(self, request: HttpRequest, told: list[tuple[PartnerKey, str]]) -> HttpResponse:
        """Answer with the secrets themselves: after this page they are nowhere."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Partner key"),
            "told": told,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/key_shown_once.html", context)


class CodesField(forms.CharField):
    """Short codes separated by spaces, commas or lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=1000, widget=UnfoldAdminTextInputWidget, **options)

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return tuple((super().to_python(value) or "").replace(",", " ").split())

    def run_validators(self, value: Any) -> None:
        """Nothing: the service judges each code."""


class ProviderForm(ServiceForm):
    """What the provider gave to the institution, and whom it may speak for."""

    client_secret = forms.CharField(
        label=gettext_lazy("Client secret"),
        required=False,
        strip=False,
        help_text=gettext_lazy("Never shown again. Empty: the one that is stored."),
        widget=UnfoldAdminPasswordWidget,
    )
    domains = CodesField(
        label=gettext_lazy("E-mail domains"),
        help_text=gettext_lazy("Such as institution.cm; several are separated by spaces."),
    )
    acr_values = CodesField(
        label=gettext_lazy("Strong levels (acr)"),
        help_text=gettext_lazy("With one of them the second factor of CrediSense is not asked."),
    )
    amr_values = CodesField(
        label=gettext_lazy("Strong means (amr)"),
        help_text=gettext_lazy("With one of them the second factor of CrediSense is not asked."),
    )

    way_in = return_address = ""

    class Meta:
        model = IdentityProvider
        fields = (
            "issuer", "client_id", "client_secret", "domains", "acr_values", "amr_values",
            "password_allowed", "is_active",
        )  # fmt: skip
        widgets = {
            "issuer": UnfoldAdminURLInputWidget,
            "client_id": UnfoldAdminTextInputWidget,
            "password_allowed": UnfoldBooleanSwitchWidget,
            "is_active": UnfoldBooleanSwitchWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["client_secret"] = ""
        self.fields["issuer"].help_text = _("As its discovery document writes it: https://id.institution.cm")
        self.fields["client_id"].help_text = _("Return address to declare there: %s") % self.return_address
        self.fields["is_active"].help_text = _("Log-in link for your members: %s") % self.way_in
        self.fields["password_allowed"].help_text = _(
            "Off: members other than administrators come through the provider only."
        )

    def write(self) -> IdentityProvider:
        return set_provider(wish=ProviderWish(**self.cleaned_data), by=self.actor)


@admin.register(IdentityProvider)
class IdentityProviderAdmin(RuledAdmin):
    """The OpenID Connect provider of the institution, with the addresses that it must be told."""

    writes = (Verb.ADMINISTER,)
    form = ProviderForm
    list_display = ("issuer", "is_active", "password_allowed", "changed_at")
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not IdentityProvider.objects.exists()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        uid = request.membership.institution.uid  # type: ignore[attr-defined]
        form.way_in = request.build_absolute_uri(reverse("web:institution_log_in", args=[uid]))
        form.return_address = request.build_absolute_uri(reverse("web:openid_return", args=[uid]))
        return form


@admin.register(BoundIdentity)
class BoundIdentityAdmin(RuledAdmin):
    """Which members came through the provider, and the verb to let one come with another account."""

    writes = (Verb.ADMINISTER,)
    ordering = ("-pk",)
    actions = ("forget",)
    list_display = ("person", "issuer", "bound_at", "last_used_at")
    list_display_links = None
    list_select_related = ("user",)
    sortable_by = ()

    person = told("user", gettext_lazy("Full name"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)  # the list tells everything

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, self.writes)

    @action(description=gettext_lazy("Forget: another account may come next"), permissions=["forget"])
    def forget(self, request: HttpRequest, queryset: QuerySet[BoundIdentity]) -> None:
        by = request.actor  # type: ignore[attr-defined]
        act_on_each(
            request,
            queryset,
            lambda identity: forget_identity(identity=identity, by=by),
            done=lambda count: (
                ngettext("%(n)s account forgotten.", "%(n)s accounts forgotten.", count) % {"n": count}
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
