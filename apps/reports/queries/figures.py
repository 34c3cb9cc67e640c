"""Scores and applications of a period, counted: in all, by day or month, by analyst, agency, product."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncMonth

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.credits.queries.applications import GRANTED, visible_applications
from apps.reports.queries.documents import Wish
from apps.scoring.enums import Band, Recommendation
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import visible_predictions
from apps.tenancy.days import period

#: Longer periods are told by month.
MOST_DAYS = 62


def scores_in(wish: Wish) -> QuerySet[Prediction]:
    """Return the scores of a wish's period that its asker may see; scored files' lines are not among them."""
    start, end = period(*wish.days)
    scores = visible_predictions(wish.actor).filter(created_at__gte=start, created_at__lt=end)
    if wish.own:
        scores = scores.filter(author_id=wish.actor.person_id)
    return scores.filter(agency=wish.agency) if wish.agency else scores


def applications_in(wish: Wish) -> QuerySet[CreditApplication]:
    """Return the applications made in a wish's period that its asker may see."""
    applications = visible_applications(wish.actor).filter(applied_on__range=wish.days)
    if wish.own:
        applications = applications.filter(author_id=wish.actor.person_id)
    return applications.filter(agency=wish.agency) if wish.agency else applications


@dataclass(frozen=True, slots=True)
class Figures:
    """What a group of scores and applications comes to; a mean or a share of none is ``None``."""

    applications: int = 0
    amount_xaf: int = 0
    granted: int = 0
    declined: int = 0
    scores: int = 0
    mean_points: float | None = None
    mean_pd: float | None = None
    predicted_defaults: int = 0
    favourable: int = 0
    expected_loss_xaf: int = 0

    @property
    def acceptance(self) -> float | None:
        """Granted among granted and declined."""
        decided = self.granted + self.declined
        return self.granted / decided if decided else None

    @property
    def predicted_default_rate(self) -> float | None:
        return self.predicted_defaults / self.scores if self.scores else None

    @property
    def favourable_share(self) -> float | None:
        return self.favourable / self.scores if self.scores else None


_SCORES: dict[str, Any] = {
    "scores": Count("id"),
    "mean_points": Avg("points"),
    "mean_pd": Avg("pd"),
    "predicted_defaults": Count("id", filter=Q(predicted_default=True)),
    "favourable": Count("id", filter=Q(recommendation=Recommendation.GRANT)),
    "expected_loss_xaf": Sum("expected_loss_xaf", default=0),
}
_APPLICATIONS: dict[str, Any] = {
    "applications": Count("id"),
    "amount_xaf": Sum("montant_credit", default=0),
    "granted": Count("id", filter=Q(status__in=GRANTED)),
    "declined": Count("id", filter=Q(status=ApplicationStatus.DECLINED)),
}


def figures_of(wish: Wish) -> Figures:
    """Return the figures of a whole period, by two statements."""
    return Figures(
        **_bare(scores_in(wish)).aggregate(**_SCORES),
        **_bare(applications_in(wish)).aggregate(**_APPLICATIONS),
    )


def figures_by_day(wish: Wish) -> list[tuple[dt.date, Figures]]:
    """Return the figures of each day, or each month of a long period, the days without any left out."""
    cut: Any = TruncDate if (wish.days[1] - wish.days[0]).days < MOST_DAYS else TruncMonth
    scored = _bare(scores_in(wish)).annotate(group=cut("created_at"))
    applied: Any = _bare(applications_in(wish))
    applied = applied.annotate(group=TruncMonth("applied_on")) if cut is TruncMonth else applied
    key = "group" if cut is TruncMonth else "applied_on"
    found = _merged(_grouped(scored, "group", _SCORES), _grouped(applied, key, _APPLICATIONS))
    return sorted(found.items(), key=lambda pair: pair[0])


def is_by_month(wish: Wish) -> bool:
    """Say whether a period is so long that it is told by month."""
    return (wish.days[1] - wish.days[0]).days >= MOST_DAYS


def figures_by_agency(wish: Wish) -> dict[int | None, Figures]:
    """Return the figures of each agency by its key; ``None`` holds the scores that have no agency."""
    return _merged(
        _grouped(_bare(scores_in(wish)), "agency_id", _SCORES),
        _grouped(_bare(applications_in(wish)), "agency_id", _APPLICATIONS),
    )


def figures_by_analyst(wish: Wish) -> dict[int | None, Figures]:
    """Return the figures of each author by key; ``None`` holds what a partner or a task did."""
    return _merged(
        _grouped(_bare(scores_in(wish)), "author_id", _SCORES),
        _grouped(_bare(applications_in(wish)), "author_id", _APPLICATIONS),
    )


def figures_by_product(wish: Wish) -> dict[str, Figures]:
    """Return the applications of each type of credit."""
    return _merged({}, _grouped(_bare(applications_in(wish)), "type_credit", _APPLICATIONS))


def counts_of(wish: Wish, column: str) -> dict[str, int]:
    """Return how many scores have each value of a column."""
    rows = _bare(scores_in(wish)).values(column).annotate(count=Count("id")).order_by()
    return {row[column]: row["count"] for row in rows}


def _bare(rows: Any) -> Any:
    """Leave out the joined columns and the order that lists need."""
    return rows.select_related(None).order_by()


def _grouped(rows: Any, key: str, columns: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
    # The group gets another name: a column and its sum may not share one.
    found = rows.values(key).annotate(**{f"its_{name}": each for name, each in columns.items()}).order_by()
    return {_day(row[key]): {name: row[f"its_{name}"] for name in columns} for row in found}


def _merged(*parts: Mapping[Any, Mapping[str, Any]]) -> dict[Any, Figures]:
    keys = dict.fromkeys(key for part in parts for key in part)
    return {
        key: Figures(**{name: each for part in parts for name, each in part.get(key, {}).items()})
        for key in keys
    }


def _day(key: Any) -> Any:
    """Return a group's key, an instant that begins a month as that day."""
    return key.date() if isinstance(key, dt.datetime) else key


BANDS: Sequence[str] = (Band.LOW, Band.MODERATE, Band.HIGH)
ADVICE: Sequence[str] = (Recommendation.GRANT, Recommendation.STUDY, Recommendation.DECLINE)
