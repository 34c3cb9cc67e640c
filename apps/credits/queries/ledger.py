"""Reads of credits and their ledgers, always through what the actor may see."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from apps.credits.enums import EntrySource
from apps.credits.models import Client, Credit, CreditApplication, CreditStatement, Installment, Repayment
from apps.credits.queries.clients import keys_of_file, merged_files
from apps.engine.ledger import (
    HORIZON_MONTHS,
    Delays,
    Due,
    Ledger,
    Payment,
    RepaymentKind,
    Schedule,
    Statement,
    Terms,
    delays,
    delays_from_statements,
    schedule_of,
)
from apps.institutions.queries import setting_on
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

HORIZON_SETTING = "outcome_horizon_months"


def visible_credits(actor: Actor) -> QuerySet[Credit]:
    """Return the credits of the agencies that ``actor`` sees."""
    rows = Credit.objects.select_related("client", "agency", "application")
    return rows if actor.agency_ids is None else rows.filter(agency_id__in=actor.agency_ids)


def get_visible_credit(actor: Actor, uid: UUID) -> Credit:
    """Return one credit; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    credit = visible_credits(actor).filter(uid=uid).first()
    if credit is None:
        raise ObjectNotFound(_("No such credit."))
    return credit


def credits_of(actor: Actor, *files: Client) -> QuerySet[Credit]:
    """Return the credits made on some files that ``actor`` sees, the latest first."""
    return visible_credits(actor).filter(client__in=files).order_by("-disbursed_on", "-uid")


@dataclass(frozen=True, slots=True)
class CreditFilter:
    """What a list of credits is limited to; an empty field limits nothing."""

    status: str = ""
    agency_id: int | None = None
    client_uid: UUID | None = None
    application_uid: UUID | None = None
    reference: str = ""
    start: dt.date | None = None
    end: dt.date | None = None


def filtered_credits(actor: Actor, wish: CreditFilter) -> QuerySet[Credit]:
    """Return the visible credits within ``wish``; both days of disbursement are included.

    Those of a client are also those of the files merged into the client's.
    """
    rows = visible_credits(actor)
    if wish.client_uid is not None:
        rows = rows.filter(client__in=keys_of_file(wish.client_uid))
    limits: dict[str, object] = {
        "status": wish.status,
        "agency_id": wish.agency_id,
        "application__uid": wish.application_uid,
        "reference": wish.reference,
        "disbursed_on__gte": wish.start,
        "disbursed_on__lte": wish.end,
    }
    return rows.filter(**{name: value for name, value in limits.items() if value})


def visible_installments(actor: Actor) -> QuerySet[Installment]:
    """Return the instalments of the credits that ``actor`` sees, replaced ones too."""
    rows = Installment.objects.select_related("credit")
    return rows if actor.agency_ids is None else rows.filter(credit__agency_id__in=actor.agency_ids)


def visible_repayments(actor: Actor) -> QuerySet[Repayment]:
    """Return the repayments of the credits that ``actor`` sees."""
    rows = Repayment.objects.select_related("credit")
    return rows if actor.agency_ids is None else rows.filter(credit__agency_id__in=actor.agency_ids)


