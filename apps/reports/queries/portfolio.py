"""The portfolio in figures, from totals: two statements whatever the number of scores and applications."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, Subquery, Sum, When
from django.utils.translation import gettext as _

from apps.reports.models import CreditStatistics, FileTotal, PortfolioState, SavedView
from apps.scoring.enums import Breakdown, Dimension
from apps.scoring.models import ScoreTotal, ScoreTotalsHead
from apps.tenancy.actor import Actor
from apps.tenancy.context import current_institution_id
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.roles import Role
from apps.users.models import Membership

#: The key of what has no agency: scores of files, and of values without a client.
NO_AGENCY = ""
#: Their reports are their own agencies'; the figures of colleagues are no part of them.
OWN_REPORTS = frozenset({Role.ANALYSTE, Role.AGENT})
#: Those that tell people apart.
OF_PEOPLE = (Breakdown.AUTHOR, Breakdown.DECIDER)
#: Neither scores nor applications have every breakdown.
_OF_SCORES = {
    Breakdown.CONTRACT: Dimension.CONTRACT,
    Breakdown.SECTOR: Dimension.SECTOR,
    Breakdown.GRADE: Dimension.GRADE,
    Breakdown.AUTHOR: Dimension.AUTHOR,
}
_COLUMNS = {Breakdown.AGENCY: "agency_id", Breakdown.CREDIT_TYPE: "credit_type"}


def breakdowns_for(actor: Actor) -> list[Breakdown]:
    """Return by what ``actor`` may break figures down."""
    people = actor.role not in OWN_REPORTS
    return [each for each in Breakdown if people or each not in OF_PEOPLE]


@dataclass(frozen=True, slots=True)
class PortfolioWish:
    """What figures are limited to: months (first days, both included), an agency, a credit type."""

    first: dt.date
    last: dt.date
    agency_id: int | None = None
    credit_type: str = ""


class _Sums:
    """Figures that add up, field by field."""

    __slots__ = ()

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, each.name) + getattr(other, each.name) for each in _fields(self)))


def _fields(sums: Any) -> Any:
    return fields(sums)


def _share(part: float, of: int) -> float | None:
    return part / of if of else None


@dataclass(frozen=True, slots=True)
class ScoreSums(_Sums):
    """Scores, and what they add up to; ``pd_millionths`` is the sum of rounded probabilities."""

    scores: int = 0
    pd_millionths: int = 0
    points: int = 0
    expected_loss_xaf: int = 0
    predicted_defaults: int = 0
    favourable: int = 0
    unfavourable: int = 0

    @property
    def mean_pd(self) -> float | None:
        return _share(self.pd_millionths / 1_000_000, self.scores)

    @property
    def mean_points(self) -> float | None:
        return _share(self.points, self.scores)

    @property
    def favourable_share(self) -> float | None:
        return _share(self.favourable, self.scores)


@dataclass(frozen=True, slots=True)
class FileSums(_Sums):
    """Applications, what became of them, and the scores of those whose outcome is known."""

    files: int = 0
    amount_xaf: int = 0
    granted: int = 0
    refused: int = 0
    timed: int = 0
    delay_seconds: int = 0
    decided: int = 0
    advised: int = 0
    overrides_favourable: int = 0
    overrides_severe: int = 0
    matured: int = 0
    defaults: int = 0
    matured_scored: int = 0
    matured_scored_defaults: int = 0
    matured_pd_millionths: int = 0

    @property
    def acceptance(self) -> float | None:
        """The share of granted among what was granted or refused."""
        return _share(self.granted, self.granted + self.refused)

    @property
    def mean_delay_days(self) -> float | None:
        return _share(self.delay_seconds / 86_400, self.timed)

    @property
    def override_share(self) -> float | None:
        """The share against the advice among decisions on a firm one, as ``decisions.queries.rates``."""
        return _share(self.overrides_favourable + self.overrides_severe, self.advised)

    @property
    def observed_default(self) -> float | None:
        return _share(self.defaults, self.matured)

    @property
    def predicted_default(self) -> float | None:
        """The mean probability of the applications with a known outcome that were scored."""
        return _share(self.matured_pd_millionths / 1_000_000, self.matured_scored)


@dataclass(slots=True)
class Cell:
    """The figures of one value of a breakdown, or of all together."""

    scores: ScoreSums = field(default_factory=ScoreSums)
    files: FileSums = field(default_factory=FileSums)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Figures of a wish: all together, month after month, and by the values of the breakdown.

    Keys of ``by_value`` are codes as text, keys of agencies and people too; empty where there is none.
    """

    whole: Cell
    by_month: Mapping[dt.date, Cell]
    by_value: Mapping[str, Cell]


def portfolio_of(actor: Actor, wish: PortfolioWish, *, by: Breakdown) -> Portfolio:
    """Return the figures of the agencies that ``actor`` sees, within ``wish``, by two statements."""
    found = Portfolio(Cell(), {}, {})
    months: dict[dt.date, Cell] = {}
    values: dict[str, Cell] = {}
    score_rows = _rows(ScoreTotal, actor, wish, by, _OF_SCORES.get(by, Dimension.WHOLE), ScoreSums)
    for month, value, is_whole, sums in score_rows:
        if is_whole:
            found.whole.scores += sums
            months.setdefault(month, Cell()).scores += sums
        if value is not None and by != Breakdown.DECIDER:
            values.setdefault(value, Cell()).scores += sums
    of_files = by if by not in (Breakdown.MONTH, *_COLUMNS) else ""
    for month, value, is_whole, sums in _rows(FileTotal, actor, wish, by, of_files, FileSums):
        if is_whole:
            found.whole.files += sums
            months.setdefault(month, Cell()).files += sums
        if value is not None:
            values.setdefault(value, Cell()).files += sums
    return Portfolio(found.whole, dict(sorted(months.items())), values)


