"""Past scores under another policy: advice from stored probabilities, computed set by set in the database.

Nothing is scored again and no row is brought here: each answer is one statement that adds up where the rows
are. The advice is that of ``apps.engine.policy``, written as SQL.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FloatField,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from apps.engine.contracts import PolicyFigures, RuleSetting
from apps.scoring.enums import Recommendation
from apps.scoring.models import FloatsField, Prediction
from apps.scoring.queries.scores import visible_predictions
from apps.scoring.validators import PolicyDraft, TypeCosts
from apps.tenancy.actor import Actor

MONTHS = 12
#: Places of the advice in ``ADVICE``, from the best to the worst.
ADVICE = (Recommendation.GRANT, Recommendation.STUDY, Recommendation.DECLINE)
_GRANT, _STUDY, _DECLINE = range(3)
_ARREARS = "arrieres_en_cours"
#: Rule -> the annotation that its limit is compared to.
_COMPARED = {
    "age_demande": "w_age",
    "age_fin": "w_age_end",
    "endettement_max": "w_debt_ratio",
    "montant_max": "w_amount",
    "duree_max": "w_months",
    _ARREARS: "w_arrears",
}
#: Rule -> the fact that it looks at and what violates it.
_FACTS = {
    "interdiction_credit": ("w_prohibited", "true"),
    "doublon_probable": ("w_duplicate", "true"),
    "consentement": ("w_consent", "false"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """What one policy makes of the files: how many get each advice, and what the accepted ones are worth.

    Accepted are those whose advice is not unfavourable. ``profit_xaf`` adds up the ``priced`` ones: those of
    a credit type whose costs are known.
    """

    advice: tuple[int, int, int]
    mean_pd: float | None
    profit_xaf: int
    priced: int

    @property
    def total(self) -> int:
        return sum(self.advice)

    @property
    def accepted(self) -> int:
        return self.advice[_GRANT] + self.advice[_STUDY]

    @property
    def accepted_share(self) -> float | None:
        return self.accepted / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Backtest:
    """The files of a period under the policy in force and under another; ``moves[old][new]`` are counts."""

    start: dt.date
    before: Side
    after: Side
    moves: tuple[tuple[int, int, int], ...]

    @property
    def changed(self) -> int:
        return sum(count for old, row in enumerate(self.moves) for new, count in enumerate(row) if old != new)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one threshold for all the files looked at would give."""

    threshold: float
    accepted_share: float
    mean_pd: float | None
    profit_xaf: int


def first_day() -> dt.date:
    """Return the first day that is looked at: a year ago."""
    today = timezone.localdate()
    return today - dt.timedelta(days=365)


def with_threshold(draft: PolicyDraft, threshold: float, credit_type: str = "") -> PolicyDraft:
    """Return the policy with another threshold for one credit type, or one threshold for all of them."""
    figures = draft.figures
    if credit_type:
        thresholds = {**figures.thresholds, credit_type: threshold}
        return replace(draft, figures=replace(figures, thresholds=thresholds))
    return replace(draft, figures=replace(figures, default_threshold=threshold, thresholds={}))


def backtest(actor: Actor, *, before: PolicyDraft, after: PolicyDraft) -> Backtest:
    """Compare two policies on the files of the last 12 months; one statement, nine rows at most.

    What a file earns and loses is reckoned with the costs, LGD and EAD of ``after`` on both sides: what
    differs is the advice alone.
    """
    rows = _judged(actor, before, after)
    priced = Q(w_type__in=list(after.costs.by_type))
    found: dict[tuple[int, int], Mapping[str, Any]] = {
        (row["old"], row["new"]): row
        for row in rows.order_by()
        .values("old", "new")
        .annotate(
            files=Count("pk"),
            pd_sum=Sum("pd"),
            profit_sum=Sum("w_profit"),
            priced=Count("pk", filter=priced),
        )
    }
    counts = [
        [found[old, new]["files"] if (old, new) in found else 0 for new in range(3)] for old in range(3)
    ]
    return Backtest(
        start=first_day(),
        before=_side((old, row) for (old, _new), row in found.items()),
        after=_side((new, row) for (_old, new), row in found.items()),
        moves=tuple((row[0], row[1], row[2]) for row in counts),
    )


