"""What happens to the money: disbursed, repaid, written off, given another schedule, closed."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits import rules
from apps.credits.enums import ApplicationStatus, CreditStatus, EntrySource, Exclusion, RepaymentKind
from apps.credits.errors import CreditMoved
from apps.credits.models import Credit, CreditApplication, Installment, Repayment
from apps.credits.queries.ledger import ledger_of, visible_credits
from apps.credits.services.lifecycle import locked_application
from apps.credits.validators import check_line
from apps.engine.ledger import (
    DAY,
    Due,
    Ledger,
    Terms,
    ledger_allotments,
    position,
    schedule_of,
    settlement_xaf,
)
from apps.engine.ledger import RepaymentKind as EngineKind
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from apps.tenancy.roles import Verb

Rule = Callable[[Actor, Credit], bool]
LONGEST_MONTHS, HIGHEST_RATE = 120, 120


@dataclass(frozen=True, slots=True)
class Disbursement:
    """How the money was lent; what is None is as it was granted.

    ``refinances`` is the public identifier of a credit of the same client that this one repays.
    """

    disbursed_on: dt.date | None = None
    amount_xaf: int | None = None
    rate_percent: float | None = None
    duration_months: int | None = None
    repayment_kind: str = RepaymentKind.CONSTANT
    reference: str = ""
    exclusion: str = ""
    refinances: uuid.UUID | None = None


@transaction.atomic
def disburse_application(*, uid: uuid.UUID, terms: Disbursement, by: Actor) -> Credit:
    """Note the money of a granted application as lent: its credit, its schedule, its new status.

    Raises ``ObjectNotFound``, ``NotAllowed``, ``ApplicationMoved`` when it is not granted or was disbursed
    already, ``InvalidValues`` naming the fields at fault; then nothing is stored.
    """
    application = locked_application(uid, by, rules.can_disburse)
    credit = _new_credit(application, terms, by)
    _refuse(_disbursement_faults(credit, application))
    repaid = None if terms.refinances is None else _refinanced(credit, terms.refinances, by)
    credit.save()
    _store_schedule(credit, credit.disbursed_on, schedule_of(_agreed(credit)))
    application.status = ApplicationStatus.DISBURSED
    application.save(update_fields=["status", "updated_at"])
    record(
        by=by,
        action="credit.disburse",
        target=credit,
        after={"application": str(application.uid), "refinances": str(repaid.uid) if repaid else None},
    )
    return credit


def _new_credit(application: CreditApplication, terms: Disbursement, by: Actor) -> Credit:
    given = {name: getattr(terms, name) for name in ("amount_xaf", "rate_percent", "duration_months")}
    asked = (application.amount_to_lend, application.taux_interet, application.months_to_lend)
    values: dict[str, Any] = {
        name: other if value is None else value
        for (name, value), other in zip(given.items(), asked, strict=True)
    }
    return Credit(
        application=application,
        client_id=application.client_id,
        agency_id=application.agency_id,
        reference=terms.reference.strip() or f"CR-{uuid.uuid4().hex[:8].upper()}",
        disbursed_on=terms.disbursed_on or timezone.localdate(),
        repayment_kind=terms.repayment_kind,
        exclusion=terms.exclusion,
        author_id=by.person_id,
        **values,
    )


def _disbursement_faults(credit: Credit, application: CreditApplication) -> dict[str, str]:
    faults = {**_day_faults("disbursed_on", credit.disbursed_on), **_terms_faults(credit)}
    if credit.disbursed_on < application.applied_on:
        faults["disbursed_on"] = _("The money cannot leave before the application.")
    if credit.amount_xaf > application.amount_to_lend:
        faults["amount_xaf"] = _("More than the %(amount)s FCFA of the application was not granted.") % {
            "amount": _grouped(application.amount_to_lend)
        }
    if credit.exclusion and credit.exclusion not in Exclusion.values:
        faults["exclusion"] = _("This choice is not offered.")
    faults |= _line_faults("reference", credit.reference)
    if Credit.objects.filter(reference=credit.reference).exists():
        faults["reference"] = _("This reference is already used in your institution.")
    return faults


def _line_faults(name: str, text: str) -> dict[str, str]:
    try:
        check_line(text)
    except ValidationError as error:
        return {name: error.messages[0]}
    return {}


def _terms_faults(credit: Credit) -> dict[str, str]:
    faults = {}
    if credit.amount_xaf < credit.duration_months:
        faults["amount_xaf"] = _("Enter the amount that was lent.")
    if not 1 <= credit.duration_months <= LONGEST_MONTHS:
        faults["duration_months"] = _("The term lies between 1 and 120 months.")
    if not 0 <= credit.rate_percent <= HIGHEST_RATE:
        faults["rate_percent"] = _("The rate lies between 0 and 120 % a year.")
    if credit.repayment_kind not in RepaymentKind.values:
        faults["repayment_kind"] = _("This choice is not offered.")
    return faults


def _day_faults(name: str, day: dt.date) -> dict[str, str]:
    return {name: _("This date is in the future.")} if day > timezone.localdate() else {}


def _refuse(faults: dict[str, str]) -> None:
    if faults:
        raise _refusal(faults)


def _refusal(faults: dict[str, str]) -> InvalidValues:
    fields = {name: [text] for name, text in faults.items()}
    return InvalidValues(_("Some values cannot be used."), fields=fields)


def _agreed(credit: Credit) -> Terms:
    kind = cast("EngineKind", credit.repayment_kind)
    return Terms(credit.amount_xaf, credit.rate_percent, credit.duration_months, credit.disbursed_on, kind)


def _store_schedule(credit: Credit, start: dt.date, dues: Iterable[Due]) -> None:
    Installment.objects.bulk_create(
        Installment(
            credit=credit,
            schedule_from=start,
            number=due.number,
            due_on=due.due_on,
            principal_xaf=due.principal_xaf,
            interest_xaf=due.interest_xaf,
        )
        for due in dues
    )


def _refinanced(credit: Credit, uid: uuid.UUID, by: Actor) -> Credit:
    """Repay another running credit of the client with this one, in full, on the same day."""
    old = visible_credits(by).select_for_update(of=("self",)).filter(uid=uid).first()
    if old is None or old.client_id != credit.client_id:
        _refuse({"refinances": _("This client has no such credit.")})
    assert old is not None
    if old.status not in rules.RUNNING:
        _refuse({"refinances": _("This credit has ended already.")})
    left = settlement_xaf(ledger_of(old), on=credit.disbursed_on)
    if credit.disbursed_on <= old.disbursed_on or left > credit.amount_xaf:
        text = _("The new credit must be later, and of at least the %(amount)s FCFA still due.")
        _refuse({"refinances": text % {"amount": _grouped(left)}})
    if left:
        Repayment.objects.create(
            credit=old,
            reference=f"{credit.reference[:36]}-R",
            paid_on=credit.disbursed_on,
            amount_xaf=left,
            source=EntrySource.REFINANCING,
            author_id=by.person_id,
        )
    old.status, old.closed_on = CreditStatus.CLOSED, credit.disbursed_on
    old.save(update_fields=["status", "closed_on", "updated_at"])
    credit.refinances = old
    return old


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money received: ``reference`` is the receipt's number, one in the institution."""

    reference: str
    paid_on: dt.date
    amount_xaf: int