def _rows(
    model: Any, actor: Actor, wish: PortfolioWish, by: Breakdown, dimension: str, kind: type
) -> Iterable[tuple[Any, str | None, bool, Any]]:
    """Yield ``(month, value, whether it counts for all together, sums)`` of one kind of totals.

    With a dimension of their own the totals of that dimension come beside those of all together, over all
    months at once: ``month`` is None there.
    """
    column = _COLUMNS.get(by)
    names = [each.name for each in fields(kind)]
    keys = ["of_month", "dimension", "value", *([column] if column else [])]
    rows = (
        _limited(model, actor, wish, by=by)
        .filter(dimension__in={"", dimension})
        .annotate(of_month=Case(When(dimension="", then=F("month"))))
        .values_list(*keys)
        .annotate(**{f"sum_{name}": Sum(name) for name in names})
        .order_by()
    )
    for month, of, value, *others in rows:
        sums = kind(*map(int, others[1:] if column else others))
        if column:
            yield month, str(others[0] or NO_AGENCY), True, sums
        elif of:
            yield month, value, False, sums
        else:
            yield month, None if dimension else "", True, sums


def _limited(model: Any, actor: Actor, wish: PortfolioWish, *, by: Breakdown | None = None) -> QuerySet[Any]:
    """Leave the rows of one level: none is counted with the one that holds it."""
    every_agency = actor.agency_ids is None and wish.agency_id is None and by != Breakdown.AGENCY
    rows: QuerySet[Any] = model.objects.filter(
        month__range=(wish.first, wish.last), every_agency=every_agency
    )
    if actor.agency_ids is not None:
        rows = rows.filter(agency_id__in=actor.agency_ids)
    if wish.agency_id is not None:
        rows = rows.filter(agency_id=wish.agency_id)
    if wish.credit_type or by != Breakdown.CREDIT_TYPE:
        return rows.filter(credit_type=wish.credit_type or ScoreTotal.EVERY_TYPE)
    return rows.exclude(credit_type=ScoreTotal.EVERY_TYPE)


def distribution_of(actor: Actor, wish: PortfolioWish, dimension: Dimension) -> dict[str, int]:
    """Return how many scores have each value of a dimension."""
    rows = _limited(ScoreTotal, actor, wish).filter(dimension=dimension)
    return dict(rows.values_list("value").annotate(count=Sum("scores")).order_by())


@dataclass(frozen=True, slots=True)
class Freshness:
    """Until when scores and applications are counted; empty before the first count."""

    scores_until: dt.datetime | None
    files_until: dt.datetime | None


def freshness() -> Freshness:
    """Return until when the totals of the institution are right; one statement."""
    rows = ScoreTotalsHead.objects.annotate(**_until()).values_list(*_until())
    return Freshness(*(rows.first() or (None, None)))


def _until() -> dict[str, Subquery]:
    return {
        "scores_until": Subquery(ScoreTotalsHead.objects.values("settled_at")[:1]),
        "files_until": Subquery(PortfolioState.objects.values("counted_at")[:1]),
    }


def statistics_of(actor: Actor, agency_id: int | None) -> CreditStatistics | None:
    """Return the statistics of an agency, of the institution without one; None where there are none.

    Who sees some agencies only has those of one of them at a time.
    """
    agencies = actor.agency_ids
    if agencies is not None and agency_id is None and len(agencies) == 1:
        (agency_id,) = agencies
    if agencies is not None and agency_id not in agencies:
        return None
    of_agency: dict[str, Any] = {"agency_id": agency_id}
    return CreditStatistics.objects.filter(**of_agency).first()


def people_and_freshness() -> tuple[dict[str, str], Freshness]:
    """Return the names of the institution's members by their keys as totals hold them; with ``freshness``."""
    members = Membership.objects.filter(institution_id=current_institution_id()).annotate(**_until())
    names: dict[str, str] = {}
    until = Freshness(None, None)
    for key, name, *instants in members.values_list("user_id", "user__full_name", *_until()):
        names[str(key)], until = name, Freshness(*instants)
    return names, until


MOST_VIEWS = 30


def saved_views(actor: Actor) -> list[SavedView]:
    """Return the views that ``actor`` named, and those that others show to the institution."""
    own = Q(owner_id=actor.person_id) | Q(shared=True)
    return list(SavedView.objects.filter(own).order_by("name", "uid")[:MOST_VIEWS])


def get_own_view(actor: Actor, uid: UUID) -> SavedView:
    """Return one view that ``actor`` named; raise ``ObjectNotFound``."""
    view = SavedView.objects.filter(owner_id=actor.person_id, uid=uid).first()
    if view is None:
        raise ObjectNotFound(_("No such view."))
    return view
