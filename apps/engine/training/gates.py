"""What a model must show before anybody may use it: the gates that scores and outcomes decide (MODELS.md).

Each gate has a figure, its limits and a verdict; leaks are looked for in ``leaks``, groups in ``fairness``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from apps.engine.contracts import PolicyFigures
from apps.engine.discrimination import WIDE, auc_standard_error
from apps.engine.encoding import Floats
from apps.engine.monitoring import Shift, category_counts, counts_of, edges_of, shift
from apps.engine.scorecard import GRADES
from apps.engine.training.dataset import Outcomes, TrainingSet
from apps.engine.training.evaluate import Nested, ece
from apps.engine.training.metrics import Figure

Verdict = Literal["passed", "failed", "explain", "shown"]

AUC_LOW, AUC_EXPLAIN, AUC_MOST = 0.55, 0.90, 0.97
RATIO = (0.90, 1.10)
SLOPE = (0.80, 1.25)
ECE_LEAST = 0.015
_ECE_DRAWS = 400
_ECE_QUANTILE = 0.95
_ECE_CELLS = 4_000_000
_BINS = 10
#: Defaults of a type of credit from which its own level is said.
DEFAULTS_BY_TYPE = 30
PSI_MOST = 0.25
_SAME = 1.645
_STEPS = 50
_FAR = 30.0


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: ``figure`` is what was compared with ``low`` and ``high``; ``about`` names what it concerns.

    ``unit`` is auc, ratio, rate, psi, count, errors (standard errors) or nothing.
    """

    verdict: Verdict
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    about: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "figure": self.figure,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "about": list(self.about),
        }


def passed(holds: bool) -> Verdict:
    return "passed" if holds else "failed"


