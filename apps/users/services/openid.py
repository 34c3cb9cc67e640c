"""Logging in through an institution's identity provider: leaving for it, and coming back as a known member.

Nobody is created here. A verified e-mail of an allowed domain names an active member of that institution;
the provider's own identifier is bound at the first time and must be the same afterwards.
"""

import hmac
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.outbox.enums import MessageKind
from apps.outbox.services import Letter, enqueue
from apps.tenancy.context import tenant_scope
from apps.tenancy.encryption import blind_index
from apps.users.backends import client_address, count_failure, seconds_locked
from apps.users.errors import LockedOut, OpenIdRefused
from apps.users.models import BoundIdentity, IdentityProvider, Membership, User
from apps.users.queries import log_in_provider, member_actor, membership_in
from apps.users.services.login import refuse_locked
from apps.users.services.openid_client import depart, redeem

KEPT = "openid"
FLOW_SECONDS = 10 * 60
PURPOSE = "openid_subject"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A member whom the provider vouches for; ``strong`` when its log-in counts as a second factor."""

    user: User
    strong: bool
    next_url: str


def begin_openid(*, request: Any, institution: UUID, return_address: str, next_url: str = "") -> str:
    """Return the address at which the person logs in; what must come back is kept in the browser's session.

    Raises ``OpenIdRefused``, or ``LockedOut`` after too many failures of this address.
    """
    provider = provider_of_link(institution)
    _refuse_flood(request)
    departure = depart(provider=provider, return_address=return_address)
    request.session[KEPT] = {
        "institution": str(institution),
        "state": departure.state,
        "nonce": departure.nonce,
        "verifier": departure.verifier,
        "next": next_url,
        "at": time.time(),
    }
    return departure.address


def finish_openid(
    *, request: Any, institution: UUID, return_address: str, told: Mapping[str, str]
) -> Arrival:
    """Return the member who came back with ``told``; nobody is logged in yet.

    Raises ``OpenIdRefused``, or ``LockedOut`` after too many failures of the address or the account.
    """
    kept = request.session.pop(KEPT, None) or {}
    provider = provider_of_link(institution)
    _refuse_flood(request)
    try:
        code = _code(kept, told, provider)
        claims = redeem(
            provider=provider,
            code=code,
            verifier=kept["verifier"],
            nonce=kept["nonce"],
            return_address=return_address,
        )
        email = _verified_email(claims, provider)
    except OpenIdRefused as refusal:
        _count_stranger(request)
        logger.warning("OpenID Connect log-in refused: %s (institution %s)", refusal.reason, institution)
        raise
    refuse_locked(request=request, email=email)
    user = _member(request, provider, email, str(claims["sub"]))
    return Arrival(user, strong=_is_strong(claims, provider), next_url=str(kept["next"]))


def provider_of_link(institution: UUID) -> IdentityProvider:
    """Return the provider that a link leads to; an unknown, closed or switched-off one is refused alike."""
    provider = log_in_provider(institution)
    if provider is None:
        raise OpenIdRefused(
            _("This log-in link is not in service. Ask your administrator for the right one."), reason="link"
        )
    return provider


def _code(kept: Mapping[str, Any], told: Mapping[str, str], provider: IdentityProvider) -> str:
    """Return the code of an answer that belongs to what this browser asked."""
    late = time.time() - kept.get("at", 0) > FLOW_SECONDS
    own = kept.get("institution") == str(provider.institution.uid)
    state = str(kept.get("state", ""))
    if late or not own or not hmac.compare_digest(state.encode(), told.get("state", "").encode()):
        raise OpenIdRefused(_("This log-in was not asked from this browser. Begin again."), reason="state")
    if told.get("iss", provider.issuer) != provider.issuer:  # RFC 9207
        raise OpenIdRefused(_("This log-in comes from another identity provider."), reason="issuer")
    if told.get("error") or not told.get("code"):
        raise OpenIdRefused(_("The log-in was given up at the identity provider."), reason="given_up")
    return told["code"]


def _verified_email(claims: Mapping[str, Any], provider: IdentityProvider) -> str:
    email = str(claims.get("email") or "").strip().lower()
    if not email or claims.get("email_verified") is not True:
        message = _("Your identity provider does not vouch for your e-mail: it must be verified there first.")
        raise OpenIdRefused(message, reason="email_unverified")
    if email.rpartition("@")[2] not in provider.domains:
        message = _("This e-mail is not of a domain that your institution accepts.")
        raise OpenIdRefused(message, reason="email_domain")
    return email


def _is_strong(claims: Mapping[str, Any], provider: IdentityProvider) -> bool:
    means = claims.get("amr")
    given = {str(each) for each in means} if isinstance(means, list) else set()
    return str(claims.get("acr", "")) in provider.acr_values or bool(given & set(provider.amr_values))


def _member(request: Any, provider: IdentityProvider, email: str, subject: str) -> User:
    place = provider.institution.pk
    with tenant_scope(place):
        membership = membership_in(place, email)
        reason = "not_member" if membership is None else _reason_against(membership, provider, subject)
        if membership is not None and not reason:
            _bind(request, membership, provider, subject)
            return membership.user
    if membership is None:  # nothing is counted against an e-mail: it may be a person's of elsewhere
        _count_stranger(request)
    else:
        _note_failure(request, membership, reason)
    logger.warning("OpenID Connect log-in refused: %s (institution %s)", reason, provider.institution.uid)
    raise OpenIdRefused(_refusals()[reason], reason=reason)


def _reason_against(membership: Membership, provider: IdentityProvider, subject: str) -> str:
    if not membership.is_active or not membership.user.is_active:
        return "suspended"
    bound = BoundIdentity.objects.filter(issuer=provider.issuer)
    index = _index(provider, subject)
    own = bound.filter(user_id=membership.user_id).first()
    if own is not None:
        return "" if own.subject_index == index else "subject"
    return "subject" if bound.filter(subject_index=index).exists() else ""


def _refusals() -> dict[str, str]:
    return {
        "not_member": _(
            "This account has no access to CrediSense in this institution. Ask your administrator."
        ),
        "suspended": _("Your access to CrediSense is closed. Ask your administrator."),
        "subject": _("This account of the identity provider is not the one you came with first."),
    }


def _bind(request: Any, membership: Membership, provider: IdentityProvider, subject: str) -> None:
    """Remember the account at the first log-in, and tell the person; note the use of a known one."""
    identity, created = BoundIdentity.objects.get_or_create(
        user_id=membership.user_id,
        issuer=provider.issuer,
        defaults={"subject_index": _index(provider, subject)},
    )
    if not created:
        BoundIdentity.objects.filter(pk=identity.pk).update(last_used_at=timezone.now())
        return
    by = member_actor(membership, request_id=request.request_id, address=client_address(request))
    record(by=by, action="identity.bind", target=membership.user, after={"issuer": provider.issuer})
    user = membership.user
    with translation.override(user.language or membership.institution.language):
        letter = Letter(
            to=user.email,
            subject=_("CrediSense: first log-in through %(institution)s")
            % {"institution": provider.institution},
            text=_(
                "You logged in to CrediSense through the identity provider of %(institution)s for the first "
                "time. Only this account of yours opens your place from now on.\n\nIf it was not you, tell "
                "your administrator at once."
            )
            % {"institution": provider.institution},
        )
    enqueue(kind=MessageKind.EMAIL, payload={"identity": str(identity.uid)}, letter=letter)


@transaction.atomic
def _note_failure(request: Any, membership: Membership, reason: str) -> None:
    count_failure(email=membership.user.email, address=client_address(request))
    with tenant_scope(membership.institution_id):
        by = member_actor(membership, request_id=request.request_id, address=client_address(request))
        record(by=by, action="login.failed", after={"step": "openid", "reason": reason})


def _index(provider: IdentityProvider, subject: str) -> str:
    return blind_index(
        f"{provider.issuer} {subject}", institution_id=provider.institution.pk, purpose=PURPOSE
    )


def _refuse_flood(request: Any) -> None:
    """Refuse an address that failed too often; no account is named yet, so none counts."""
    wait = seconds_locked(email="", address=client_address(request))
    if wait:
        raise LockedOut(
            _("Too many failed attempts. Try again in %(minutes)s minutes.") % {"minutes": -(-wait // 60)},
            wait=wait,
        )


def _count_stranger(request: Any) -> None:
    """Count a failure for the limit of the address alone."""
    address = client_address(request)
    count_failure(email=f"openid {address}", address=address)
