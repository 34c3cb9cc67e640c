"""From the rows of a night to its figures, one document a kind: plain JSON, no word and no name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.engine import monitoring
from apps.engine.contracts import PolicyFigures
from apps.engine.monitoring import Cohort, Comparison, Counts, Mask, Treatment
from apps.monitoring.enums import FigureKind
from apps.monitoring.services.gathering import (
    MATURED_MONTHS,
    UNKNOWN,
    Plan,
    Rows,
    month_index,
    month_text,
)

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from apps.credits.queries.early import EarlySigns
    from apps.engine.model import Range
    from apps.engine.variables import Variable

type Figures = dict[FigureKind, Any]

SLICED_MONTHS = 12
AGES = (26, 36, 46, 56)
_PLACES = 6


@dataclass(frozen=True, slots=True)
class Around:
    """What the figures need beside the rows: names by key, early signs, volumes, the policy in force."""

    agencies: Mapping[int, tuple[str, str]]
    officers: Mapping[int, str]
    early: Sequence["EarlySigns"]
    volumes: Sequence[Mapping[str, Any]]
    policy: PolicyFigures | None


def measure(
    rows: Rows, plan: Plan, around: Around, variables: Sequence[tuple["Variable", "Range"]]
) -> Figures:
    """Return every figure of a night, by kind."""
    last = plan.matured_until
    whole = (rows.y != UNKNOWN) & (rows.month <= last) & (rows.month > last - MATURED_MONTHS)
    sliced, seen = _sliced(rows, plan, whole)
    figures: Figures = {
        FigureKind.STATE: _state(rows, plan, sliced, seen=seen),
        FigureKind.MONTH: _cohorts(rows, plan, whole, window=1),
        FigureKind.COHORT: _cohorts(rows, plan, whole, window=monitoring.WINDOW),
        FigureKind.SCORE: _score(rows, plan),
        FigureKind.VARIABLE: _variables(rows, plan, variables),
        FigureKind.EARLY: _early(plan, around.early),
        FigureKind.VOLUME: list(around.volumes),
        FigureKind.AGENCY: _slices(rows, sliced, rows.agency, {k: v[0] for k, v in around.agencies.items()}),
        FigureKind.OFFICER: _slices(rows, sliced, rows.officer, around.officers),
    }
    if around.policy is not None:
        thresholds = _thresholds(rows, around.policy)
        bands = np.where(rows.pd >= thresholds, 2, np.where(rows.pd * 2 >= thresholds, 1, 0))
        names = {0: "faible", 1: "modere", 2: "eleve"}
        figures[FigureKind.BAND] = _slices(rows, sliced, bands.astype(np.int64), names)
        figures[FigureKind.TREATMENT] = _treatments(
            rows, plan, around, sliced, favourable=rows.pd < thresholds
        )
    return figures


def _number(value: float) -> float:
    return round(float(value), _PLACES)


def _sliced(rows: Rows, plan: Plan, whole: Mask) -> tuple[Mask, bool]:
    """Return the matured credits of the last twelve cohorts, and whether the model was taught by them.

    Those that came after its training only, as soon as they make a rolling cohort.
    """
    latest = whole & (rows.month > plan.matured_until - SLICED_MONTHS)
    fresh = latest & (rows.month > plan.trained_until)
    if plan.matured_until - plan.trained_until >= monitoring.WINDOW:
        return fresh, False
    return latest, True


def _state(rows: Rows, plan: Plan, sliced: Mask, *, seen: bool) -> dict[str, Any]:
    def told(first: "dt.date", last: "dt.date", count: int) -> dict[str, Any]:
        return {"from": first.isoformat(), "to": last.isoformat(), "rows": count}

    reference, current = plan.reference, plan.current
    return {
        "reference": told(reference.first, reference.last, int(reference.holds(rows.day).sum())),
        "trained": plan.trained,
        "current": told(current.first, current.last, int(current.holds(rows.day).sum())),
        "matured_until": month_text(plan.matured_until),
        "horizon_months": plan.horizon_months,
        "every": plan.every,
        "sliced": {"rows": int(sliced.sum()), "seen": seen},
    }


def _compared(compared: Comparison) -> dict[str, Any]:
    low, high = compared.ratio_interval
    return {
        "rows": compared.rows,
        "defaults": compared.defaults,
        "expected": _number(compared.expected),
        "observed_rate": _number(compared.observed_rate),
        "predicted_rate": _number(compared.predicted_rate),
        "low": _number(compared.low),
        "high": _number(compared.high),
        "ratio": _number(compared.ratio),
        "ratio_low": _number(low),
        "ratio_high": _number(high),
        "chance": float(f"{compared.above:.3g}"),
    }


def _cohorts(rows: Rows, plan: Plan, whole: Mask, *, window: int) -> list[dict[str, Any]]:
    found = monitoring.cohorts(rows.month[whole], rows.pd[whole], rows.y[whole], window)
    return [_cohort(each, plan) for each in found]


def _cohort(cohort: Cohort, plan: Plan) -> dict[str, Any]:
    told = cohort.discrimination
    return {
        "from": month_text(cohort.first),
        "to": month_text(cohort.last),
        **_compared(cohort.compared),
        "auc": None if told is None else _number(told.auc),
        "auc_low": None if told is None else _number(told.low),
        "auc_high": None if told is None else _number(told.high),
        "auc_error": None if told is None else _number(told.standard_error),
        "seen": cohort.first <= plan.trained_until,
        "alarming": cohort.alarming,
    }


def _score(rows: Rows, plan: Plan) -> dict[str, Any] | None:
    before, now = rows.pd[plan.reference.holds(rows.day)], rows.pd[plan.current.holds(rows.day)]
    edges = monitoring.edges_of(before)
    counts = monitoring.counts_of(before, edges)[:-1], monitoring.counts_of(now, edges)[:-1]
    moved = monitoring.shift(*counts)
    if moved is None:
        return None
    return {
        **_moved(moved),
        "edges": [_number(edge) for edge in edges],
        "before": counts[0].tolist(),
        "now": counts[1].tolist(),
    }


def _moved(moved: monitoring.Shift) -> dict[str, Any]:
    return {
        "psi": _number(moved.psi),
        "limit": _number(moved.limit),
        "reference": moved.reference,
        "current": moved.current,
        "passed": moved.passed,
    }


def _variables(
    rows: Rows, plan: Plan, variables: Sequence[tuple["Variable", "Range"]]
) -> list[dict[str, Any]]:
    before, now = rows.x[plan.reference.holds(rows.day)], rows.x[plan.current.holds(rows.day)]
    found = []
    for place, (variable, seen) in enumerate(variables):
        old, new = before[:, place], now[:, place]
        if variable.type == "category":
            sides = [monitoring.category_counts(side, len(variable.codes)) for side in (old, new)]
        else:
            edges = monitoring.edges_of(old)
            sides = [monitoring.counts_of(side, edges) for side in (old, new)]
        moved = monitoring.shift(*sides)
        if moved is None:
            continue
        missing = [int(np.isnan(side).sum()) for side in (old, new)]
        beyond = [int(monitoring.outside(side, seen).sum()) for side in (old, new)]
        found.append(
            {
                "variable": variable.name,
                **_moved(moved),
                "missing": _risen(missing, moved, len(variables)),
                "outside": _risen(beyond, moved, len(variables)),
            }
        )
    return found


#: A rate that rises by less says nothing to act upon, however sure it is.
LEAST_RISE = 0.05


def _risen(counted: Sequence[int], moved: monitoring.Shift, tests: int) -> dict[str, Any]:
    """Compare two shares; the limit is divided by the number of variables looked at together."""
    before, now = counted[0] / moved.reference, counted[1] / moved.current
    chance = monitoring.rise((counted[0], moved.reference), (counted[1], moved.current))
    passed = now - before >= LEAST_RISE and chance < monitoring.ALARM / tests
    return {"before": _number(before), "now": _number(now), "passed": passed}


def _early(plan: Plan, early: Sequence["EarlySigns"]) -> dict[str, Any]:
    """Compare the latest three months that are old enough with the months of the reference."""
    first, last = month_index(plan.reference.first), month_index(plan.reference.last)
    months = [(month_index(each.month), each) for each in early]
    document: dict[str, Any] = {
        "months": [
            {
                "month": month_text(month),
                "first_due": each.first_due,
                "first_missed": each.first_missed,
                "aged": each.aged,
                "late": each.late,
            }
            for month, each in months
        ]
    }
    for name, of, age in (("late", "aged", 4), ("first_missed", "first_due", 3)):
        latest = month_index(plan.on) - age
        recent = range(max(latest - monitoring.WINDOW, last) + 1, latest + 1)
        now = _sums([each for month, each in months if month in recent], name, of)
        before = _sums([each for month, each in months if first <= month <= last], name, of)
        chance = monitoring.rise(before, now)
        document[name] = {
            "before": list(before),
            "now": list(now),
            "from": month_text(recent.start) if recent else None,
            "to": month_text(latest),
            "chance": float(f"{chance:.3g}"),
            "passed": chance < monitoring.ALARM,
        }
    return document


def _sums(months: Sequence["EarlySigns"], name: str, of: str) -> tuple[int, int]:
    return sum(getattr(each, name) for each in months), sum(getattr(each, of) for each in months)


def _slices(rows: Rows, inside: Mask, keys: Counts, names: Mapping[int, str]) -> dict[str, Any]:
    """Compare defaults with predictions by slice; those of under 30 credits are counted, not shown.

    A slice stands out when chance gives as much less than once in 200, the number of slices allowed for.
    """
    found, hidden = [], 0
    for key in np.unique(keys[inside]).tolist():
        part = inside & (keys == key)
        compared = monitoring.compare(rows.pd[part], rows.y[part])
        if compared is None or compared.rows < monitoring.SMALLEST_GROUP or key not in names:
            hidden += 1
            continue
        found.append((names[key], compared))
    limit = monitoring.ALARM / max(1, len(found))
    lines = [
        {
            "slice": name,
            **_compared(compared),
            "verdict": "above" if compared.above < limit else "below" if compared.below < limit else "level",
        }
        for name, compared in found
    ]
    return {"lines": lines, "hidden": hidden}


def _thresholds(rows: Rows, policy: PolicyFigures) -> "npt.NDArray[np.float64]":
    names, places = np.unique(rows.credit_type, return_inverse=True)
    limits = np.array([policy.threshold_for(str(name)) for name in names], dtype=np.float64)
    return limits[places] if len(names) else np.empty(0)


def _treatments(
    rows: Rows, plan: Plan, around: Around, sliced: Mask, *, favourable: Mask
) -> list[dict[str, Any]]:
    """Compare the advice of the year's applications, and that of the good payers, by group."""
    year = (rows.month > month_index(plan.on) - SLICED_MONTHS) & (rows.day <= plan.on.toordinal())
    good = sliced & (rows.y == 0)
    bands = np.searchsorted(np.array(AGES), rows.age, side="right")
    labels = np.array(["<26", "26-35", "36-45", "46-55", ">55"])
    agency = {key: uid for key, (uid, _region) in around.agencies.items()}
    region = {key: region for key, (_uid, region) in around.agencies.items()}
    by = {
        "sexe": rows.sex,
        "age": labels[bands],
        "agence": _named(rows.agency, agency),
        "region": _named(rows.agency, region),
    }
    return [
        {
            "by": name,
            "advice": _treatment(monitoring.treatment(codes[year], favourable[year])),
            "good_payers": _treatment(monitoring.treatment(codes[good], favourable[good])),
        }
        for name, codes in by.items()
    ]


def _named(keys: Counts, names: Mapping[int, str]) -> "npt.NDArray[np.str_]":
    places = np.unique(keys, return_inverse=True)
    words = np.array([names.get(int(key), "") for key in places[0]], dtype=np.str_)
    return words[places[1]] if len(words) else np.empty(0, dtype=np.str_)


def _treatment(found: Treatment) -> dict[str, Any]:
    return {
        "groups": [
            {**asdict(group), "share": _number(group.share), "ratio": _number(group.ratio)}
            for group in found.groups
        ],
        "hidden": found.hidden,
        "gap": _number(found.gap),
        "unequal": found.unequal,
    }
