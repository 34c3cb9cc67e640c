"""Reads of people and their memberships."""

from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.institutions.enums import InstitutionStatus
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Role
from apps.users.models import Membership, MembershipAgency, User


def active_memberships() -> QuerySet[Membership]:
    """Return who may act now: active people of active institutions; fictional ones in demonstration only."""
    active = Membership.objects.select_related("institution", "user").filter(
        is_active=True, user__is_active=True, institution__status=InstitutionStatus.ACTIVE
    )
    return active if settings.DEMO_MODE else active.filter(institution__is_demo=False)


def active_membership(user_id: int) -> Membership | None:
    """Return the active membership of a user, with institution and user loaded, or ``None``."""
    return active_memberships().filter(user_id=user_id).first()


def membership_of(*, user_uid: UUID, institution_uid: UUID) -> Membership | None:
    """Return the active membership that a token claims, or ``None``."""
    return active_memberships().filter(user__uid=user_uid, institution__uid=institution_uid).first()


def member_actor(membership: Membership, *, request_id: str = "", address: str = "") -> Actor:
    """Build the actor of a membership; needs the institution's scope open (it reads its agencies)."""
    agencies = frozenset(
        MembershipAgency.objects.filter(membership_id=membership.pk).values_list("agency_id", flat=True)
    )
    limited = bool(agencies) or membership.role == Role.AGENT
    return Actor(
        kind="user",
        id=membership.user_id,
        uid=membership.user.uid,
        institution_id=membership.institution_id,
        role=membership.role,
        agency_ids=agencies if limited else None,
        display_name=str(membership.user),
        request_id=request_id,
        address=address,
    )


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


def demo_memberships() -> QuerySet[Membership]:
    """Return the active accounts of fictional institutions, for the demonstration's log-in page."""
    return active_memberships().filter(institution__is_demo=True).order_by("institution__code", "id")


def visible_memberships(actor: Actor) -> QuerySet[Membership]:
    """Return the memberships that ``actor`` may know of."""
    memberships = Membership.objects.select_related("user", "institution")
    if actor.kind == "operator":
        return memberships
    return memberships.filter(institution_id=actor.institution)
