"""Partner keys: issued, replaced and revoked by an administrator; the secret is told once."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.institutions.models import Agency
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import Verb
from apps.users.enums import KeyScope
from apps.users.models import PartnerKey, PartnerKeyAgency
from apps.users.rules import new_partner_key, partner_key_hash

SEEN_EVERY = dt.timedelta(minutes=1)
#: How long the old key still opens the API after a replacement, for partners that change it at their pace.
OVERLAP = dt.timedelta(hours=24)


@transaction.atomic
def issue_key(
    *,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    agencies: Iterable[Agency] = (),
    expires_at: dt.datetime | None = None,
    daily_quota: int | None = None,
) -> tuple[PartnerKey, str]:
    """Create a key of the institution in scope; return it and ``<prefix>.<secret>``, told this once.

    Raises ``NotAllowed``, or ``InvalidValues`` for no scope, an unknown one, a day gone by or no request.
    """
    _refuse_others(by)
    chosen = sorted(set(scopes))
    if not chosen or set(chosen) - set(KeyScope.values):
        raise _invalid("scopes", _("Choose at least one scope of the list."))
    if expires_at is not None and expires_at <= timezone.now():
        raise _invalid("expires_at", _("This day has gone by."))
    if daily_quota is not None and daily_quota < 1:
        raise _invalid("daily_quota", _("At least one request a day."))
    limits = list(agencies)
    key, raw = _create(
        PartnerKey(
            institution_id=by.institution,
            name=name,
            scopes=chosen,
            is_limited=bool(limits),
            expires_at=expires_at,
            daily_quota=daily_quota,
            created_by_id=by.person_id,
        )
    )
    PartnerKeyAgency.objects.bulk_create(PartnerKeyAgency(key=key, agency=agency) for agency in limits)
    record(by=by, action="key.issue", target=key, after=_facts(key))
    return key, raw


@transaction.atomic
def rotate_key(*, key: PartnerKey, by: Actor, overlap: dt.timedelta = OVERLAP) -> tuple[PartnerKey, str]:
    """Give a key a successor with the same rights; the old one ends after ``overlap`` (zero: at once).

    Returns the successor and ``<prefix>.<secret>``. Raises ``NotAllowed``, or ``InvalidValues`` for a key
    that is over.
    """
    _refuse_others(by)
    old = _locked(key, by)
    now = timezone.now()
    successor, raw = _create(
        PartnerKey(
            institution_id=old.institution_id,
            name=old.name,
            scopes=old.scopes,
            is_limited=old.is_limited,
            expires_at=old.expires_at,
            daily_quota=old.daily_quota,
            created_by_id=by.person_id,
        )
    )
    links = PartnerKeyAgency.objects.filter(key_id=old.pk).values_list("agency_id", flat=True)
    PartnerKeyAgency.objects.bulk_create(
        PartnerKeyAgency(key=successor, agency_id=agency_id) for agency_id in links
    )
    end = now + overlap
    old.expires_at = end if old.expires_at is None else min(end, old.expires_at)
    old.save(update_fields=["expires_at"])
    record(by=by, action="key.rotate", target=old, after={"successor": str(successor.uid), "ends": end})
    return successor, raw


@transaction.atomic
def revoke_key(*, key: PartnerKey, by: Actor) -> PartnerKey:
    """Close a key at once, in every process; raise ``NotAllowed``, or ``InvalidValues`` when it is over."""
    _refuse_others(by)
    closed = _locked(key, by)
    closed.revoked_at = timezone.now()
    closed.save(update_fields=["revoked_at"])
    record(by=by, action="key.revoke", target=closed, after=_facts(closed))
    return closed


@transaction.atomic
def seed_demo_key(*, raw: str, name: str, by: Actor) -> None:
    """Create the public key of a fictional institution, once; raise ``NotAllowed`` outside demonstration."""
    if not settings.DEMO_MODE:
        raise NotAllowed(_("Demonstration only."))
    prefix, _separator, secret = raw.partition(".")
    if PartnerKey.objects.filter(prefix=prefix).exists():
        return
    key = PartnerKey.objects.create(
        institution_id=by.institution,
        name=name,
        prefix=prefix,
        secret_hash=partner_key_hash(prefix, secret),
        scopes=sorted(KeyScope.values),
    )
    record(by=by, action="key.issue", target=key, after=_facts(key))


def key_seen(key: PartnerKey) -> None:
    """Note that a key is in use, at most once a minute."""
    note_key_seen(key.pk, key.last_used_at)


def note_key_seen(pk: int, last: dt.datetime | None) -> None:
    """Do the same for the key numbered ``pk``, last used at ``last``."""
    now = timezone.now()
    if last is None or now - last > SEEN_EVERY:
        PartnerKey.objects.filter(pk=pk).update(last_used_at=now)


def _create(key: PartnerKey) -> tuple[PartnerKey, str]:
    key.prefix, secret = new_partner_key()
    key.secret_hash = partner_key_hash(key.prefix, secret)
    key.save(force_insert=True)
    return key, f"{key.prefix}.{secret}"


def _locked(key: PartnerKey, by: Actor) -> PartnerKey:
    own = PartnerKey.objects.filter(institution_id=by.institution)
    current = own.select_for_update(of=("self",)).filter(pk=key.pk).first()
    if current is None or not current.is_live:
        raise InvalidValues(_("This key is over already."))
    return current


def _refuse_others(by: Actor) -> None:
    if not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))


def _facts(key: PartnerKey) -> dict[str, object]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": key.scopes,
        "expires_at": key.expires_at,
        "daily_quota": key.daily_quota,
        "limited": key.is_limited,
    }


def _invalid(field: str, message: str) -> InvalidValues:
    return InvalidValues(message, fields={field: [message]})
