"""The identity provider of an institution, set up by its administrators."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.outbox.backends import check_address
from apps.outbox.enums import MessageKind
from apps.outbox.errors import DeliveryFailed
from apps.outbox.services import Letter, enqueue
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import Verb
from apps.users.errors import OpenIdRefused
from apps.users.models import BoundIdentity, IdentityProvider
from apps.users.queries import administrators
from apps.users.services.openid_client import discover, openid_bounds

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
VALUE = re.compile(r"[A-Za-z0-9._:/#-]{1,200}")
CLIENT = re.compile(r"[\x20-\x7e]{1,200}")  # RFC 6749, appendix A.1


@dataclass(frozen=True, slots=True)
class ProviderWish:
    """What an administrator asks for; an empty secret keeps the one that is stored."""

    issuer: str
    client_id: str
    client_secret: str = ""
    domains: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    amr_values: tuple[str, ...] = ()
    password_allowed: bool = True
    is_active: bool = False


def set_provider(*, wish: ProviderWish, by: Actor) -> IdentityProvider:
    """Write the identity provider of the institution in scope, and tell its other administrators.

    One in service is asked first whether it is there and bears its name. Raises ``NotAllowed``, or
    ``InvalidValues`` beside the field concerned.
    """
    if not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))
    _refuse_forms(wish)
    if wish.is_active:
        _refuse_absent(wish.issuer)
    return _write(wish, by)


@transaction.atomic
def _write(wish: ProviderWish, by: Actor) -> IdentityProvider:
    stored = IdentityProvider.objects.select_for_update(of=("self",)).first()
    before = _facts(stored) if stored else None
    # A secret stored for one server is never sent to another.
    if not wish.client_secret and (stored is None or stored.issuer != wish.issuer):
        raise _invalid("client_secret", _("Type the secret of this client."))
    provider = stored or IdentityProvider()
    provider.issuer, provider.client_id = wish.issuer, wish.client_id
    provider.client_secret = wish.client_secret or provider.client_secret
    provider.domains, provider.password_allowed = sorted(set(wish.domains)), wish.password_allowed
    provider.acr_values, provider.amr_values = sorted(set(wish.acr_values)), sorted(set(wish.amr_values))
    provider.is_active = wish.is_active
    provider.save()
    after = _facts(provider) | {"secret_changed": bool(wish.client_secret)}
    record(by=by, action="provider.set", target=provider, before=before, after=after)
    _tell_administrators(provider, by)
    return provider


@transaction.atomic
def forget_identity(*, identity: BoundIdentity, by: Actor) -> None:
    """Let a member come with another account of the provider next time; raise ``NotAllowed``."""
    if not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))
    user = identity.user
    identity.delete()
    record(by=by, action="identity.forget", target=user, before={"issuer": identity.issuer})


def _refuse_forms(wish: ProviderWish) -> None:
    """Refuse what has no form that can be used, every field at once."""
    wrong: dict[str, str] = {}
    if not CLIENT.fullmatch(wish.client_id):
        wrong["client_id"] = _("The identifier holds a character that none may hold.")
    if not wish.domains or _strangers(wish.domains, DOMAIN):
        wrong["domains"] = _("Give at least one e-mail domain, such as institution.cm.")
    for name, values in (("acr_values", wish.acr_values), ("amr_values", wish.amr_values)):
        if _strangers(values, VALUE):
            wrong[name] = _("Write codes separated by spaces.")
    if not _may_be_asked(wish.issuer):
        wrong["issuer"] = _(
            "This address cannot be used: https, and a server of the public internet, are required."
        )
    if wrong:
        raise InvalidValues(
            next(iter(wrong.values())), fields={name: [message] for name, message in wrong.items()}
        )


def _may_be_asked(issuer: str) -> bool:
    try:
        check_address(issuer, openid_bounds())
    except DeliveryFailed:
        return False
    return "?" not in issuer


def _strangers(values: Iterable[str], shape: re.Pattern[str]) -> list[str]:
    return [value for value in values if not shape.fullmatch(value)]


def _refuse_absent(issuer: str) -> None:
    try:
        discover(issuer)
    except OpenIdRefused as refusal:
        raise _invalid("issuer", refusal.message) from refusal


def _tell_administrators(provider: IdentityProvider, by: Actor) -> None:
    """Write to the other administrators: whoever chooses the provider chooses who is believed to be whom."""
    for person in administrators(by.institution):
        if person.pk == by.id:
            continue
        with translation.override(person.language or settings.LANGUAGE_CODE):
            letter = Letter(
                to=person.email,
                subject=_("CrediSense: the log-in through your identity provider was changed"),
                text=_(
                    "%(name)s changed how the members of your institution log in through its identity "
                    "provider.\n\nIf you did not expect this, look at « Identity providers » in the "
                    "administration."
                )
                % {"name": by.display_name},
            )
        enqueue(kind=MessageKind.EMAIL, payload={"provider": str(provider.uid)}, letter=letter)


def _facts(provider: IdentityProvider) -> dict[str, Any]:
    names = (
        "issuer", "client_id", "domains", "acr_values", "amr_values", "password_allowed", "is_active",
    )  # fmt: skip
    return {name: getattr(provider, name) for name in names}


def _invalid(field: str, message: str) -> InvalidValues:
    return InvalidValues(message, fields={field: [message]})
