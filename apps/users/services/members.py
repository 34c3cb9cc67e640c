"""Accounts: logging in, creating, changing, deactivating."""

from collections.abc import Iterable

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.institutions.models import Agency
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Role
from apps.users.models import Membership, MembershipAgency, User
from apps.users.services.sessions import end_everything

FICTIONAL_DOMAIN = ".demo"  # no such top-level domain exists


@transaction.atomic
def create_member(
    *,
    email: str,
    full_name: str,
    password: str,
    role: str,
    by: Actor,
    agencies: Iterable[Agency] = (),
    language: str = "",
) -> Membership:
    """Create an account and its membership of the institution in scope.

    Raises ``InvalidValues`` when an agent has no agency or the e-mail cannot be used (the message does
    not tell whether it exists elsewhere), ``ValidationError`` when the password is weak.
    """
    chosen = list(agencies)
    if role == Role.AGENT and not chosen:
        raise InvalidValues(_("A loan officer needs at least one agency."), fields={"agencies": []})
    if User.objects.filter(email=email.lower()).exists():
        message = _("This e-mail cannot be used.")
        raise InvalidValues(message, fields={"email": [message]})
    user = User(email=email.lower(), full_name=full_name, language=language)
    validate_password(password, user)
    user.set_password(password)
    user.save()
    membership = Membership.objects.create(user=user, institution_id=by.institution, role=role)
    MembershipAgency.objects.bulk_create(
        MembershipAgency(membership=membership, agency=agency) for agency in chosen
    )
    record(by=by, action="member.create", after={"user": str(user.uid), "role": role})
    return membership


@transaction.atomic
def change_member(
    *,
    membership: Membership,
    by: Actor,
    role: str | None = None,
    is_active: bool | None = None,
    agencies: Iterable[Agency] | None = None,
) -> Membership:
    """Change the role, the activity or the agencies of a member of the institution in scope.

    All their sessions end. Raises ``InvalidValues`` when an agent would have no agency, or when one's own
    place would be closed: an institution must keep somebody who opens it again.
    """
    if membership.user_id == by.id and (is_active is False or (role or membership.role) != membership.role):
        raise InvalidValues(_("You cannot change your own role or close your own access."))
    before = {"role": membership.role, "is_active": membership.is_active}
    if agencies is not None:
        _limit_to(membership, list(agencies))
    links = MembershipAgency.objects.filter(membership=membership)
    if (role or membership.role) == Role.AGENT and not links.exists():
        raise InvalidValues(_("A loan officer needs at least one agency."), fields={"agencies": []})
    if role is not None:
        membership.role = role
    if is_active is not None:
        membership.is_active = is_active
    membership.save(update_fields=["role", "is_active"])
    end_everything(membership.user)
    record(
        by=by,
        action="member.change",
        before=before,
        after={
            "user": str(membership.user.uid),
            "role": membership.role,
            "is_active": membership.is_active,
            "agencies": sorted(links.values_list("agency__code", flat=True)),
        },
    )
    return membership


def _limit_to(membership: Membership, agencies: list[Agency]) -> None:
    links = MembershipAgency.objects.filter(membership=membership)
    links.exclude(agency__in=agencies).delete()
    kept = set(links.values_list("agency_id", flat=True))
    MembershipAgency.objects.bulk_create(
        MembershipAgency(membership=membership, agency=agency) for agency in agencies if agency.pk not in kept
    )


def set_language(*, user: User, language: str) -> None:
    """Keep a person's own choice of language; empty means that of the institution."""
    user.language = language
    user.save(update_fields=["language"])


def set_theme(*, user: User, theme: str) -> None:
    """Keep how a person wants the pages to look; empty means as the system of the computer."""
    user.theme = theme
    user.save(update_fields=["theme"])
