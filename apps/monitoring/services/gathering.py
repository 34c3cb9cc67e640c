"""What a night reads of an institution for one version: applications, chunk by chunk, as arrays."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import F, QuerySet

from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.models import CreditApplication
from apps.credits.queries.ledger import horizon_months
from apps.engine.encoding import Floats
from apps.engine.ledger import DAY, add_months
from apps.engine.monitoring import Counts, Mask, Outcomes
from apps.monitoring.queries import segments_apart
from apps.registry.enums import GENERAL_SEGMENT
from apps.registry.models import ModelVersion
from apps.scoring.services.rereading import reread

CHUNK = 2_000
#: So many applications are read at most; beyond, one in two, in three… of them, by their keys.
MOST_ROWS = 200_000
#: Months of applications that stand for today's.
CURRENT_MONTHS = 3
#: Months of matured cohorts that are looked at; a reference never begins further back than ``OLDEST_MONTHS``.
MATURED_MONTHS, OLDEST_MONTHS = 24, 72
#: Applications of the training period below which it is no reference.
FEWEST_REFERENCE = 200
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` to ``last``, both included."""

    first: dt.date
    last: dt.date

    def holds(self, days: Counts) -> Mask:
        """Say which ordinals of days lie in it."""
        inside: Mask = (days >= self.first.toordinal()) & (days <= self.last.toordinal())
        return inside


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared with what: settled before the first row is read.

    ``reference`` is the training period of the version when the institution's own applications fill it, else
    (``trained`` false) the twelve months before the version came. Cohorts up to ``trained_until`` (a month
    index, 0 when unknown) taught the model; ``matured_until`` is the last whole cohort.
    """

    version: ModelVersion
    on: dt.date
    start: dt.date
    reference: Period
    trained: bool
    current: Period
    trained_until: int
    matured_until: int
    horizon_months: int
    every: int


@dataclass(slots=True)
class Gathered:
    """Columns of the applications read so far; ``y`` is 1 for a default, 0 for none, -1 if not known yet."""

    day: list[int] = field(default_factory=list)
    y: list[int] = field(default_factory=list)
    agency: list[int] = field(default_factory=list)
    officer: list[int] = field(default_factory=list)
    sex: list[str] = field(default_factory=list)
    age: list[int] = field(default_factory=list)
    credit_type: list[str] = field(default_factory=list)
    x: list[Floats] = field(default_factory=list)
    pd: list[Floats] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rows:
    """The same as arrays; ``month`` counts months since year 0."""

    day: Counts
    month: Counts
    y: Outcomes
    agency: Counts
    officer: Counts
    sex: npt.NDArray[np.str_]
    age: Counts
    credit_type: npt.NDArray[np.str_]
    x: Floats
    pd: Floats

    def __len__(self) -> int:
        return len(self.day)


def month_index(day: dt.date) -> int:
    """Return the months since year 0."""
    return day.year * 12 + day.month - 1


def month_text(index: int) -> str:
    """Return « 2026-03 »."""
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def plan_watch(version: ModelVersion, *, on: dt.date) -> Plan:
    """Settle the periods of a night for a version."""
    horizon = horizon_months(on=on)
    current = Period(add_months(on, -CURRENT_MONTHS) + DAY, on)
    taught = training_period(version.period)
    oldest = add_months(on, -OLDEST_MONTHS)
    reference = taught and Period(max(taught.first, oldest), min(taught.last, current.first - DAY))
    trained = reference is not None and _fills(version, reference)
    if reference is None or not trained:
        came = min(version.created_at.date(), current.first - DAY)
        reference = Period(max(add_months(came, -12) + DAY, oldest), came)
    # a credit is disbursed some weeks after its application: one month more makes cohorts whole
    matured_until = month_index(add_months(on + DAY, -horizon - 1)) - 1
    first_cohort = add_months(on.replace(day=1), -horizon - 1 - MATURED_MONTHS)
    start = min(reference.first, first_cohort)
    total = applications_of(version, start=start, on=on).count()
    return Plan(
        version=version,
        on=on,
        start=start,
        reference=reference,
        trained=trained,
        current=current,
        trained_until=month_index(taught.last) if taught else 0,
        matured_until=matured_until,
        horizon_months=horizon,
        every=max(1, math.ceil(total / MOST_ROWS)),
    )


def training_period(told: Any) -> Period | None:
    """Read the period that a manifest tells, « 31/12/2025 » or « 2025-12-31 »; ``None`` when it does not."""
    if not isinstance(told, dict):
        return None
    first, last = (_day(told.get(name)) for name in ("from", "to"))
    return Period(first, last) if first and last and first <= last else None


def _day(text: object) -> dt.date | None:
    for shape in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(str(text), shape).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None


def _fills(version: ModelVersion, period: Period) -> bool:
    if period.first > period.last:
        return False
    rows = applications_of(version, start=period.first, on=period.last)
    return rows[:FEWEST_REFERENCE].count() == FEWEST_REFERENCE


def applications_of(version: ModelVersion, *, start: dt.date, on: dt.date) -> QuerySet[CreditApplication]:
    """Return the applications that a version would score, of some days; drafts are none yet."""
    rows = CreditApplication.objects.filter(applied_on__range=(start, on))
    rows = rows.exclude(status=ApplicationStatus.DRAFT)
    if version.segment != GENERAL_SEGMENT:
        return rows.filter(type_credit=version.segment)
    return rows.exclude(type_credit__in=segments_apart())


def gather_next(gathered: Gathered, plan: Plan, *, after: int = 0) -> int | None:
    """Read the next chunk of applications into ``gathered``; return its last key, ``None`` at the end.

    Raises ``NoApprovedModel`` when the version does not load.
    """
    rows = applications_of(plan.version, start=plan.start, on=plan.on).filter(pk__gt=after)
    if plan.every > 1:
        rows = rows.annotate(turn=F("pk") % plan.every).filter(turn=0)
    found = list(rows.order_by("pk")[:CHUNK])
    if found:
        _add(gathered, plan, found)
    return found[-1].pk if len(found) == CHUNK else None


def _add(gathered: Gathered, plan: Plan, found: Sequence[CreditApplication]) -> None:
    x, pd = reread(plan.version, found)
    gathered.x.append(x)
    gathered.pd.append(pd)
    known = {Outcome.DEFAULT: 1, Outcome.GOOD: 0}
    for each in found:
        gathered.day.append(each.applied_on.toordinal())
        gathered.y.append(known.get(Outcome(each.outcome), UNKNOWN) if each.outcome else UNKNOWN)
        gathered.agency.append(each.agency_id)
        gathered.officer.append(each.author_id or 0)
        gathered.sex.append(each.sexe)
        gathered.age.append(each.age)
        gathered.credit_type.append(each.type_credit)


def rows_of(gathered: Gathered, *, variables: int) -> Rows:
    """Return what was gathered as arrays."""
    day = _whole(gathered.day)
    calendar = (day - dt.date(1970, 1, 1).toordinal()).astype("datetime64[D]").astype("datetime64[M]")
    empty = np.empty((0, variables))
    return Rows(
        day=day,
        month=calendar.astype(np.int64) + 1970 * 12,
        y=np.array(gathered.y, dtype=np.int8),
        agency=_whole(gathered.agency),
        officer=_whole(gathered.officer),
        sex=np.array(gathered.sex, dtype=np.str_),
        age=_whole(gathered.age),
        credit_type=np.array(gathered.credit_type, dtype=np.str_),
        x=np.concatenate([empty, *gathered.x]),
        pd=np.concatenate([np.empty(0), *gathered.pd]),
    )


def _whole(numbers: Iterable[int]) -> Counts:
    return np.fromiter(numbers, dtype=np.int64)