def _side(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Side:
    counts, pd_sum, profit, priced = [0, 0, 0], 0.0, 0.0, 0
    for advice, row in rows:
        counts[advice] += row["files"]
        if advice != _DECLINE:
            pd_sum += row["pd_sum"]
            profit += row["profit_sum"] or 0
            priced += row["priced"]
    accepted = counts[_GRANT] + counts[_STUDY]
    return Side(
        advice=(counts[0], counts[1], counts[2]),
        mean_pd=pd_sum / accepted if accepted else None,
        profit_xaf=round(profit),
        priced=priced,
    )


def changed_files(actor: Actor, *, before: PolicyDraft, after: PolicyDraft) -> QuerySet[Any]:
    """Return the scores whose advice differs, with the places of both in ``old`` and ``new``."""
    rows = _judged(actor, before, after).exclude(old=F("new"))
    return rows.select_related("client", "application").defer("contributions", "rules")


def threshold_curve(
    actor: Actor, draft: PolicyDraft, thresholds: Sequence[float], *, credit_type: str = ""
) -> list[CurvePoint]:
    """Return what each threshold, rising, would give for the files of a type or for all; one statement."""
    blocked, _review = _violations(draft.figures)
    rows = _files(actor, draft)
    if credit_type:
        rows = rows.filter(w_type=credit_type)
    held: Any = Case(When(blocked, then=Value(1)), default=Value(0)) if blocked else Value(0)
    below = Func(
        F("pd"),
        Value(list(thresholds), output_field=FloatsField()),
        function="width_bucket",
        output_field=IntegerField(),
    )
    sums = (
        rows.annotate(held=held, below=below)
        .order_by()
        .values("held", "below")
        .annotate(files=Count("pk"), pd_sum=Sum("pd"), profit_sum=Sum("w_profit"))
    )
    return _points(list(sums), thresholds)


def _points(sums: list[Any], thresholds: Sequence[float]) -> list[CurvePoint]:
    total = sum(row["files"] for row in sums)
    open_rows = sorted((row for row in sums if not row["held"]), key=lambda row: row["below"])
    found, files, pd_sum, profit = [], 0, 0.0, 0.0
    for place, threshold in enumerate(thresholds):
        for row in open_rows:
            if row["below"] == place:
                files += row["files"]
                pd_sum += row["pd_sum"]
                profit += row["profit_sum"] or 0
        found.append(
            CurvePoint(
                threshold, files / total if total else 0.0, pd_sum / files if files else None, round(profit)
            )
        )
    return found


def _files(actor: Actor, economics: PolicyDraft) -> QuerySet[Any]:
    """Return the scores of the period, the last one of each application, with what a policy looks at."""
    later = Prediction.objects.filter(application_id=OuterRef("application_id")).filter(
        Q(created_at__gt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
    )
    zone = timezone.get_default_timezone()
    start = dt.datetime.combine(first_day(), dt.time(), zone)
    rows = visible_predictions(actor).filter(~Exists(later), created_at__gte=start)
    return rows.annotate(
        w_twice=F("pd") * Value(2.0),  # doubling is exact: as p against half the threshold
        w_type=KeyTextTransform("type_credit", "inputs"),
        w_age=_number("age"),
        w_months=_number("duree_mois"),
        w_amount=_number("montant_credit"),
        w_debt_ratio=_number("taux_endettement"),
        w_age_end=F("w_age") + F("w_months") / Value(12.0),
        w_arrears=Cast(KeyTextTransform("current_arrears_days", "facts"), FloatField()),
        w_prohibited=KeyTextTransform("prohibited", "facts"),
        w_duplicate=KeyTextTransform("probable_duplicate", "facts"),
        w_consent=KeyTextTransform("consent_given", "facts"),
        w_secured=KeyTextTransform("real_security", "facts"),
        w_in_fine=KeyTextTransform("in_fine", "facts"),
    ).annotate(w_profit=_profit(economics))


def _judged(actor: Actor, before: PolicyDraft, after: PolicyDraft) -> QuerySet[Any]:
    rows = _files(actor, after)
    for name, draft in (("old", before), ("new", after)):
        figures = draft.figures
        rows = rows.annotate(**{f"{name}_t": _by_type(figures.thresholds, figures.default_threshold)})
        rows = rows.annotate(**{name: _advice(figures, name)})
    return rows


def _number(variable: str) -> Cast:
    return Cast(KeyTextTransform(variable, "inputs"), FloatField())


def _by_type(values: Mapping[str, float], default: float | None) -> Any:
    """Return the value of a file's credit type, else the default; its type is looked at once."""
    if not values:
        return Value(default, FloatField())
    found = Func(
        Value(json.dumps(values)),
        F("w_type"),
        template="(%(expressions)s)::double precision",
        arg_joiner="::jsonb ->> ",
        output_field=FloatField(),
    )
    return found if default is None else Coalesce(found, Value(default, FloatField()))


def _advice(figures: PolicyFigures, name: str) -> Case:
    """``apps.engine.policy.recommend`` on stored rows."""
    blocked, review = _violations(figures)
    return Case(
        When(Q(pd__gte=F(f"{name}_t")) | blocked, then=Value(_DECLINE)),
        When(Q(w_twice__gte=F(f"{name}_t")) | review | ~Q(warnings=[]), then=Value(_STUDY)),
        default=Value(_GRANT),
        output_field=IntegerField(),
    )


def _violations(figures: PolicyFigures) -> tuple[Q, Q]:
    """Return when a blocking rule is violated, and when one to be reviewed is; an unknown value never is."""
    blocked, review = Q(), Q()
    for rule in figures.rules:
        if rule.severity == "bloquante":
            blocked |= _violated(rule)
        else:
            review |= _violated(rule)
    return blocked, review


def _violated(rule: RuleSetting) -> Q:
    if rule.code in _FACTS:
        fact, wrong = _FACTS[rule.code]
        return Q(**{fact: wrong})
    sign = {"age_demande": "lt", _ARREARS: "gte"}.get(rule.code, "gt")
    limit = _by_type(rule.limit_by_type, rule.limit)
    return Q(**{f"{_COMPARED[rule.code]}__{sign}": limit})


def _profit(draft: PolicyDraft) -> Any:
    """``(1 - p) M - p L`` of a file at its own amount, term and rate; null for a type without costs."""
    figures, costs = draft.figures, draft.costs.by_type

    def of(read: Any) -> Any:
        return _by_type({name: read(each) for name, each in costs.items()}, None)

    rate = Coalesce(_number("taux_interet"), of(lambda each: each.rate_percent), output_field=FloatField())
    spread = (rate - of(_funds)) / Value(100.0) * (F("w_months") + Value(1.0)) / Value(24.0)
    margin = F("w_amount") * (spread + of(_fee)) - of(_file)
    lgd = Case(When(w_secured="true", then=Value(figures.lgd_secured)), default=Value(figures.lgd))
    ead = Case(When(w_in_fine="true", then=Value(figures.ead_in_fine)), default=Value(figures.ead_amortised))
    return (Value(1.0) - F("pd")) * margin - F("pd") * lgd * ead * F("w_amount")


def _funds(costs: TypeCosts) -> float:
    return costs.cost_of_funds_percent


def _fee(costs: TypeCosts) -> float:
    return costs.fee_percent / 100


def _file(costs: TypeCosts) -> float:
    return costs.file_cost_xaf
