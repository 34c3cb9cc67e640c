"""Access and refresh tokens: what they carry, and turning one back into a membership."""

from uuid import UUID

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.users.errors import InvalidToken
from apps.users.models import Membership
from apps.users.queries import membership_of

INSTITUTION_CLAIM = "inst"
ROLE_CLAIM = "role"


def issue_tokens(membership: Membership) -> tuple[str, str, int]:
    """Return ``(access, refresh, seconds the access token lives)`` for a member."""
    refresh = RefreshToken()
    refresh["user"] = str(membership.user.uid)
    refresh[INSTITUTION_CLAIM] = str(membership.institution.uid)
    refresh[ROLE_CLAIM] = membership.role
    access = refresh.access_token
    return str(access), str(refresh), int(access.lifetime.total_seconds())


def membership_from_access(raw: str) -> Membership:
    """Return the membership of an access token.

    Raises ``InvalidToken`` when the signature, the term, the person, the institution or the role no
    longer hold: a changed role asks for a new token.
    """
    try:
        token = AccessToken(raw)  # type: ignore[arg-type]
        membership = membership_of(
            user_uid=UUID(str(token["user"])), institution_uid=UUID(str(token[INSTITUTION_CLAIM]))
        )
    except (TokenError, KeyError, ValueError) as error:
        raise InvalidToken("invalid") from error
    if membership is None or membership.role != token.get(ROLE_CLAIM):
        raise InvalidToken("revoked")
    return membership
