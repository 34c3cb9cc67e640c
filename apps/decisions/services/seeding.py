"""Past decisions in bulk, for the demonstration only: the door of a day is ``deciding.decide``."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from apps.audit.services import record
from apps.credits.models import CreditApplication
from apps.decisions.enums import DecisionKind
from apps.decisions.models import Decision, DecisionLimit, DecisionMotive
from apps.decisions.rules import direction_of
from apps.scoring.models import Prediction
from apps.tenancy.actor import Actor

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision as it would have been taken on a day, by keys of people.

    Against the advice it needs ``override_reason``, ``override_text`` and ``requested_by_id``, another person
    than ``decided_by_id``. ``role`` and ``limit_xaf`` are those of who decided; the limit is at least the
    amount asked for. ``is_retrospective`` says that the score is younger than the decision: nobody saw it.
    """

    application: CreditApplication
    prediction: Prediction
    kind: DecisionKind
    motive: DecisionMotive
    decided_by_id: int
    role: str
    limit_xaf: int
    decided_at: dt.datetime
    comment: str = ""
    amount_xaf: int | None = None
    duration_months: int | None = None
    override_reason: str = ""
    override_text: str = ""
    requested_by_id: int | None = None
    is_retrospective: bool = False


def insert_past_decisions(rows: Iterable[PastDecision]) -> int:
    """Insert first decisions by thousands, in chunks; return how many. For ``apps.demo`` only.

    Neither the application's status nor the audit trail is written, and nobody is told: the seeding writes
    those itself. The database checks every invariant (author, limit, advice, second person) and refuses the
    whole chunk with ``IntegrityError`` where one does not hold.
    """
    decisions = [_decision(row) for row in rows]
    Decision.objects.bulk_create(decisions, batch_size=CHUNK)
    return len(decisions)


def _decision(row: PastDecision) -> Decision:
    asked, prediction = row.application, row.prediction
    direction = None if row.is_retrospective else direction_of(prediction.recommendation, row.kind)
    return Decision(
        application=asked,
        number=1,
        prediction=prediction,
        agency_id=asked.agency_id,
        kind=row.kind,
        recommendation=prediction.recommendation,
        pd=prediction.pd,
        threshold=prediction.threshold,
        asked_xaf=asked.montant_credit,
        asked_months=asked.duree_mois,
        amount_xaf=asked.montant_credit if row.amount_xaf is None else row.amount_xaf,
        duration_months=asked.duree_mois if row.duration_months is None else row.duration_months,
        motive=row.motive,
        comment=row.comment,
        is_override=direction is not None,
        override_direction=direction or "",
        override_reason=row.override_reason if direction else "",
        override_text=row.override_text if direction else "",
        requested_by_id=row.requested_by_id if direction else None,
        decided_by_id=row.decided_by_id,
        role=row.role,
        limit_xaf=row.limit_xaf,
        author_id=asked.author_id,
        sender_id=asked.submitted_by_id,
        decided_at=row.decided_at,
        is_retrospective=row.is_retrospective,
    )


@transaction.atomic
def seed_limits(*, limits: Mapping[str, int], starts_on: dt.date, by: Actor) -> None:
    """Set the limits of roles from a day of the past on; a real institution sets them by ``set_limit``."""
    for role, amount_xaf in limits.items():
        limit = DecisionLimit.objects.create(
            role=role, amount_xaf=amount_xaf, starts_on=starts_on, written_by_id=by.person_id
        )
        after = {"role": role, "amount_xaf": amount_xaf, "starts_on": starts_on.isoformat()}
        record(by=by, action="decision_limit.set", target=limit, after=after)
