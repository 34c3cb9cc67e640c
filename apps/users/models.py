import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.models import TenantForeignKey, TenantModel
from apps.users.enums import RoleChoices


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person who logs in. Shared: the e-mail is unique on the whole platform."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    language = models.CharField(_("language"), max_length=2, blank=True)
    is_operator = models.BooleanField(_("platform operator"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="users_user_email_lower")
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def is_staff(self) -> bool:
        """The admin's own gate; what is inside is decided per page by the role table."""
        return self.is_operator or getattr(self, "administers", False)

    def has_perm(self, _perm: str, _obj: object = None) -> bool:
        return False  # roles decide (tenancy.roles), never Django's per-model permissions

    def has_module_perms(self, _app_label: str) -> bool:
        return self.is_staff


class Membership(models.Model):
    """One person's place in one institution; at most one is active."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    institution = models.ForeignKey(
        "institutions.Institution", on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=24, choices=RoleChoices)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_active=True), name="users_membership_one_active"
            ),
            # What the agencies of a membership point at, so that both stay in one institution.
            models.UniqueConstraint(fields=["institution", "id"], name="users_membership_tenant_key"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class MembershipAgency(TenantModel):
    """An agency that a member is limited to; a member without any sees all."""

    membership = TenantForeignKey(Membership, related_name="agency_links")
    agency = TenantForeignKey("institutions.Agency", related_name="+")

    class Meta:
        constraints = [
            *tenant_constraints("membership", "agency"),
            models.UniqueConstraint(
                fields=["institution", "membership", "agency"], name="users_membershipagency_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}:{self.agency_id}"
