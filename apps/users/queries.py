"""Reads of people and their memberships."""

import datetime as dt
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.institutions.enums import InstitutionStatus
from apps.institutions.models import Institution
from apps.institutions.queries import NO_KEY, setting_on
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.prepared import Prepared
from apps.tenancy.roles import KEY_SCOPES, Role, Verb, roles_with
from apps.users.enums import SessionKind
from apps.users.models import (
    BoundIdentity,
    Draft,
    Feedback,
    IdentityProvider,
    LoginSession,
    Membership,
    MembershipAgency,
    PartnerKey,
    PartnerKeyAgency,
    SecondFactor,
    User,
)

TOTP_ROLES_SETTING = "totp_required_roles"


def active_memberships() -> QuerySet[Membership]:
    """Return who may act now: active people of active institutions; fictional ones in demonstration only."""
    active = Membership.objects.select_related("institution", "user").filter(
        is_active=True, user__is_active=True, institution__status=InstitutionStatus.ACTIVE
    )
    return active if settings.DEMO_MODE else active.filter(institution__is_demo=False)


def active_membership(user_id: int) -> Membership | None:
    """Return the active membership of a user, with institution and user loaded, or ``None``."""
    return active_memberships().filter(user_id=user_id).first()


def live_sessions(kind: SessionKind) -> QuerySet[LoginSession]:
    """Return the members' sessions that open the site now, with membership, person and institution loaded.

    One statement answers everything that may have changed since the log-in, in any process: closed, too
    old, idle, the person's version, activity and role, the institution's status.
    """
    return _live(_unexpired(kind))


def api_session(*, sid: UUID, role: str, user: UUID, institution: UUID) -> LoginSession | None:
    """Return the open API session that a token names, with its claims still true, or ``None``."""
    prepared = _API_SESSION if settings.DEMO_MODE else _API_SESSION_REAL
    oldest = timezone.now() - settings.SESSION_LIFETIME
    return prepared.first(sid=sid, role=role, user=user, institution_uid=institution, oldest=oldest)


def _live(rows: QuerySet[LoginSession], *, fictional: bool | None = None) -> QuerySet[LoginSession]:
    rows = rows.select_related("membership__user", "membership__institution")
    live = rows.filter(
        auth_version=F("membership__user__auth_version"),
        role=F("membership__role"),
        membership__is_active=True,
        membership__user__is_active=True,
        membership__institution__status=InstitutionStatus.ACTIVE,
    )
    fictional = settings.DEMO_MODE if fictional is None else fictional
    return live if fictional else live.filter(membership__institution__is_demo=False)


def operator_session(*, sid: UUID, user_id: int) -> LoginSession | None:
    """Return the open page session of the platform's operator, or ``None``."""
    rows = _unexpired(SessionKind.WEB).filter(uid=sid, user_id=user_id, auth_version=F("user__auth_version"))
    return rows.filter(user__is_active=True, user__is_operator=True).first()


def own_sessions(user_id: int) -> QuerySet[LoginSession]:
    """Return the open sessions of one person, the last seen first."""
    now = timezone.now()
    return LoginSession.objects.filter(
        Q(kind=SessionKind.API) | Q(last_seen_at__gt=now - settings.SESSION_IDLE),
        user_id=user_id,
        revoked_at=None,
        created_at__gt=now - settings.SESSION_LIFETIME,
        auth_version=F("user__auth_version"),
    ).order_by("-last_seen_at")


def _unexpired(kind: SessionKind) -> QuerySet[LoginSession]:
    now = timezone.now()
    rows = _opened_since(kind, now - settings.SESSION_LIFETIME)
    if kind == SessionKind.API:  # a machine may be silent between two refreshes
        return rows
    return rows.filter(last_seen_at__gt=now - settings.SESSION_IDLE)


def _opened_since(kind: SessionKind, oldest: dt.datetime) -> QuerySet[LoginSession]:
    return LoginSession.objects.filter(kind=kind, revoked_at=None, created_at__gt=oldest)


