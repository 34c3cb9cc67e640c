"""The first administrator of an institution: invited by e-mail, once, for three days."""

from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.institutions.enums import InstitutionStatus
from apps.institutions.models import Institution
from apps.outbox.enums import MessageKind
from apps.outbox.services import Letter, enqueue
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Role
from apps.users.errors import InvitationOver
from apps.users.models import Membership, User
from apps.users.queries import member_actor

INVITATION_SALT = "users.invitation"
INVITATION_HOURS = 72


@transaction.atomic
def invite_administrator(
    *, email: str, by: Actor, institution: Institution, link: Callable[[str], str]
) -> Membership:
    """Prepare the first administrator of the institution in scope and write the e-mail that invites.

    ``link`` turns the token into an address. Raises ``InvalidValues`` when the e-mail cannot be used.
    """
    if User.objects.filter(email=email.lower()).exists():
        message = _("This e-mail cannot be used.")
        raise InvalidValues(message, fields={"email": [message]})
    user = User.objects.create_user(email, None)
    membership = Membership.objects.create(
        user=user, institution=institution, role=Role.ADMINISTRATEUR, is_active=False
    )
    _send_invitation(membership, institution=institution, link=link)
    record(by=by, action="member.invite", after={"user": str(user.uid), "role": membership.role})
    return membership


@transaction.atomic
def invite_again(*, membership: Membership, by: Actor, link: Callable[[str], str]) -> Membership:
    """Write the invitation of somebody who never came in once more; the links sent before die.

    Raises ``InvalidValues`` when the person has already chosen a password.
    """
    user = User.objects.select_for_update().get(pk=membership.user_id)
    if membership.is_active or user.has_usable_password():
        raise InvalidValues(_("This person has already accepted an invitation."))
    user.set_unusable_password()  # a new one: the tokens of the links are bound to it
    user.save(update_fields=["password"])
    membership.user = user
    _send_invitation(membership, institution=membership.institution, link=link)
    record(by=by, action="member.invite", after={"user": str(user.uid), "role": membership.role})
    return membership


def _send_invitation(membership: Membership, *, institution: Institution, link: Callable[[str], str]) -> None:
    with translation.override(institution.language):
        letter = Letter(
            to=membership.user.email,
            subject=_("Your access to CrediSense"),
            text=_(
                "%(institution)s opens its CrediSense space with you as administrator.\n\n"
                "Choose your password here within %(hours)s hours; the link works once:\n%(link)s\n"
            )
            % {
                "institution": institution,
                "hours": INVITATION_HOURS,
                "link": link(_invitation_token(membership)),
            },
        )
    enqueue(kind=MessageKind.EMAIL, payload={"membership": str(membership.uid)}, letter=letter)


def _invitation_token(membership: Membership) -> str:
    # Bound to the unusable password, which changes at every use: the link works once.
    return signing.dumps([str(membership.uid), membership.user.password], salt=INVITATION_SALT, compress=True)


def invited_membership(token: str) -> Membership:
    """Return the membership that a link invites to; raise ``InvitationOver`` when used, old or altered."""
    try:
        uid, password = signing.loads(token, salt=INVITATION_SALT, max_age=INVITATION_HOURS * 3600)
    except (signing.BadSignature, ValueError):
        raise InvitationOver(_("This invitation is no longer valid.")) from None
    membership = (
        Membership.objects.select_related("user", "institution")
        .select_for_update(of=("self", "user"))
        .filter(uid=uid, is_active=False, institution__status=InstitutionStatus.ACTIVE)
        .first()
    )
    if membership is None or membership.user.password != password:
        raise InvitationOver(_("This invitation is no longer valid."))
    return membership


@transaction.atomic
def accept_invitation(*, token: str, full_name: str, password: str) -> Membership:
    """Give the invited person a name and a password, and open the membership.

    Raises ``InvitationOver``, or ``ValidationError`` when the password is weak. Nobody is known yet on
    this page, so the scope is opened here.
    """
    membership = invited_membership(token)
    user = membership.user
    user.full_name = full_name
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["full_name", "password"])
    membership.is_active = True
    membership.save(update_fields=["is_active"])
    with tenant_scope(membership.institution_id):
        record(by=member_actor(membership), action="member.accept", after={"user": str(user.uid)})
    return membership