@transaction.atomic
def record_repayment(
    *, uid: uuid.UUID, receipt: Receipt, by: Actor, source: EntrySource = EntrySource.TYPED
) -> tuple[Repayment, bool]:
    """Note a repayment of credit ``uid``; return it, and whether it is new.

    The same receipt sent again is the one already noted. A credit of which nothing is left to pay is closed.
    Raises ``ObjectNotFound``, ``NotAllowed``, ``CreditMoved`` for a credit that is paid off,
    ``InvalidValues`` for another payment under the same number, a day that cannot be, or more than is due.
    """
    credit = _locked(uid, by)
    if not by.may(Verb.EDIT_FILES):
        raise NotAllowed(_("Your role does not allow this."))
    if (known := _noted(credit, receipt)) is not None:
        return known, False
    _require(credit, by, rules.can_record_repayment)
    ledger = ledger_of(credit)
    _refuse(_receipt_faults(ledger, receipt))
    repayment = Repayment(
        credit=credit,
        reference=receipt.reference,
        paid_on=receipt.paid_on,
        amount_xaf=receipt.amount_xaf,
        source=source,
        author_id=by.person_id,
    )
    try:
        with transaction.atomic():
            repayment.save()
    except IntegrityError:  # another credit took this number meanwhile
        raise _refusal({"reference": _used()}) from None
    _close_when_paid(credit, ledger, receipt)
    record(by=by, action="repayment.create", target=repayment, after={"credit": str(credit.uid)})
    return repayment, True