def auc_gate(figure: Figure) -> Gate:
    """Ask for a lower bound above 0.55; above 0.90 somebody explains, above 0.97 it is a leak."""
    assert figure.value is not None
    assert figure.low is not None
    if figure.value > AUC_MOST:
        return Gate("failed", figure.value, AUC_LOW, AUC_MOST, "auc")
    if figure.low <= AUC_LOW:
        return Gate("failed", figure.low, AUC_LOW, AUC_MOST, "auc")
    if figure.value > AUC_EXPLAIN:
        return Gate("explain", figure.value, AUC_LOW, AUC_EXPLAIN, "auc")
    return Gate("passed", figure.low, AUC_LOW, AUC_MOST, "auc")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Three figures of calibration with their intervals at 95 %, and the gates they decide."""

    ratio: Figure
    slope: Figure
    gates: dict[str, Gate]

    @property
    def holds(self) -> bool:
        return all(gate.verdict == "passed" for gate in self.gates.values())


def calibration_gates(pd: Floats, y: Outcomes, seed: int = 42) -> Calibration:
    """Judge the level (observed over predicted), the spread (slope) and the mean gap (ECE).

    Each lets 95 % of perfectly calibrated models through at least, the three together about 91 %.
    """
    ratio, slope = observed_over_predicted(pd, y), calibration_slope(pd, y)
    gap, most = ece(pd, y), max(ECE_LEAST, ece_by_chance(pd, seed))
    gates = {
        "calibration": Gate(passed(_level_holds(ratio)), ratio.value, *RATIO, "ratio", _interval(ratio)),
        "calibration_slope": Gate(
            passed(_meets(slope, SLOPE)), slope.value, *SLOPE, "ratio", _interval(slope)
        ),
        "ece": Gate(passed(gap <= most), gap, None, most, "rate"),
    }
    return Calibration(ratio, slope, gates)


def _interval(figure: Figure) -> tuple[str, ...]:
    return () if figure.low is None else (f"{figure.low:.4f}", f"{figure.high:.4f}")


def _meets(figure: Figure, limits: tuple[float, float]) -> bool:
    if figure.low is None or figure.high is None:
        return False
    return figure.low <= limits[1] and figure.high >= limits[0]


def _level_holds(ratio: Figure) -> bool:
    return _meets(ratio, (1.0, 1.0)) or (ratio.value is not None and RATIO[0] <= ratio.value <= RATIO[1])


def observed_over_predicted(pd: Floats, y: Outcomes) -> Figure:
    """Observed defaults over the sum of probabilities; the spread is that of the probabilities themselves.

    Defaults of a calibrated model are a Poisson-binomial: their variance is ``sum p (1 - p)``.
    """
    expected = float(pd.sum())
    if expected <= 0:
        return Figure(None)
    value = float(y.sum()) / expected
    half = WIDE * float(np.sqrt((pd * (1 - pd)).sum())) / expected
    return Figure(value, value - half, value + half)


def calibration_slope(pd: Floats, y: Outcomes) -> Figure:
    """Weight of ``logit(pd)`` in a logistic regression of the outcome on it (Cox 1958): 1 when calibrated.

    Below 1 the probabilities are too far apart, above 1 too close. None when they are all alike.
    """
    log_odds = np.clip(np.log(np.clip(pd, 1e-12, 1)) - np.log1p(-np.clip(pd, 0, 1 - 1e-12)), -_FAR, _FAR)
    spread = float(log_odds.std())
    if spread < 1e-3:  # noqa: PLR2004  all alike, but for the folds' own rates
        return Figure(None)
    design = np.column_stack([np.ones(len(y)), (log_odds - log_odds.mean()) / spread])
    rate = float(y.mean())
    weights = np.array([np.log(rate / (1 - rate)), 0.0])  # from nothing, Newton's steps do not overshoot
    curvature = np.eye(2)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -_FAR, _FAR)))
        curvature = (design * np.maximum(chance * (1 - chance), 1e-12)[:, None]).T @ design
        step = np.linalg.solve(curvature, design.T @ (y - chance))
        weights += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:  # noqa: PLR2004  settled
            break
    value = float(weights[1]) / spread
    half = WIDE * float(np.sqrt(np.linalg.inv(curvature)[1, 1])) / spread
    return Figure(value, value - half, value + half)


def ece_by_chance(pd: Floats, seed: int) -> float:
    """Give the 95th percentile of the ECE that a perfect model with these probabilities shows."""
    draws = np.random.default_rng(seed)
    rising = np.sort(pd)
    rows = len(rising)
    groups = [group for group in np.array_split(np.arange(rows), _BINS) if len(group)]
    starts = np.array([group[0] for group in groups])
    expected = np.add.reduceat(rising, starts)
    found: list[float] = []
    at_once = max(_ECE_CELLS // rows, 1)
    while len(found) < _ECE_DRAWS:
        drawn = draws.random((min(at_once, _ECE_DRAWS - len(found)), rows)) < rising
        observed = np.add.reduceat(drawn, starts, axis=1, dtype=np.float64)
        found += (np.abs(observed - expected).sum(axis=1) / rows).tolist()
    return float(np.quantile(found, _ECE_QUANTILE))


def calibration_by_type(pd: Floats, y: Outcomes, types: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """Level by type of credit; types under 30 defaults are counted and nothing more is said of them."""
    found = []
    for code in sorted({str(each) for each in types if each not in {None, ""}}):
        rows = types == code
        defaults = int(y[rows].sum())
        entry: dict[str, Any] = {
            "group": code,
            "rows": int(rows.sum()),
            "defaults": defaults,
            "said": defaults >= DEFAULTS_BY_TYPE,
        }
        if entry["said"]:
            ratio = observed_over_predicted(pd[rows], y[rows])
            entry |= {
                "observed": float(y[rows].mean()),
                "predicted": float(pd[rows].mean()),
                "ratio": ratio.as_dict(),
                "holds": _level_holds(ratio),
            }
        found.append(entry)
    return found


def grades_gate(pd: Floats, y: Outcomes, limits: Sequence[float] = PolicyFigures().grade_limits) -> Gate:
    """Observed default must rise from A to E; a fall that chance explains (one-sided 5 %) is to be explained.

    Grades without rows are passed over.
    """
    place = np.searchsorted(np.asarray(limits), pd, side="right")
    rates = [(grade, y[place == number]) for number, grade in enumerate(GRADES) if (place == number).any()]
    falls, sure = [], False
    for (lower, below), (higher, above) in pairwise(rates):
        drop = float(below.mean() - above.mean())
        if drop > 0:
            falls.append(f"{lower}>{higher}")
            pooled = float((below.sum() + above.sum()) / (len(below) + len(above)))
            error = np.sqrt(pooled * (1 - pooled) * (1 / len(below) + 1 / len(above)))
            sure = sure or drop > _SAME * error
    verdict: Verdict = "failed" if sure else "explain" if falls else "passed"
    return Gate(verdict, float(len(falls)), None, 0.0, "count", tuple(falls))


def grade_table(
    pd: Floats, y: Outcomes, limits: Sequence[float] = PolicyFigures().grade_limits
) -> list[dict[str, Any]]:
    """Rows, defaults, observed and predicted default by grade."""
    place = np.searchsorted(np.asarray(limits), pd, side="right")
    found = []
    for number, grade in enumerate(GRADES):
        rows = place == number
        held = int(rows.sum())
        found.append(
            {
                "grade": grade,
                "rows": held,
                "defaults": int(y[rows].sum()),
                "observed": float(y[rows].mean()) if held else None,
                "predicted": float(pd[rows].mean()) if held else None,
            }
        )
    return found


def stability_gate(learnt: TrainingSet, recent: TrainingSet, scores: Floats, recent_scores: Floats) -> Gate:
    """Compare the score and each variable of the training set with recent applications by their PSI.

    Fails on the score, which is what the model makes of all of them; a variable that moved is explained.
    The limit is 0.25, or what chance alone gives to so few applications.
    """
    moved = []
    for place, variable in enumerate(learnt.variables):
        codes = len(variable.codes) if variable.type == "category" else 0
        found = moved_by(learnt.x[:, place], recent.x[:, place], codes)
        if found is not None and found.passed:
            moved.append((found.psi, variable.name))
    score = moved_by(scores, recent_scores)
    assert score is not None  # both sides hold rows
    verdict: Verdict = "failed" if score.passed else "explain" if moved else "passed"
    about = tuple(name for _, name in sorted(moved, reverse=True))
    return Gate(verdict, score.psi, None, score.limit, "psi", about)


def moved_by(then: Floats, now: Floats, codes: int = 0) -> Shift | None:
    """Compare two samples of a score or a variable, by its ``codes`` or by bins about equal in ``then``.

    ``None`` when a side is empty.
    """
    if codes:
        return shift(category_counts(then, codes), category_counts(now, codes), floor=PSI_MOST)
    edges = edges_of(then)
    return shift(counts_of(then, edges), counts_of(now, edges), floor=PSI_MOST)


def permutation_gate(nested: Nested) -> Gate:
    """Scores learnt from shuffled outcomes must not tell them apart: AUC within three errors of 0.50.

    The error is DeLong's or, when all scores are alike, that of chance (Mann and Whitney 1947).
    """
    y = nested.y
    bad = int(y.sum())
    good = len(y) - bad
    chance = np.sqrt((len(y) + 1) / (12 * bad * good)).item()
    half = 3 * max(auc_standard_error(nested.pd, y), chance)
    figure = nested.auc()
    return Gate(passed(abs(figure - 0.5) <= half), figure, 0.5 - half, 0.5 + half, "auc", (str(len(y)),))
