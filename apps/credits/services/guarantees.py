"""Writing guarantees, and what an undecided application draws from its own."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.enums import PERSONAL_SURETIES
from apps.credits.models import UNDECIDED, CreditApplication, Guarantee
from apps.credits.services.clients import require_editable
from apps.credits.validators import compact_phone, refused_texts
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues


@transaction.atomic
def save_guarantee(*, guarantee: Guarantee, by: Actor) -> Guarantee:
    """Create or change a guarantee; its application, while undecided, draws its values from all it has.

    Raises ``InvalidValues`` naming the fields refused, ``ObjectNotFound``, ``NotAllowed``.
    """
    require_editable(guarantee.client, by)
    created = guarantee._state.adding
    _check(guarantee)
    if created:
        guarantee.author_id = by.person_id
    guarantee.save()
    _draw(guarantee.application)
    action = "guarantee.create" if created else "guarantee.update"
    record(by=by, action=action, target=guarantee, after={"kind": guarantee.kind})
    return guarantee


def _check(guarantee: Guarantee) -> None:
    if guarantee.kind in PERSONAL_SURETIES:
        guarantee.guarantor_phone = compact_phone(guarantee.guarantor_phone)
    else:
        guarantee.guarantor_name = guarantee.guarantor_phone = ""
    lines = ("description", "guarantor_name")
    fields = dict(refused_texts(guarantee, lines=lines, phone="guarantor_phone"))
    if guarantee.kind in PERSONAL_SURETIES and not guarantee.guarantor_name:
        fields["guarantor_name"] = [_("A personal guarantee names the guarantor.")]
    if guarantee.application is not None and guarantee.application.client_id != guarantee.client_id:
        fields["application"] = [_("This application is not of this client.")]
    try:
        guarantee.full_clean(exclude=["author", "guarantor_name", "application"])
    except ValidationError as error:
        fields = {**error.message_dict, **fields}
    if fields:
        raise InvalidValues(_("Some values cannot be used."), fields=fields)


@transaction.atomic
def release_guarantee(*, guarantee: Guarantee, by: Actor, on: dt.date | None = None) -> Guarantee:
    """Note that a guarantee no longer binds anybody since a day (default: today); done twice, once."""
    require_editable(guarantee.client, by)
    if not guarantee.is_active:
        return guarantee
    guarantee.released_on = on or timezone.localdate()
    guarantee.save(update_fields=["released_on"])
    _draw(guarantee.application)
    record(by=by, action="guarantee.release", target=guarantee)
    return guarantee


def _draw(application: CreditApplication | None) -> None:
    """Derive an application's values from its guarantees; a decided one keeps what was decided upon."""
    if application is None:
        return
    locked = CreditApplication.objects.select_for_update().get(pk=application.pk)
    if locked.status not in UNDECIDED:
        return
    active = list(Guarantee.objects.filter(application=locked, released_on=None))
    value = sum(guarantee.value_xaf for guarantee in active)
    locked.guarantees_value_xaf = value
    locked.real_security = any(guarantee.is_real for guarantee in active)
    locked.extra = {**locked.extra, "nb_garanties": len(active), "valeur_garanties": value}
    locked.save(update_fields=["guarantees_value_xaf", "real_security", "extra", "updated_at"])