def _locked(uid: uuid.UUID, by: Actor) -> Credit:
    credit = visible_credits(by).select_for_update(of=("self",)).filter(uid=uid).first()
    if credit is None:
        raise ObjectNotFound(_("No such credit."))
    return credit


def _require(credit: Credit, by: Actor, rule: Rule) -> None:
    if rule(by, credit):
        return
    running = Credit(status=CreditStatus.ACTIVE, agency_id=credit.agency_id)
    if not rule(by, running):
        raise NotAllowed(_("Your role does not allow this."))
    message = _("This credit has moved on: it is now « %(status)s ».")
    raise CreditMoved(message % {"status": credit.get_status_display()})


def _noted(credit: Credit, receipt: Receipt) -> Repayment | None:
    known = Repayment.objects.select_related("credit").filter(reference=receipt.reference).first()
    if known is None:
        return None
    same = (known.credit_id, known.paid_on, known.amount_xaf)
    if same != (credit.pk, receipt.paid_on, receipt.amount_xaf):
        raise _refusal({"reference": _used()})
    return known


def _used() -> str:
    return _("This receipt number is already used for another repayment.")


def _receipt_faults(ledger: Ledger, receipt: Receipt) -> dict[str, str]:
    faults = _day_faults("paid_on", receipt.paid_on)
    start = ledger.schedules[-1].from_on
    if receipt.paid_on < start:
        faults["paid_on"] = _("The schedule in force began on %(date)s: give that day or a later one.") % {
            "date": f"{start:%d/%m/%Y}"
        }
    faults |= _line_faults("reference", receipt.reference)
    if not receipt.reference:
        faults["reference"] = _("Enter the number of the receipt.")
    if receipt.amount_xaf < 1:
        faults["amount_xaf"] = _("Enter the amount that was paid.")
    left = position(ledger, on=dt.date.max).payable_xaf
    if receipt.amount_xaf > left:
        text = _("Only %(amount)s FCFA are still due: record that sum and give the difference back.")
        faults["amount_xaf"] = text % {"amount": _grouped(left)}
    return faults


def _close_when_paid(credit: Credit, ledger: Ledger, receipt: Receipt) -> None:
    if position(ledger, on=dt.date.max).payable_xaf > receipt.amount_xaf:
        return
    if credit.status in rules.RUNNING:
        credit.status = CreditStatus.CLOSED
        credit.closed_on = max([receipt.paid_on, *(each.paid_on for each in ledger.payments)])
    credit.save(update_fields=["status", "closed_on", "updated_at"])


@transaction.atomic
def close_credit(*, uid: uuid.UUID, by: Actor, on: dt.date | None = None) -> Credit:
    """Close a credit repaid early: the principal and the interest due until that day are paid.

    The interest of later instalments is not asked. Raises ``CreditMoved``, ``NotAllowed``,
    ``ObjectNotFound``, ``InvalidValues`` saying what is still due.
    """
    credit, day = _locked(uid, by), on or timezone.localdate()
    _require(credit, by, rules.can_close)
    ledger = ledger_of(credit)
    faults = _later_faults(ledger, day)
    if left := settlement_xaf(ledger, on=day):
        text = _("%(amount)s FCFA are still due on that day: record the repayment first.")
        faults["on"] = text % {"amount": _grouped(left)}
    _refuse(faults)
    credit.status, credit.closed_on = CreditStatus.CLOSED, day
    credit.save(update_fields=["status", "closed_on", "updated_at"])
    record(by=by, action="credit.close", target=credit)
    return credit


