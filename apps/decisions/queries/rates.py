"""How often decisions go against the advice, by analyst and by agency, and how that ended."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce

from apps.credits.enums import Outcome
from apps.decisions.enums import FIRM_ADVICE, GRANTING, Direction
from apps.decisions.models import Decision
from apps.tenancy.actor import Actor

Subject = Literal["analyst", "agency"]
#: Days over which overrides are counted, decisions below which a share says nothing, share that alarms.
WINDOW_DAYS = 90
FEWEST = 20
ALARM_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class OverrideRate:
    """Decisions of one analyst or agency on files with a firm advice, and how many went against it.

    ``subject`` is the public identifier, ``share`` overrides / decisions, ``low`` and ``high`` its interval
    at 95 % (Wilson). ``milder`` are granted against an unfavourable advice, ``stricter`` refused against a
    favourable one.
    """

    subject: str
    label: str
    decisions: int
    milder: int
    stricter: int
    low: float
    high: float

    @property
    def overrides(self) -> int:
        return self.milder + self.stricter

    @property
    def share(self) -> float:
        return self.overrides / self.decisions

    @property
    def is_measured(self) -> bool:
        """Whether there are enough decisions for the share to say something."""
        return self.decisions >= FEWEST

    @property
    def is_alarming(self) -> bool:
        return self.is_measured and self.share > ALARM_SHARE


#: Where the public identifier and the name of a subject stand; an override counts for who asked for it.
_NAMES: dict[str, tuple[Any, Any]] = {
    "analyst": (
        Coalesce("requested_by__uid", "decided_by__uid"),
        Coalesce("requested_by__full_name", "decided_by__full_name"),
    ),
    "agency": (F("agency__uid"), F("agency__name")),
}


def override_rates(
    by: Subject, *, since: dt.datetime, until: dt.datetime, actor: Actor | None = None
) -> list[OverrideRate]:
    """Return the rates of a period (``until`` excluded), the largest share first; one statement.

    An override counts for who asked for it, in the agency of the file. Decisions on a file « to be studied »
    are left out, there being no advice to go against, and those that nobody took with the advice in sight.
    With ``actor``, those of the agencies that the actor sees.
    """
    from apps.engine.intervals import wilson

    rows = Decision.objects.filter(
        decided_at__gte=since, decided_at__lt=until, is_retrospective=False, recommendation__in=FIRM_ADVICE
    )
    if actor is not None and actor.agency_ids is not None:
        rows = rows.filter(agency_id__in=actor.agency_ids)
    uid, label = _NAMES[by]
    counted = (
        rows.order_by()
        .annotate(subject=uid, label=label)
        .values("subject", "label")
        .annotate(
            decisions=Count("pk"),
            milder=Count("pk", filter=Q(override_direction=Direction.MILDER)),
            stricter=Count("pk", filter=Q(override_direction=Direction.STRICTER)),
        )
    )
    found = []
    for row in counted:
        low, high = wilson(row["milder"] + row["stricter"], row["decisions"])
        figures = {name: row[name] for name in ("decisions", "milder", "stricter")}
        found.append(OverrideRate(str(row["subject"]), row["label"], low=low, high=high, **figures))
    return sorted(found, key=lambda rate: (-rate.share, rate.label))


@dataclass(frozen=True, slots=True)
class GrantedOutcomes:
    """How granted files ended, whose outcome is known."""

    known: int
    defaulted: int

    @property
    def share(self) -> float | None:
        return self.defaulted / self.known if self.known else None


def outcomes_of_overrides(
    *, since: dt.datetime, until: dt.datetime
) -> tuple[GrantedOutcomes, GrantedOutcomes]:
    """Return how the files granted against the advice ended, and those granted with it; one statement."""
    rows = Decision.objects.filter(
        decided_at__gte=since, decided_at__lt=until, is_retrospective=False, kind__in=GRANTING
    ).exclude(application__outcome="")
    against, lost = Q(is_override=True), Q(application__outcome=Outcome.DEFAULT)
    sums = rows.aggregate(
        against=Count("pk", filter=against),
        against_lost=Count("pk", filter=against & lost),
        following=Count("pk", filter=~against),
        following_lost=Count("pk", filter=~against & lost),
    )
    return (
        GrantedOutcomes(sums["against"], sums["against_lost"]),
        GrantedOutcomes(sums["following"], sums["following_lost"]),
    )