def _api_session(
    *, sid: UUID, role: str, user: UUID, institution_uid: UUID, oldest: dt.datetime, fictional: bool
) -> QuerySet[LoginSession]:
    rows = _opened_since(SessionKind.API, oldest).filter(
        uid=sid,
        role=role,
        membership__user__uid=user,
        membership__institution__uid=institution_uid,
    )
    return _live(rows, fictional=fictional)


def _prepared_session(*, fictional: bool) -> Prepared[LoginSession]:
    build = partial(_api_session, fictional=fictional)
    return Prepared(build, sid=UUID, role=str, user=UUID, institution_uid=UUID, oldest=dt.datetime)


_API_SESSION = _prepared_session(fictional=True)
_API_SESSION_REAL = _prepared_session(fictional=False)


def second_factor_of(user_id: int) -> SecondFactor | None:
    """Return the confirmed second factor of a person, or ``None``."""
    return SecondFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()


def second_factor_required(role: str) -> bool:
    """Say whether the institution of the open scope requires a second factor of ``role`` today."""
    return role in (setting_on(TOTP_ROLES_SETTING, default=[]) or [])


def member_actor(membership: Membership, *, request_id: str = "", address: str = "") -> Actor:
    """Build the actor of a membership; needs the institution's scope open (it reads its agencies)."""
    agencies = [link.agency_id for link in _AGENCIES.rows(membership=membership.pk)]
    return Actor(
        kind="user",
        id=membership.user_id,
        uid=membership.user.uid,
        institution_id=membership.institution_id,
        role=membership.role,
        agency_ids=limited_agencies(agencies, role=membership.role),
        display_name=str(membership.user),
        request_id=request_id,
        address=address,
    )


def limited_agencies(agencies: Iterable[int], *, role: str) -> frozenset[int] | None:
    """Return the agencies that a member is limited to: all (``None``) without any, but for an agent."""
    limits = frozenset(agencies)
    return limits if limits or role == Role.AGENT else None


def live_keys() -> QuerySet[PartnerKey]:
    """Return the partner keys that open the API now, with their institution loaded."""
    live = PartnerKey.objects.select_related("institution").filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
        revoked_at=None,
        institution__status=InstitutionStatus.ACTIVE,
    )
    return live if settings.DEMO_MODE else live.filter(institution__is_demo=False)


def key_actor(key: PartnerKey, *, request_id: str = "", address: str = "") -> Actor:
    """Build the actor of a partner key; needs the institution's scope open when the key is limited."""
    agencies = None
    if key.is_limited:
        links = PartnerKeyAgency.objects.filter(key_id=key.pk)
        agencies = frozenset(links.values_list("agency_id", flat=True))
    return Actor(
        kind="key",
        id=key.pk,
        uid=key.uid,
        institution_id=key.institution_id,
        role=Role.PARTENAIRE,
        agency_ids=agencies,
        display_name=key.name,
        request_id=request_id,
        address=address,
        scopes=frozenset(verb for verb in KEY_SCOPES if verb in key.scopes),
    )


def visible_keys(actor: Actor) -> QuerySet[PartnerKey]:
    """Return the partner keys that ``actor`` may know of."""
    keys = PartnerKey.objects.select_related("institution", "created_by")
    return keys if actor.kind == "operator" else keys.filter(institution_id=actor.institution)


def _agency_links(*, membership: int) -> QuerySet[MembershipAgency]:
    return MembershipAgency.objects.filter(membership_id=membership)


_AGENCIES = Prepared(_agency_links, tenant=True, membership=int)


def operator_actor(user: User, *, request_id: str = "", address: str = "") -> Actor:
    """Build the actor of the platform's operator, who belongs to no institution."""
    return Actor(
        kind="operator",
        id=user.pk,
        uid=user.uid,
        institution_id=None,
        role=Role.OPERATEUR,
        display_name=str(user),
        request_id=request_id,
        address=address,
    )