@transaction.atomic
def write_off(*, uid: uuid.UUID, reason: str, by: Actor, on: dt.date | None = None) -> Credit:
    """Pass what is left of a credit to losses, for a reason; what is recovered later is still recorded."""
    credit, day = _locked(uid, by), on or timezone.localdate()
    _require(credit, by, rules.can_write_off)
    ledger = ledger_of(credit)
    faults = {**_later_faults(ledger, day), **_reason_faults(reason)}
    if not faults and not position(ledger, on=day).outstanding_xaf:
        faults["on"] = _("Nothing is left to write off: close the credit.")
    _refuse(faults)
    credit.status, credit.written_off_on = CreditStatus.WRITTEN_OFF, day
    credit.save(update_fields=["status", "written_off_on", "updated_at"])
    record(by=by, action="credit.write_off", target=credit, after={"reason": reason})
    return credit


@dataclass(frozen=True, slots=True)
class Restructuring:
    """The new schedule of what is left; ``for_difficulty`` makes it a default (MODELS.md, « Outcome »)."""

    on: dt.date
    duration_months: int
    rate_percent: float
    for_difficulty: bool
    reason: str
    repayment_kind: str = RepaymentKind.CONSTANT


@transaction.atomic
def restructure_credit(*, uid: uuid.UUID, plan: Restructuring, by: Actor) -> Credit:
    """Replace what is left of a schedule from a day on; instalments until then stay as they were.

    The principal left gets a new schedule; interest that was due and not paid joins its first instalment.
    Raises ``InvalidValues`` for a day before a repayment or a schedule that counts already, among others.
    """
    credit = _locked(uid, by)
    _require(credit, by, rules.can_restructure)
    ledger = ledger_of(credit)
    before = position(ledger, on=plan.on - DAY)
    terms = Credit(
        amount_xaf=before.outstanding_xaf,
        duration_months=plan.duration_months,
        rate_percent=plan.rate_percent,
        repayment_kind=plan.repayment_kind,
        disbursed_on=plan.on,
    )
    faults = {**_later_faults(ledger, plan.on), **_reason_faults(plan.reason), **_terms_faults(terms)}
    if plan.on <= ledger.schedules[-1].from_on or any(each.paid_on >= plan.on for each in ledger.payments):
        faults["on"] = _("Give a day after the last schedule began and after the last repayment.")
    if not before.outstanding_xaf:
        faults = {"on": _("Nothing is left to restructure: close the credit.")}
    _refuse(faults)
    _store_schedule(credit, plan.on, _with_arrears(schedule_of(_agreed(terms)), ledger, plan.on - DAY))
    credit.status, credit.restructured_on = CreditStatus.RESTRUCTURED, credit.restructured_on or plan.on
    if plan.for_difficulty and not credit.for_difficulty:
        credit.restructured_on, credit.for_difficulty = plan.on, True
    credit.save(update_fields=["status", "restructured_on", "for_difficulty", "updated_at"])
    after = {"reason": plan.reason, "for_difficulty": plan.for_difficulty}
    record(by=by, action="credit.restructure", target=credit, after=after)
    return credit


def _with_arrears(dues: tuple[Due, ...], ledger: Ledger, day: dt.date) -> list[Due]:
    """Add to the first instalment the interest that was due until a day and is not paid."""
    late = [line for line in ledger_allotments(ledger, on=day) if line.due.due_on <= day]
    owed = sum(line.unpaid_xaf - line.unpaid_principal_xaf for line in late)
    first = dues[0]
    return [Due(first.number, first.due_on, first.principal_xaf, first.interest_xaf + owed), *dues[1:]]


def _later_faults(ledger: Ledger, day: dt.date) -> dict[str, str]:
    if day < ledger.terms.disbursed_on:
        return {"on": _("This day is before the disbursement.")}
    return _day_faults("on", day)


def _reason_faults(reason: str) -> dict[str, str]:
    return {} if reason.strip() else {"reason": _("Give the reason.")}


def _grouped(amount_xaf: int) -> str:
    return f"{amount_xaf:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
