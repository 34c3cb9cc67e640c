"""The gates before production: each with its figure, its limits and a verdict.

Words are made by ``apps.registry.renderers``; what is stored are codes and figures.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.credits.enums import Outcome
from apps.credits.features import application_values
from apps.credits.models import CreditApplication
from apps.engine.contracts import PolicyFigures, Value
from apps.engine.dictionary import Dictionary
from apps.engine.expert import ScorecardRefused, card_from, points_range, wrong_signs
from apps.institutions.queries import get_institution
from apps.registry.enums import ModelOrigin, TrainingData, Verdict
from apps.registry.errors import NoApprovedModel
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.registry.queries import approvers
from apps.registry.services.profiles import profiles_in_force
from apps.tenancy.actor import Actor
from apps.tenancy.context import current_institution_id

if TYPE_CHECKING:
    from apps.engine.scorer import Scorer

#: A grid is compared with outcomes from so many matured credits on.
COMPARED_FROM = 50
MOST_COMPARED = 5_000
#: Matured defaults below which no model of that kind goes into production.
DEFAULTS_NEEDED = {TrainingData.INSTITUTION: 150, TrainingData.POOLED: 50}
AUC_LOW, AUC_EXPLAIN, AUC_MOST = 0.55, 0.90, 0.97
RATIO = (0.90, 1.10)
#: Outside, the declared rate of a grid and what was seen are too far apart to go unexplained.
RATIO_EXPERT = (0.5, 2.0)
RATE = (0.005, 0.40)
SPREAD = 50
#: Measured by a training run, which leaves them with the version; nobody else can. The first ones, on rows
#: that the model had not seen, stand in place of a comparison with the outcomes, which it learnt.
FIGURES_OF_TRAINING = ("auc", "calibration", "calibration_slope", "ece")
MEASURED_IN_TRAINING = (
    *("single_variable", "missingness", "permutation", "duplicates"),
    *("stability", "grades", "fairness"),
)


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate; ``unit`` says how its figures are written: auc, ratio, rate, points, count or nothing."""

    code: str
    verdict: Verdict
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    about: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": str(self.verdict), "about": list(self.about)}


def checklist(*, version: ModelVersion, by: Actor) -> list[Gate]:
    """Return every gate of a version as it stands now, for the person ``by`` who proposes or looks."""
    others = len(approvers(institution_id=by.institution, beside=by.id))
    people = Gate("two_people", _passed(others > 0), others, low=1, unit="count")
    try:
        scorer = load_scorer(version)
    except NoApprovedModel:
        return [Gate("loads", Verdict.FAILED), people]
    gates = _OF_KIND[TrainingData(version.training_data)](version, scorer)
    return [Gate("loads", Verdict.PASSED), *gates, _profiles(scorer), people]


def measure(version: ModelVersion) -> dict[str, Any]:
    """Compare a version with the institution's latest matured credits; figures from 50 of them on.

    ``auc`` with its 95 % interval needs two defaults and two others at least.
    """
    from apps.engine.discrimination import TWO_OF_EACH, discrimination

    scorer = load_scorer(version)
    columns: dict[str, list[Value]] = {name: [] for name in scorer.variables}
    outcomes: list[int] = []
    latest = CreditApplication.objects.matured().order_by("-applied_on", "-id")[:MOST_COMPARED]
    for application in latest:
        values, _warnings = application_values(application)
        for name, column in columns.items():
            column.append(values.get(name))
        outcomes.append(int(application.outcome == Outcome.DEFAULT))
    rows, defaults = len(outcomes), sum(outcomes)
    found: dict[str, Any] = {"rows": rows, "defaults": defaults}
    if rows < COMPARED_FROM:
        return found
    import numpy as np

    pd = scorer.score_columns(columns, rows).pd
    y = np.array(outcomes, dtype=np.int8)
    found |= {"observed_rate": defaults / rows, "predicted_rate": float(pd.mean())}
    told = discrimination(pd, y, fewest=TWO_OF_EACH)
    if told is not None:
        found |= {"auc": told.auc, "auc_low": told.low, "auc_high": told.high}
    return found


def _passed(holds: bool) -> Verdict:
    return Verdict.PASSED if holds else Verdict.FAILED


def _profiles(scorer: "Scorer") -> Gate:
    from apps.engine.profiles import rank_profiles

    ranking = rank_profiles(scorer, profiles_in_force())
    about = [f"{lower}<{higher}" for lower, higher in ranking.misplaced]
    if ranking.arrears_lower_risk:
        about.append("arrears")
    return Gate("profiles", _passed(ranking.holds), len(about), high=0, unit="count", about=tuple(about))


