"""Writing what a client owes to other lenders."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.enums import REGISTERS, ExternalStatus
from apps.credits.errors import ConsentMissing
from apps.credits.models import ExternalCredit
from apps.credits.services.clients import require_editable
from apps.credits.validators import refused_texts
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues


@transaction.atomic
def save_external_credit(*, credit: ExternalCredit, by: Actor) -> ExternalCredit:
    """Create or change what is known of a credit elsewhere.

    Raises ``ConsentMissing`` for what was read in a register on a day without the client's consent to
    that, ``InvalidValues`` naming the fields refused, ``ObjectNotFound``, ``NotAllowed``.
    """
    require_editable(credit.client, by)
    created = credit._state.adding
    _check(credit)
    if created:
        credit.author_id = by.person_id
    credit.save()
    action = "external_credit.create" if created else "external_credit.update"
    record(by=by, action=action, target=credit, after={"source": credit.source})
    return credit


def _check(credit: ExternalCredit) -> None:
    fields = dict(refused_texts(credit, lines=["lender"]))
    try:
        credit.full_clean(exclude=["author"])
    except ValidationError as error:
        fields = {**error.message_dict, **fields}
    if fields:
        raise InvalidValues(_("Some values cannot be used."), fields=fields)
    if credit.as_of > timezone.localdate():
        text = _("This date is in the future.")
        raise InvalidValues(_("Some values cannot be used."), fields={"as_of": [text]})
    since = credit.client.bureau_consent_at
    if credit.source in REGISTERS and (since is None or since > credit.as_of):
        text = _("The client had not consented to a consultation on this date: note the consent first.")
        raise ConsentMissing(text, fields={"source": [text]})


@transaction.atomic
def close_external_credit(*, credit: ExternalCredit, by: Actor, on: dt.date | None = None) -> ExternalCredit:
    """Note that a credit elsewhere is repaid since a day (default: today); done twice, once."""
    require_editable(credit.client, by)
    if credit.status == ExternalStatus.CLOSED:
        return credit
    credit.status = ExternalStatus.CLOSED
    credit.closed_on = on or timezone.localdate()
    credit.outstanding_xaf = credit.monthly_payment_xaf = 0
    credit.save(update_fields=["status", "closed_on", "outstanding_xaf", "monthly_payment_xaf"])
    record(by=by, action="external_credit.close", target=credit)
    return credit
