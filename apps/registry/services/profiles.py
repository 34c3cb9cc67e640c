"""Test profiles: made-up borrowers whose figures an institution sets to look like its own clients.

Who a profile is and how profiles rank stay the product's: an institution cannot make the gate say less.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.engine.cleaning import clean
from apps.engine.contracts import Value
from apps.engine.dictionary import STANDARD
from apps.institutions.queries import setting_on
from apps.institutions.services import set_setting
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.four_eyes import require_member
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb

#: The dated setting that holds, by profile, what differs from the product's.
SETTING = "test_profiles"


def profiles_in_force() -> dict[str, dict[str, Value]]:
    """Return the whole values of every profile, as the institution set them."""
    from apps.engine.profiles import profiles_with

    return profiles_with(setting_on(SETTING, default={}))


@transaction.atomic
def change_profiles(*, values: Mapping[str, Mapping[str, object]], reason: str, by: Actor) -> None:
    """Set the figures of the test profiles, from today on; what was before stays readable.

    Raises ``NotAllowed``; ``InvalidValues`` naming ``profile.variable`` for a figure that is missing, out of
    range, or makes of a profile somebody else, and ``reason`` when there is none.
    """
    from apps.engine.profiles import EDITABLE, profiles_with, strangers

    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    kept: dict[str, dict[str, Value]] = {}
    fields: dict[str, list[str]] = {}
    for code, names in EDITABLE.items():
        given = values.get(code, {})
        cleaned = clean({name: STANDARD[name] for name in names}, {name: given.get(name) for name in names})
        for problem in cleaned.problems:
            fields[f"{code}.{problem.field}"] = [problem.text(current_lang())]
        for name in set(names) - set(cleaned.values) - {problem.field for problem in cleaned.problems}:
            fields[f"{code}.{name}"] = [_("Give a value.")]
        kept[code] = cleaned.values
    if not fields:
        for code, name in strangers(profiles_with(kept)):
            fields[f"{code}.{name}"] = [_("With this value the profile is not the one that its name says.")]
    if not reason.strip():
        fields["reason"] = [_("Give a reason.")]
    if fields:
        raise InvalidValues(_("Some values cannot be used."), fields=fields)
    set_setting(key=SETTING, value=_plain(kept), by=by, reason=reason.strip())


def _plain(kept: Mapping[str, Mapping[str, Value]]) -> dict[str, Any]:
    return {code: dict(values) for code, values in kept.items()}