def filtered_repayments(
    actor: Actor,
    *,
    credit_uid: UUID | None = None,
    reference: str = "",
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> QuerySet[Repayment]:
    """Return the visible repayments of one credit, by receipt number or paid within days, both included."""
    limits: dict[str, object] = {
        "credit__uid": credit_uid,
        "reference": reference,
        "paid_on__gte": start,
        "paid_on__lte": end,
    }
    return visible_repayments(actor).filter(**{name: value for name, value in limits.items() if value})


def repayments_of(credit: Credit) -> list[Repayment]:
    """Return the repayments of a credit, the latest first."""
    return list(Repayment.objects.filter(credit=credit).order_by("-paid_on", "-uid"))


def installments_of(credit: Credit) -> QuerySet[Installment]:
    """Return the instalments of a credit, replaced ones too."""
    return Installment.objects.filter(credit=credit)


def terms_of(credit: Credit) -> Terms:
    """Return what was agreed, as the engine reads it."""
    return Terms(
        principal_xaf=credit.amount_xaf,
        rate_percent=credit.rate_percent,
        months=credit.duration_months,
        disbursed_on=credit.disbursed_on,
        kind=cast("RepaymentKind", credit.repayment_kind),
    )


def ledger_of(credit: Credit) -> Ledger:
    """Return the ledger of one credit: three statements."""
    return ledgers_of([credit])[credit.pk]


def ledgers_of(rows: Sequence[Credit]) -> dict[int, Ledger]:
    """Return the ledgers of some credits by their keys: three statements, however many they are."""
    keys = [credit.pk for credit in rows]
    schedules, payments = _schedules(keys), _payments(keys)
    refinanced = dict(Credit.objects.filter(refinances__in=keys).values_list("refinances_id", "disbursed_on"))
    return {
        credit.pk: Ledger(
            terms=terms_of(credit),
            schedules=schedules.get(credit.pk) or (_first_schedule(credit),),
            payments=tuple(payments[credit.pk]),
            closed_on=credit.closed_on,
            written_off_on=credit.written_off_on,
            restructured_on=credit.restructured_on if credit.for_difficulty else None,
            refinanced_on=refinanced.get(credit.pk),
        )
        for credit in rows
    }


def _first_schedule(credit: Credit) -> Schedule:
    """Give the schedule of a credit that came without one, from its terms."""
    return Schedule(credit.disbursed_on, schedule_of(terms_of(credit)))


def _schedules(keys: Sequence[int]) -> dict[int, tuple[Schedule, ...]]:
    names = ("credit_id", "schedule_from", "number", "due_on", "principal_xaf", "interest_xaf")
    rows = Installment.objects.filter(credit__in=keys).order_by("credit_id", "schedule_from", "number")
    found: dict[int, dict[dt.date, list[Due]]] = defaultdict(dict)
    for credit, start, *values in rows.values_list(*names):
        found[credit].setdefault(start, []).append(Due(*values))
    return {
        credit: tuple(Schedule(start, tuple(dues)) for start, dues in parts.items())
        for credit, parts in found.items()
    }


def _payments(keys: Sequence[int]) -> Mapping[int, list[Payment]]:
    found: dict[int, list[Payment]] = defaultdict(list)
    rows = Repayment.objects.filter(credit__in=keys).order_by("credit_id", "paid_on", "id")
    for credit, paid_on, amount in rows.values_list("credit_id", "paid_on", "amount_xaf"):
        found[credit].append(Payment(paid_on, amount))
    return found


def statements_of(keys: Sequence[int]) -> Mapping[int, list[Statement]]:
    """Return what the institution's own monthly balances say of some credits, by key and by date."""
    found: dict[int, list[Statement]] = defaultdict(list)
    rows = CreditStatement.objects.filter(credit__in=keys).exclude(source=EntrySource.SYNTHETIC)
    rows = rows.order_by("credit_id", "date")
    for credit, day, left, late in rows.values_list("credit_id", "date", "outstanding_xaf", "days_late"):
        found[credit].append(Statement(day, left, late))
    return found


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a credit: its ledger, and the monthly balances where no repayment is recorded."""

    ledger: Ledger
    statements: Sequence[Statement] = ()

    def delays(self, *, on: dt.date) -> Delays:
        """Count the spells in arrears until a day, by the balances where they alone follow the credit."""
        if self.statements:
            return delays_from_statements(self.statements, on=on)
        return delays(self.ledger, on=on)


def histories_of(rows: Sequence[Credit]) -> dict[int, History]:
    """Return what is known of some credits by their keys: four statements, however many they are."""
    ledgers = ledgers_of(rows)
    silent = statements_of([key for key, ledger in ledgers.items() if not ledger.payments])
    return {key: History(ledger, silent.get(key, ())) for key, ledger in ledgers.items()}


def earlier_delays(histories: Iterable[History], *, on: dt.date) -> Delays:
    """Count the delays until a day of the credits disbursed before it."""
    earlier = [each for each in histories if each.ledger.terms.disbursed_on < on]
    return sum((each.delays(on=on) for each in earlier), Delays())


def last_balance_on() -> dt.date | None:
    """Return the day of the institution's latest monthly balance, None without any."""
    latest: dict[str, Any] = CreditStatement.objects.aggregate(on=Max("date"))
    return cast("dt.date | None", latest["on"])


def horizon_months(*, on: dt.date | None = None) -> int:
    """Return the months after disbursement within which a default counts (dated setting, 12)."""
    return int(setting_on(HORIZON_SETTING, date=on, default=HORIZON_MONTHS))


@dataclass(frozen=True, slots=True)
class ArrearsCompared:
    """Delays of 30, 60 and 90 days on earlier credits: as an application declared them, as the ledger says.

    ``declared`` holds None where the file does not know; ``credits`` counts the earlier credits here. A file
    may know of delays elsewhere: more declared than computed is no fault, fewer is one.
    """

    application: CreditApplication
    declared: tuple[int | None, int | None, int | None]
    computed: tuple[int, int, int]
    credits: int

    @property
    def understated(self) -> bool:
        """Whether the application knows of fewer delays than there were here."""
        pairs = zip(self.declared, self.computed, strict=True)
        return any((declared or 0) < computed for declared, computed in pairs)


def compare_arrears(actor: Actor, client: Client) -> list[ArrearsCompared]:
    """Compare what each visible application of a client declared with the ledger of the day, latest first."""
    return histories_and_arrears(actor, client)[1]


def histories_and_arrears(actor: Actor, client: Client) -> tuple[dict[int, History], list[ArrearsCompared]]:
    """Return the histories of a client's visible credits by key, and the declared delays beside them.

    Counted are the credits disbursed before an application, and their delays until then; those of the files
    merged into the client's too.
    """
    person = [client, *merged_files(client)]
    files = CreditApplication.objects.filter(client__in=person)
    if actor.agency_ids is not None:
        files = files.filter(agency_id__in=actor.agency_ids)
    histories = histories_of(list(visible_credits(actor).filter(client__in=person)))
    files = files.order_by("-applied_on", "-created_at")
    return histories, [_compared(each, histories.values()) for each in files]


def _compared(application: CreditApplication, histories: Iterable[History]) -> ArrearsCompared:
    day = application.applied_on
    total = earlier_delays(histories, on=day)
    return ArrearsCompared(
        application=application,
        declared=(application.nb_retards_30j, application.nb_retards_60j, application.nb_retards_90j),
        computed=(total.thirty, total.sixty, total.ninety),
        credits=sum(1 for each in histories if each.ledger.terms.disbursed_on < day),
    )
