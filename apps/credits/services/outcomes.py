"""What became of the credits: outcomes derived from the ledger, or from monthly balances."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.audit.services import record
from apps.credits.enums import ApplicationStatus, EntrySource
from apps.credits.models import Credit, CreditApplication, ImportChange, Repayment
from apps.credits.queries.ledger import (
    History,
    histories_of,
    horizon_months,
    last_balance_on,
    terms_of,
)
from apps.engine.ledger import Verdict, verdict, verdict_from_statements
from apps.tenancy.actor import Actor

LEDGER, STATEMENTS = "ledger", "statements"
#: Sources of outcomes that were derived here, and may be derived again.
DERIVED = (LEDGER, STATEMENTS)


@dataclass(slots=True)
class Derivation:
    """What one run did; ``last`` is where the next chunk begins, None at the end.

    ``kept`` counts outcomes that stand already and agree, ``differing`` those that stand, disagree and were
    left alone, ``young`` credits before the end of their horizon, ``unclear`` those whose balances cannot
    tell, ``withdrawn`` outcomes derived before that nothing tells any more, ``excluded`` by why they are left
    out.
    """

    last: int | None = None
    found: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    differing: int = 0
    young: int = 0
    unclear: int = 0
    withdrawn: int = 0
    excluded: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: "Derivation") -> Self:
        self.last = other.last
        self.found += other.found
        self.excluded += other.excluded
        for name in ("kept", "differing", "young", "unclear", "withdrawn"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


@transaction.atomic
def derive_outcomes(
    *, by: Actor, after: int = 0, size: int = 500, on: dt.date | None = None, reason: str = ""
) -> Derivation:
    """Set the outcome of the applications of the next ``size`` credits whose horizon is over on a day.

    Whole cohorts: no outcome before the horizon's end, whatever happened. An outcome that came from
    elsewhere is never replaced without a ``reason``; with one, it is. One that was derived and that nothing
    tells any more (its balances were taken back, the credit is left out since) is withdrawn. One audit entry
    for a chunk that changed something.
    """
    day = on or timezone.localdate()
    rows = list(Credit.objects.filter(pk__gt=after).order_by("pk")[:size])
    run = Derivation(last=rows[-1].pk if len(rows) == size else None)
    run.excluded.update(credit.exclusion for credit in rows if credit.exclusion)
    counted = [credit for credit in rows if not credit.exclusion]
    verdicts = _verdicts(counted, day, run)
    changed = _changed(verdicts, run, replace=bool(reason))
    changed += _withdrawn({credit.application_id for credit in rows} - verdicts.keys(), run)
    CreditApplication.objects.bulk_update(
        changed, ["outcome", "outcome_date", "outcome_source", "updated_at"], batch_size=500
    )
    if changed:
        more = {name: told for name, told in (("withdrawn", run.withdrawn), ("reason", reason)) if told}
        record(by=by, action="outcome.derive", after={"outcomes": dict(run.found), **more})
    return run


def _verdicts(rows: Sequence[Credit], day: dt.date, run: Derivation) -> dict[int, tuple[Verdict, str]]:
    """Give the verdicts by application; those of credits that only balances follow come from these."""
    months, balance = horizon_months(on=day), last_balance_on()
    histories = histories_of(rows)
    mute = _mute(histories)
    found = {}
    for credit in rows:
        history = histories[credit.pk]
        source = STATEMENTS if history.statements else LEDGER
        if credit.pk in mute:
            run.unclear += 1
            continue
        if source == LEDGER:
            known = verdict(history.ledger, observed_on=day, horizon_months=months)
        else:
            known = verdict_from_statements(
                terms_of(credit),
                history.statements,
                last_balance_on=min(day, balance or day),
                horizon_months=months,
                ledger=history.ledger,
            )
        if known is not None:
            found[credit.application_id] = (known, source)
        elif source == STATEMENTS:
            run.unclear += 1
        else:
            run.young += 1
    return found


def _mute(histories: Mapping[int, History]) -> set[int]:
    """Return the imported credits of which nothing followed: no balance, and no repayment of any credit.

    Until an institution sends its receipts or its balances, the silence of a credit is no default.
    """
    silent = [key for key, each in histories.items() if not each.ledger.payments and not each.statements]
    if not silent or Repayment.objects.filter(source=EntrySource.IMPORT).exists():
        return set()
    brought = ImportChange.objects.filter(
        model=Credit._meta.label_lower, object_id__in=silent, before__isnull=True
    )
    return set(brought.values_list("object_id", flat=True))


def _changed(
    verdicts: dict[int, tuple[Verdict, str]], run: Derivation, *, replace: bool
) -> list[CreditApplication]:
    now, changed = timezone.now(), []
    rows = CreditApplication.objects.select_for_update().filter(pk__in=list(verdicts)).order_by("pk")
    for application in rows:
        known, source = verdicts[application.pk]
        if application.outcome == known.outcome:
            run.kept += 1
        elif application.outcome and application.outcome_source not in DERIVED and not replace:
            run.differing += 1
        else:
            application.outcome, application.outcome_date = known.outcome, known.on
            application.outcome_source, application.updated_at = source, now
            run.found[known.outcome] += 1
            changed.append(application)
    return changed


def _withdrawn(untold: set[int], run: Derivation) -> list[CreditApplication]:
    rows = CreditApplication.objects.select_for_update().filter(pk__in=untold, outcome_source__in=DERIVED)
    now, changed = timezone.now(), list(rows.order_by("pk"))
    for application in changed:
        application.outcome, application.outcome_date, application.outcome_source = "", None, ""
        application.updated_at = now
    run.withdrawn += len(changed)
    return changed


def count_cancelled(*, start: dt.date, end: dt.date) -> int:
    """Count the applications of a period cancelled before any money left: they enter no cohort."""
    cancelled = Q(status=ApplicationStatus.CANCELLED, applied_on__range=(start, end))
    return CreditApplication.objects.filter(cancelled, credits=None).count()
