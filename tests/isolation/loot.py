"""What an attacker of ngwa must never read: the words that tell horizon's rows and people."""

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache

from django.apps import apps
from django.db import models

from apps.audit.models import PlatformEntry
from apps.credits.models import Client
from apps.institutions.models import Agency, Institution
from apps.tenancy.models import TenantModel
from apps.users.models import Membership, PartnerKey, User
from tests.world import WORLD

VICTIM, ATTACKER = "horizon", "ngwa"
UID_LENGTH = 36
WORD = re.compile(r"[\w@.\-]{3,}")


def tenant_models() -> list[type[TenantModel]]:
    return [model for model in apps.get_models() if issubclass(model, TenantModel)]


class Loot:
    """The secrets of one institution, found in a text by their first word."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._by_word: dict[str, set[str]] = {}
        for secret in secrets:
            for form in {secret, secret.replace("-", "") if len(secret) == UID_LENGTH else secret}:
                word = WORD.search(form)
                if word:
                    self._by_word.setdefault(word[0].lower(), set()).add(form.lower())

    def __len__(self) -> int:
        return sum(len(each) for each in self._by_word.values())

    def found_in(self, text: str, *, sent: Iterable[str] = ()) -> list[str]:
        """Return the secrets in ``text`` that the attacker had not written into the request."""
        text = html.unescape(text).lower()
        known = {str(each).lower() for each in sent}
        known |= {each.replace("-", "") for each in known}
        words = {word.strip(".-") for word in WORD.findall(text)}
        near = [secret for word in words & self._by_word.keys() for secret in self._by_word[word]]
        return sorted({secret for secret in near if secret not in known and secret in text})


@cache
def loot() -> Loot:
    """Return the secrets of horizon's committed rows that are not ngwa's too."""
    # A short name may be the beginning of a longer one there; an identifier is whole or it is none.
    own = "\n".join(each for each in secrets_of(ATTACKER) if len(each) != UID_LENGTH).lower()
    return Loot(
        secret for secret in secrets_of(VICTIM) if len(secret) == UID_LENGTH or secret.lower() not in own
    )


def secrets_of(code: str) -> set[str]:
    institution = Institution.objects.get(code=code)
    found = {institution.code, institution.name, str(institution.uid)}
    for membership in Membership.objects.filter(institution=institution).select_related("user"):
        user = membership.user
        found |= {user.email, user.full_name, str(user.uid), str(membership.uid)}
    for key in PartnerKey.objects.filter(institution=institution):
        found |= {key.prefix, key.name, str(key.uid)}
    with WORLD.scope(code):
        found |= set(_of_rows())
        found |= {word for agency in Agency.objects.all() for word in (agency.name, agency.code)}
    return {each for each in found if len(each) > 3}


def _of_rows() -> Iterator[str]:
    for model in tenant_models():
        names = {field.name for field in model._meta.local_fields}
        for uid in model.objects.values_list("uid", flat=True):
            yield str(uid)
        if "reference" in names:
            yield from model.objects.values_list("reference", flat=True)
    for client in Client.objects.only("last_name", "first_names", "phone", "document_number", "name_key"):
        yield from (str(client), client.phone, client.document_number, client.name_key)


@cache
def foreign_uids() -> dict[str, str]:
    """Return model label -> the uid of one of horizon's rows, shared models included."""
    with WORLD.scope(VICTIM):
        found = {model._meta.label_lower: model.objects.first() for model in tenant_models()}
    found |= {
        model._meta.label_lower: _shared_row(model) for model in (User, Membership, Institution, PartnerKey)
    }
    return {label: str(row.uid) for label, row in found.items() if row is not None}


@cache
def foreign_keys() -> dict[str, int]:
    """Return model label -> the key of one of horizon's rows."""
    with WORLD.scope(VICTIM):
        found = {model._meta.label_lower: model.objects.first() for model in tenant_models()}
    found |= {
        model._meta.label_lower: _shared_row(model) for model in (User, Membership, Institution, PartnerKey)
    }
    return {label: row.pk for label, row in found.items() if row is not None}


def _shared_row(model: type[models.Model]) -> models.Model:
    email = WORLD.analyst
    queries = {
        User: User.objects.filter(email=email),
        Membership: Membership.objects.filter(user__email=email),
        Institution: Institution.objects.filter(code=VICTIM),
        PartnerKey: PartnerKey.objects.filter(institution__code=VICTIM),
    }
    return queries[model].get()


def platform_reason() -> str:
    """Write what the operator noted about horizon, and return words of it."""
    words = "Retrait d'agrement suspecte a Horizon dossier COBAC-7731"
    PlatformEntry.objects.create(
        action="institution.watch", institution_id=WORLD.institution_id(VICTIM), reason=words
    )
    return words