def visible_users(actor: Actor) -> QuerySet[User]:
    """Return the people that ``actor`` may know of: all for the operator, else those of the institution."""
    if actor.kind == "operator":
        return User.objects.all()
    return User.objects.filter(memberships__institution_id=actor.institution).distinct()


def user_key(actor: Actor, uid: UUID) -> int:
    """Return the key of a person by which a list is limited; that of nobody when they are unknown."""
    return visible_users(actor).filter(uid=uid).values_list("pk", flat=True).first() or NO_KEY


def demo_memberships() -> QuerySet[Membership]:
    """Return the active accounts of fictional institutions, for the demonstration's log-in page."""
    return active_memberships().filter(institution__is_demo=True).order_by("institution__code", "id")


def visible_memberships(actor: Actor) -> QuerySet[Membership]:
    """Return the memberships that ``actor`` may know of."""
    memberships = Membership.objects.select_related("user", "institution")
    if actor.kind == "operator":
        return memberships
    return memberships.filter(institution_id=actor.institution)


def members_found(actor: Actor, *, role: str = "", is_active: bool | None = None) -> QuerySet[Membership]:
    """Return the memberships of the institution that answer to every filter given, with their agencies."""
    members = visible_memberships(actor).prefetch_related("agency_links__agency")
    members = members.filter(role=role) if role else members
    return members if is_active is None else members.filter(is_active=is_active)


def get_member(actor: Actor, user_uid: UUID) -> Membership:
    """Return the latest membership of a person in the institution; raise ``ObjectNotFound``."""
    members = members_found(actor).filter(user__uid=user_uid)
    member = members.order_by("-is_active", "-created_at").first()
    if member is None:
        raise ObjectNotFound(_("No such user."))
    return member


def administrators(institution_id: int) -> list[User]:
    """Return the active administrators of an institution."""
    return list(
        User.objects.filter(
            is_active=True,
            memberships__institution_id=institution_id,
            memberships__is_active=True,
            memberships__role=Role.ADMINISTRATEUR,
        ).order_by("pk")
    )


def people_with(institution_id: int, verb: Verb) -> list[int]:
    """Return the keys of the active members of an institution whose role holds a verb."""
    members = active_memberships().filter(institution_id=institution_id, role__in=roles_with(verb))
    return list(members.values_list("user_id", flat=True))


def log_in_provider(institution: UUID) -> IdentityProvider | None:
    """Return the identity provider in service of an institution that may be entered, or ``None``.

    Asked before anybody is known, so the scope is opened here.
    """
    open_ones = Institution.objects.active().filter(uid=institution)
    found = (open_ones if settings.DEMO_MODE else open_ones.filter(is_demo=False)).first()
    if found is None:
        return None
    with tenant_scope(found.pk):
        provider = IdentityProvider.objects.filter(is_active=True).first()
    if provider is not None:
        provider.institution = found
    return provider


def password_closed(membership: Membership) -> bool:
    """Say whether a member must come through the institution's provider.

    Administrators never must: a provider that fails would leave nobody to set it right.
    """
    if membership.role == Role.ADMINISTRATEUR:
        return False
    with tenant_scope(membership.institution_id):
        return IdentityProvider.objects.filter(is_active=True, password_allowed=False).exists()


def membership_in(institution_id: int, email: str) -> Membership | None:
    """Return a person's place in one institution, the active one first, or ``None``; no operator has one."""
    places = Membership.objects.select_related("institution", "user").filter(
        institution_id=institution_id, user__email=email, user__is_operator=False
    )
    return places.order_by("-is_active", "-created_at").first()


def bound_identities() -> QuerySet[BoundIdentity]:
    """Return the provider's accounts that members of the institution in scope came with."""
    return BoundIdentity.objects.select_related("user")


def own_drafts(actor: Actor) -> QuerySet[Draft]:
    """Return the actor's drafts, the latest first."""
    return Draft.objects.filter(author_id=actor.id, discarded_at=None).order_by("-saved_at", "-pk")


def received_feedback() -> QuerySet[Feedback]:
    """Return the opinions of the institution in scope, with their authors."""
    return Feedback.objects.select_related("author")
