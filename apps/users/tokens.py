"""Access and refresh tokens: what they carry, and turning one back into the session it belongs to."""

import re
import time
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.users.errors import InvalidToken
from apps.users.models import LoginSession, PartnerKey
from apps.users.queries import api_session, live_keys
from apps.users.rules import partner_key_hash, same_hash

INSTITUTION_CLAIM = "inst"
ROLE_CLAIM = "role"
SESSION_CLAIM = "sid"
#: Tokens whose signature need not be computed again; whether their session is open is asked each time.
KEPT_IN_MEMORY = 1024
#: Printable and without blanks.
SHOWN = re.compile(r"[\x21-\x7e]{3,200}")
#: The hash of no key.
NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a log-in or a refresh answers; ``expires_in`` in seconds."""

    access: str
    refresh: str
    expires_in: int


def write_tokens(session: LoginSession) -> Tokens:
    """Return fresh tokens of an API session and put the identifier of its refresh token on ``session``.

    The caller saves the row. A refresh token ends with its session, however often it was renewed.
    """
    membership = session.membership
    if membership is None:
        raise InvalidToken("no membership")
    refresh = RefreshToken()
    refresh.set_exp(from_time=session.created_at, lifetime=settings.SESSION_LIFETIME)
    refresh["user"] = str(membership.user.uid)
    refresh[INSTITUTION_CLAIM] = str(membership.institution.uid)
    refresh[ROLE_CLAIM] = membership.role
    refresh[SESSION_CLAIM] = str(session.uid)
    session.refresh_jti = refresh["jti"]
    access = refresh.access_token
    return Tokens(str(access), str(refresh), int(access.lifetime.total_seconds()))


@dataclass(frozen=True, slots=True)
class Claims:
    """What a readable access token says; whether it is still true is for the database to tell."""

    session: UUID
    role: str
    user: UUID
    institution: UUID

    def __hash__(self) -> int:
        """Hash what tells tokens apart: this is looked up several times a request."""
        return hash(self.session)


def claims_of(raw: str) -> Claims:
    """Return what an access token says; raise ``InvalidToken`` for a wrong signature, form or term."""
    claims, expires_at = _verified(raw, api_settings.SIGNING_KEY)
    if expires_at <= time.time():
        raise InvalidToken("expired")
    return claims


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _verified(raw: str, _key: str) -> tuple[Claims, float]:
    """Check a token and return its claims and its term; the same text under the same key reads the same."""
    try:
        token = AccessToken(raw)  # type: ignore[arg-type]
        claims = Claims(
            session=UUID(str(token[SESSION_CLAIM])),
            role=str(token[ROLE_CLAIM]),
            user=UUID(str(token["user"])),
            institution=UUID(str(token[INSTITUTION_CLAIM])),
        )
        return claims, float(token["exp"])
    except (TokenError, KeyError, ValueError) as error:
        raise InvalidToken("invalid") from error


def session_from_access(raw: str) -> LoginSession:
    """Return the open session of an access token, with membership, person and institution.

    Raises ``InvalidToken`` when the signature, the term, the session, the person, the institution or the
    role no longer hold: a changed role asks for a new token.
    """
    said = claims_of(raw)
    session = api_session(sid=said.session, role=said.role, user=said.user, institution=said.institution)
    if session is None:
        raise InvalidToken("revoked")
    return session


@dataclass(frozen=True, slots=True)
class ShownKey:
    """What a request shows of a partner key: whether it holds is for the database to tell."""

    prefix: str
    secret_hash: str


def shown_key(raw: str) -> ShownKey:
    """Return what ``<prefix>.<secret>`` shows; raise ``InvalidToken`` for what no key looks like."""
    prefix, separator, secret = raw.partition(".")
    if not separator or not SHOWN.fullmatch(raw):
        raise InvalidToken("invalid")
    return ShownKey(prefix, partner_key_hash(prefix, secret))


def key_from_header(raw: str) -> PartnerKey:
    """Return the live key of ``<prefix>.<secret>``; raise ``InvalidToken``.

    An unknown prefix costs the same statement and the same comparison as a wrong secret.
    """
    prefix, _separator, secret = raw.partition(".")
    key = live_keys().filter(prefix=prefix).first()
    stored = key.secret_hash if key is not None else NO_HASH
    fits = same_hash(stored, partner_key_hash(prefix, secret))
    if key is None or not fits:
        raise InvalidToken("invalid")
    return key


def read_refresh(raw: str) -> tuple[UUID, str]:
    """Return ``(session uid, token identifier)`` of a refresh token; raise ``InvalidToken``."""
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
        return UUID(str(token[SESSION_CLAIM])), str(token["jti"])
    except (TokenError, KeyError, ValueError) as error:
        raise InvalidToken("invalid") from error
