import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.tenancy.constraints import tenant_constraints
from apps.tenancy.encryption import EncryptedTextField
from apps.tenancy.models import TenantForeignKey, TenantModel
from apps.users.enums import FeedbackKind, RoleChoices, SessionKind, Theme


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
    #: Empty: as the system of the computer is.
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, blank=True)
    is_operator = models.BooleanField(_("platform operator"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    #: Sessions and tokens carry the value they were opened with; raising it closes them all at once.
    auth_version = models.PositiveIntegerField(default=0, editable=False)
    reset_sent_at = models.DateTimeField(null=True, editable=False)

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

    def get_full_name(self) -> str:
        """Return the name as the back-office's theme asks for it."""
        return self.full_name

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


class LoginSession(models.Model):
    """One log-in, of a browser or of the API: what every request is checked against. Shared.

    A row is dead when closed, too old, or when the person's version, the membership or its role are no
    longer those of its opening.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=4, choices=SessionKind)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="login_sessions")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=24, blank=True)
    auth_version = models.PositiveIntegerField()
    refresh_jti = models.CharField(max_length=64, blank=True)
    must_set_totp = models.BooleanField(default=False)
    address = models.CharField(_("address"), max_length=45, blank=True)
    created_at = models.DateTimeField(_("opened"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    revoked_at = models.DateTimeField(_("closed"), null=True)

    class Meta:
        verbose_name = _("open session")
        verbose_name_plural = _("open sessions")

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"


class PartnerKey(models.Model):
    """What a partner's program logs in with; only the hash of its secret is kept.

    Shared, as ``LoginSession`` is: it is looked up before any institution is known. One statement answers
    whether it still holds, so a revocation counts at once in every process.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    institution = models.ForeignKey(
        "institutions.Institution", on_delete=models.PROTECT, related_name="partner_keys"
    )
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("prefix"), max_length=24, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    #: Codes of ``KeyScope``.
    scopes = models.JSONField(_("scopes"), default=list)
    #: Its agencies are those of ``PartnerKeyAgency``; without, it sees every agency.
    is_limited = models.BooleanField(_("limited to agencies"), default=False)
    daily_quota = models.PositiveIntegerField(
        _("requests a day"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("partner key")
        verbose_name_plural = _("partner keys")
        constraints = [
            # What the agencies of a key point at, so that both stay in one institution.
            models.UniqueConstraint(fields=["institution", "id"], name="users_partnerkey_tenant_key"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether the key was neither revoked nor has expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class PartnerKeyAgency(TenantModel):
    """An agency that a limited key sees."""

    key = TenantForeignKey(PartnerKey, related_name="agency_links")
    agency = TenantForeignKey("institutions.Agency", related_name="+")

    class Meta:
        constraints = [
            *tenant_constraints("key", "agency"),
            models.UniqueConstraint(
                fields=["institution", "key", "agency"], name="users_partnerkeyagency_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_id}:{self.agency_id}"


class IdentityProvider(TenantModel):
    """The OpenID Connect provider with which the members of an institution may log in; one at most."""

    issuer = models.CharField(_("issuer"), max_length=300)
    client_id = models.CharField(_("client identifier"), max_length=200)
    client_secret = EncryptedTextField(_("client secret"))
    #: Domains of the e-mail addresses that the provider may speak for.
    domains = models.JSONField(_("e-mail domains"), default=list)
    #: What the provider says of a log-in that was as strong as one with our second factor.
    acr_values = models.JSONField(_("strong levels (acr)"), default=list)
    amr_values = models.JSONField(_("strong means (amr)"), default=list)
    password_allowed = models.BooleanField(_("passwords still open the site"), default=True)
    is_active = models.BooleanField(_("in service"), default=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution"], name="users_identityprovider_one"),
        ]

    def __str__(self) -> str:
        return self.issuer


class BoundIdentity(TenantModel):
    """The account at a provider that a member came with first: no other one opens this member's place.

    The provider's own identifier is kept as a keyed hash only.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    issuer = models.CharField(_("issuer"), max_length=300)
    subject_index = models.CharField(max_length=64)
    bound_at = models.DateTimeField(_("bound at"), default=timezone.now)
    last_used_at = models.DateTimeField(_("last used"), default=timezone.now)

    class Meta:
        verbose_name = _("bound account")
        verbose_name_plural = _("bound accounts")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(
                fields=["institution", "user", "issuer"], name="users_boundidentity_person"
            ),
            models.UniqueConstraint(
                fields=["institution", "subject_index"], name="users_boundidentity_subject"
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class RequestCount(models.Model):
    """How many requests one caller made in the running window of one limit. Shared, and not logged.

    ``bucket`` names limit and caller, ``window`` numbers the window since the epoch. A crash of the database
    empties the table: limits then begin anew, nothing else is lost.
    """

    bucket = models.CharField(max_length=120, primary_key=True)
    window = models.BigIntegerField()
    count = models.PositiveIntegerField(default=1)
    touched_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.bucket


class IdempotentReply(TenantModel):
    """What one caller was answered under one ``Idempotency-Key``; kept for a day, encrypted."""

    actor = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    #: Route, query, rights of the caller and body: all that must be the same.
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    reply = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(
                fields=["institution", "actor", "key"], name="users_idempotentreply_once"
            ),
        ]
        indexes = [models.Index(fields=["institution", "created_at"], name="users_idempotentreply_when")]

    def __str__(self) -> str:
        return str(self.uid)


class SecondFactor(models.Model):
    """The secret of a person's authenticator application; in use once confirmed by a first code."""

    user = models.OneToOneField(
        User, on_delete=models.PROTECT, primary_key=True, related_name="second_factor"
    )
    secret = EncryptedTextField()
    confirmed_at = models.DateTimeField(null=True)
    #: The 30-second step of the last accepted code: a code serves once.
    last_step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """One way back for a person whose telephone is lost; serves once."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="users_recoverycode_once")]

    def __str__(self) -> str:
        return str(self.user_id)


class Draft(TenantModel):
    """What a person typed in a form and has not sent yet; only its author reads it.

    ``key`` names the form and, where there is one, the object: ``client-<uid>``. ``content`` is JSON,
    field name -> list of texts, as the browser would post them.
    """

    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=80)
    content = EncryptedTextField()
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)
    #: Thrown away by its author, who may still take that back.
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            *tenant_constraints(),
            models.UniqueConstraint(fields=["institution", "author", "key"], name="users_draft_once"),
        ]

    def __str__(self) -> str:
        return self.key


class Feedback(TenantModel):
    """What a person of the institution says of the site to its administrators."""

    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=FeedbackKind)
    page = models.CharField(_("page"), max_length=200, blank=True)
    text = EncryptedTextField(_("text"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    handled_at = models.DateTimeField(_("handled at"), null=True)

    class Meta:
        verbose_name = _("opinion")
        verbose_name_plural = _("opinions")
        constraints = [*tenant_constraints()]
        indexes = [
            models.Index(fields=["institution", "created_at", "uid"], name="users_feedback_when"),
            models.Index(fields=["institution", "author", "created_at"], name="users_feedback_author"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