def _expert(version: ModelVersion, scorer: "Scorer") -> list[Gate]:
    dictionary = Dictionary(scorer.parts.variables)
    try:
        card = card_from(scorer.artefact.manifest.get("scorecard"), dictionary)
    except ScorecardRefused as refusal:
        return [Gate("declaration", Verdict.FAILED, about=(refusal.code,))]
    wrong = wrong_signs(card, dictionary)
    lowest, highest = points_range(card)
    scale = PolicyFigures()
    inside = scale.points_min <= lowest and highest <= scale.points_max
    return [
        Gate("signs", _passed(not wrong), len(wrong), high=0, unit="count", about=tuple(wrong)),
        Gate("lowest_score", _passed(inside), lowest, low=scale.points_min, unit="points"),
        Gate("highest_score", _passed(inside), highest, high=scale.points_max, unit="points"),
        Gate("spread", _passed(highest - lowest >= SPREAD), highest - lowest, low=SPREAD, unit="points"),
        Gate(
            "declared_rate",
            _passed(RATE[0] <= card.declared_rate <= RATE[1]),
            card.declared_rate,
            *RATE,
            unit="rate",
        ),
        *_compared(version, RATIO_EXPERT, needed=False),
    ]


def _compared(version: ModelVersion, limits: tuple[float, float], *, needed: bool) -> list[Gate]:
    """Return what the institution's own outcomes say: the order and the level of the risk."""
    own: Mapping[str, Any] = version.metrics.get("own") or {}
    rows = own.get("rows", 0)
    if rows < COMPARED_FROM:
        verdict = Verdict.UNMEASURED if needed else Verdict.SHOWN
        return [Gate("own_history", verdict, rows, low=COMPARED_FROM, unit="count")]
    gates = [Gate("own_history", Verdict.SHOWN, rows, low=COMPARED_FROM, unit="count")]
    ratio = own["observed_rate"] / own["predicted_rate"] if own["predicted_rate"] else 0.0
    outside = Verdict.FAILED if needed else Verdict.EXPLAIN
    gates.append(
        Gate(
            "own_level",
            Verdict.PASSED if limits[0] <= ratio <= limits[1] else outside,
            ratio,
            *limits,
            unit="ratio",
        )
    )
    if "auc" in own:
        gates.append(_auc("own_auc", own, needed=needed))
    return gates


def _auc(code: str, figures: Mapping[str, Any], *, needed: bool = True) -> Gate:
    if figures["auc"] > AUC_MOST:
        verdict = Verdict.FAILED
    elif figures["auc_low"] <= AUC_LOW:
        verdict = Verdict.FAILED if needed else Verdict.EXPLAIN
    else:
        verdict = Verdict.EXPLAIN if figures["auc"] > AUC_EXPLAIN else Verdict.PASSED
    return Gate(code, verdict, figures["auc_low"], AUC_LOW, AUC_MOST, unit="auc")


def _trained(version: ModelVersion, _scorer: "Scorer") -> list[Gate]:
    defaults = (version.metrics.get("own") or {}).get("defaults", 0)
    needed = DEFAULTS_NEEDED[TrainingData(version.training_data)]
    enough = Gate("defaults", _passed(defaults >= needed), defaults, low=needed, unit="count")
    if trained_here(version):
        return [enough, *_measured_in_training(version)]
    evidence: Mapping[str, Any] = version.metrics.get("gates") or {}
    return [
        enough,
        *_compared(version, RATIO, needed=True),
        *(_evidence(code, evidence.get(code)) for code in MEASURED_IN_TRAINING),
    ]


def trained_here(version: ModelVersion) -> bool:
    """Say whether a run of this platform measured the version: what a file claims never counts."""
    return version.origin == ModelOrigin.TRAINED and "run" in version.metrics


def _measured_in_training(version: ModelVersion) -> list[Gate]:
    evidence: Mapping[str, Any] = version.metrics.get("gates") or {}
    codes = (*FIGURES_OF_TRAINING, *MEASURED_IN_TRAINING)
    return [
        _evidence(code, evidence.get(code) or {"verdict": Verdict.UNMEASURED, "about": ["run"]})
        for code in codes
    ]


def _evidence(code: str, told: Mapping[str, Any] | None) -> Gate:
    if not told:
        return Gate(code, Verdict.UNMEASURED)
    return Gate(
        code,
        Verdict(told["verdict"]),
        told.get("figure"),
        told.get("low"),
        told.get("high"),
        told.get("unit", ""),
        tuple(told.get("about", ())),
    )


def _synthetic(version: ModelVersion, _scorer: "Scorer") -> list[Gate]:
    fictional = settings.DEMO_MODE and get_institution(current_institution_id()).is_demo
    gates = [Gate("demonstration", _passed(fictional))]
    if trained_here(version):
        return [*gates, *_measured_in_training(version)]
    if "auc" in version.metrics:
        gates.append(_auc("auc", version.metrics))
    return gates


_OF_KIND: Mapping[TrainingData, "Callable[[ModelVersion, Scorer], list[Gate]]"] = {
    TrainingData.EXPERT: _expert,
    TrainingData.INSTITUTION: _trained,
    TrainingData.POOLED: _trained,
    TrainingData.SYNTHETIC: _synthetic,
}
