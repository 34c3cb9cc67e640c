"""Benchmarks over institutions: taking part, giving one's figures, publishing their quartiles.

What one institution gives is a row of its own, read in its scope only. What is published is made of bare
numbers, over five institutions at least, once a month: it can be neither changed nor added to, so that
nobody sees what a single one coming or leaving changes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.validators import check_line
from apps.institutions.queries import get_institution
from apps.reports.enums import BenchmarkFigure
from apps.reports.errors import AlreadyTakesPart
from apps.reports.models import BenchmarkContribution, BenchmarkParticipation, BenchmarkQuartiles
from apps.reports.queries.benchmarks import (
    CellKey,
    as_values,
    current_participation,
    figures_for,
    given_in,
    is_published,
)
from apps.reports.rules import can_join_benchmarks
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from apps.tenancy.locks import wait_for_lock

LONGEST_REASON = 500
#: What published figures are rounded to: half a point, 10,000 FCFA, half a day.
STEPS = {
    BenchmarkFigure.ACCEPTANCE: 0.005,
    BenchmarkFigure.MEAN_PD: 0.005,
    BenchmarkFigure.OBSERVED_DEFAULT: 0.005,
    BenchmarkFigure.OVERRIDES: 0.005,
    BenchmarkFigure.MEAN_AMOUNT: 10_000,
    BenchmarkFigure.MEAN_DELAY: 0.5,
}
#: How many institutions stand behind a cell is told as one of these, the greatest that is not above.
COUNTS = (BenchmarkQuartiles.LEAST, 10, 20, 50, 100)
_PARTS = (25, 50, 75)
_DECIMALS = 6


@transaction.atomic
def join_benchmarks(*, reason: str, by: Actor) -> BenchmarkParticipation:
    """Share the figures of the institution from the next computing on.

    Raises ``NotAllowed``, ``InvalidValues`` for the reason, or ``AlreadyTakesPart``.
    """
    _require(by)
    assert by.person_id is not None  # the rule asks for a person
    reason = _checked(reason)
    wait_for_lock("benchmarks")
    if current_participation() is not None:
        raise AlreadyTakesPart(_("Your institution takes part in the benchmarks already."))
    row = BenchmarkParticipation.objects.create(reason=reason, started_by_id=by.person_id)
    record(by=by, action="benchmark.join", target=row, after={"reason": reason})
    return row


@transaction.atomic
def leave_benchmarks(*, by: Actor) -> BenchmarkParticipation:
    """Share nothing more: what was given is removed, and the next publication is made without it.

    Raises ``NotAllowed``, or ``ObjectNotFound`` when the institution takes no part.
    """
    _require(by)
    wait_for_lock("benchmarks")
    row = current_participation()
    if row is None:
        raise ObjectNotFound(_("Your institution takes no part in the benchmarks."))
    row.stopped_at, row.stopped_by_id = timezone.now(), by.person_id
    row.save(update_fields=["stopped_at", "stopped_by"])
    BenchmarkContribution.objects.all().delete()
    record(by=by, action="benchmark.leave", target=row)
    return row


def _require(by: Actor) -> None:
    if not can_join_benchmarks(by):
        raise NotAllowed(_("Your role does not allow this."))


def _checked(reason: str) -> str:
    reason = reason.strip()
    try:
        check_line(reason)
    except ValidationError as error:
        raise InvalidValues(error.messages[0], fields={"reason": error.messages}) from None
    if not 0 < len(reason) <= LONGEST_REASON:
        message = _("Give a reason, of 500 characters at most.")
        raise InvalidValues(message, fields={"reason": [message]})
    return reason


@transaction.atomic
def contribute(*, month: dt.date, by: Actor) -> dict[CellKey, float]:
    """Return what the institution in scope gives to the benchmarks of a month; nothing unless it takes part.

    Nor does a fictional institution give anything outside the demonstration. Taken once a month, kept with
    what was given before, told in its trail; asked again it is the same.
    """
    wait_for_lock("benchmarks")
    participation = current_participation()
    if participation is None or _is_fictional(by.institution):
        return {}
    if kept := given_in(month):
        return kept
    found = figures_for(month)
    BenchmarkContribution.objects.bulk_create(
        BenchmarkContribution(
            month=month, credit_type=credit_type, figure=figure, value=given.value, base=given.base
        )
        for (credit_type, figure), given in found.items()
    )
    if found:
        after = {"month": f"{month:%Y-%m}", "figures": len(found)}
        record(by=by, action="benchmark.give", target=participation, after=after)
    return as_values(found)


def _is_fictional(institution_id: int) -> bool:
    return not settings.DEMO_MODE and get_institution(institution_id).is_demo


@transaction.atomic
def publish(*, month: dt.date, given: Iterable[Mapping[CellKey, float]]) -> int:
    """Publish the quartiles of a month over what each institution gave; return how many cells stand.

    A month is published once, as soon as five institutions stand behind one of its cells; cells behind which
    fewer do are left out for good.
    """
    if is_published(month):
        return 0
    values: dict[CellKey, list[float]] = defaultdict(list)
    for each in given:
        for key, value in each.items():
            values[key].append(value)
    rows = [
        _row(month, key, numbers)
        for key, numbers in sorted(values.items())
        if len(numbers) >= BenchmarkQuartiles.LEAST
    ]
    # Two tasks at once make the same rows.
    BenchmarkQuartiles.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _row(month: dt.date, key: CellKey, numbers: Sequence[float]) -> BenchmarkQuartiles:
    credit_type, figure = key
    low, median, high = quartiles(numbers, STEPS[BenchmarkFigure(figure)])
    return BenchmarkQuartiles(
        month=month,
        credit_type=credit_type,
        figure=figure,
        low=low,
        median=median,
        high=high,
        institutions_at_least=max(each for each in COUNTS if each <= len(numbers)),
    )


def quartiles(numbers: Sequence[float], step: float) -> tuple[float, float, float]:
    """Return the quartiles (linear, Hyndman and Fan's type 7) rounded to the nearest ``step``."""
    low, median, high = (
        round(float(np.round(each / step)) * step, _DECIMALS) for each in np.percentile(numbers, _PARTS)
    )
    return low, median, high
