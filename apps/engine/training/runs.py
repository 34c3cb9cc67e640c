"""One training run: every candidate fitted and judged on rows it had not seen, gates measured, one advised.

``run`` is all a caller needs; ``RunResult.as_dict()`` is plain JSON and ``RunResult.fitted`` what
``apps.engine.training.writing.write_model`` writes as a folder.
"""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from apps.engine.contracts import Value
from apps.engine.encoding import Floats, encode
from apps.engine.training.candidates import KINDS
from apps.engine.training.curves import curves
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.evaluate import Nested, ece
from apps.engine.training.fairness import fairness_gate, fairness_table
from apps.engine.training.gates import (
    Calibration,
    Gate,
    auc_gate,
    calibration_by_type,
    calibration_gates,
    grade_table,
    grades_gate,
    observed_over_predicted,
    permutation_gate,
    stability_gate,
)
from apps.engine.training.importance import by_contributions, dependence, sample
from apps.engine.training.judging import Judged, judge
from apps.engine.training.leaks import duplicates_gate, missingness_gate, single_variable_gate
from apps.engine.training.metrics import Confusion, Money, measure
from apps.engine.training.pipeline import DefaultModel, Fold
from apps.engine.training.recommending import Entrant, recommend
from apps.engine.training.settings import (
    USUAL_THRESHOLD,
    Economics,
    RunData,
    RunRefused,
    RunSettings,
    Tell,
)
from apps.engine.training.splitting import known_origins, outer_folds
from apps.engine.training.working import Tick, work

__all__ = ["GATES", "Economics", "RunData", "RunRefused", "RunResult", "RunSettings", "run"]

#: The gates a run measures, in the order in which they are told.
GATES = (
    "auc",
    "calibration",
    "calibration_slope",
    "ece",
    "single_variable",
    "missingness",
    "permutation",
    "duplicates",
    "stability",
    "grades",
    "fairness",
)
#: How long a kind takes beside the others, for the share done.
_COSTS = {"default": 20, "random_forest": 8, "knn": 4, "gradient_boosting": 3, "xgboost": 2}
_LIBRARIES = ("numpy", "scikit-learn", "xgboost-cpu", "xgboost", "imbalanced-learn", "optuna")
_DIGITS = 6
#: Rows of the training set whose variables are compared with recent applications.
_COMPARED_ROWS = 20_000
_BASE_FIGURES = ("auc", "gini", "ks", "brier", "log_loss", "ece")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found; ``fitted`` holds the deployable candidates, fitted on all rows.

    ``candidates``: one entry a kind, in the order asked: ``kind``, ``deployable``, ``why``, ``params``,
    ``seconds``, ``search``, ``figures`` (name -> value, low, high at 95 %; XAF for ``profit_xaf``),
    ``rows``, ``defaults``, ``observed_rate``, ``predicted_rate``, ``threshold``, ``confusion`` (tp, fp, tn,
    fn), ``curves`` (roc, pr, calibration, gains, distribution, thresholds), ``by_type``, ``grades``,
    ``sampling_effect``, ``fairness``, ``gates``, ``importance`` (with its ``importance_by``: contributions or
    permutation) and ``dependence`` (deployable ones only).
    ``recommended``: ``kind``, ``reason`` (only, best, as_good_and_simpler, best_calibrated, none_calibrated),
    ``auc``, ``best`` (the kind of the highest AUC), ``deployable_kind`` (the one to put in production, the
    same or the best of those that can be; None when no candidate can), ``against`` (kind -> AUC) and
    ``calibrated`` (kind -> whether its calibration holds).
    ``gates``, ``importance``, ``dependence`` and ``fairness`` are those of ``deployable_kind``, or of
    ``kind`` when there is none.
    """

    settings: RunSettings
    versions: Mapping[str, str]
    seconds: float
    data: Mapping[str, Any]
    candidates: tuple[Mapping[str, Any], ...]
    recommended: Mapping[str, Any]
    profiles: tuple[Mapping[str, Any], ...]
    fitted: Mapping[str, DefaultModel]

    def of(self, kind: str) -> Mapping[str, Any]:
        """Give the entry of one candidate; KeyError when it did not run."""
        found = {entry["kind"]: entry for entry in self.candidates}
        return found[kind]

    @property
    def advised(self) -> Mapping[str, Any]:
        """The entry whose gates are those of the run."""
        return self.of(self.recommended["deployable_kind"] or self.recommended["kind"])

    @property
    def gates(self) -> Mapping[str, Mapping[str, Any]]:
        gates: Mapping[str, Mapping[str, Any]] = self.advised["gates"]
        return gates

    def metrics_of(self, kind: str) -> dict[str, Any]:
        """Give the figures a model's manifest and card hold, flat: what ``write_model`` takes as metrics."""
        entry = self.of(kind)
        figures = entry["figures"]
        area = figures["auc"]
        return {
            **{name: figures[name]["value"] for name in _BASE_FIGURES},
            "auc_low": area["low"],
            "auc_high": area["high"],
            **{name: entry[name] for name in ("rows", "defaults", "observed_rate", "predicted_rate")},
            "split": self.settings.split,
        }

    def as_dict(self) -> dict[str, Any]:
        """Give plain JSON: no NumPy, no NaN; everything but ``fitted``."""
        advised = self.advised
        found: dict[str, Any] = plain(
            {
                "settings": self.settings.as_dict(),
                "versions": self.versions,
                "seconds": self.seconds,
                "data": self.data,
                "candidates": self.candidates,
                "recommended": self.recommended,
                "gates": advised["gates"],
                "importance": advised["importance"],
                "dependence": advised["dependence"],
                "fairness": advised["fairness"],
                "profiles": self.profiles,
            }
        )
        return found


def run(
    data: RunData,
    settings: RunSettings,
    *,
    economics: Economics | None = None,
    profiles: Mapping[str, Mapping[str, Value]] | None = None,
    recent: TrainingSet | None = None,
    tell: Tell = lambda _step, _share: None,
) -> RunResult:
    """Fit and judge every candidate of ``settings`` on ``data``.

    ``profiles`` are made-up borrowers by code, scored by the deployable candidates. ``recent`` holds the
    applications of the last three months (same variables; their outcomes are not read): without it the gate
    ``stability`` is only ``shown``. ``tell`` hears ``checks``, ``candidate:<kind>``, ``gates`` and ``done``
    with the share done, each second, in the caller's thread; whatever it raises ends the run and comes out of
    it. Raises RunRefused: ``too_few_rows`` (an outcome has fewer rows than folds), ``no_days`` and
    ``one_period`` (no out-of-time split can be made), ``unknown_candidate``.
    """
    started = time.monotonic()
    unknown = [code for code in settings.candidates if code not in KINDS]
    if unknown:
        raise RunRefused("unknown_candidate", f"no such candidate: {unknown[0]}")
    training = data.training
    checks = work([partial(_checks, data, settings)], 1, lambda _done: tell("checks", 0.0))
    folds, shared = checks[0]
    judged = _judge_all(training, folds, settings, tell)
    report = _Report(data, settings, economics, recent, shared)
    entries = work(
        [partial(report.entry, each) for each in judged],
        settings.threads,
        lambda done: tell("gates", round(0.97 + 0.02 * done / len(judged), 4)),
    )
    tell("done", 1.0)
    return RunResult(
        settings=settings,
        versions=versions(),
        seconds=round(time.monotonic() - started, 1),
        data=_described(data, folds),
        candidates=tuple(entry for entry, _ in entries),
        recommended=recommend([entrant for _, entrant in entries]),
        profiles=_profiles(judged, training, profiles or {}),
        fitted={each.kind.code: each.fitted for each in judged if each.fitted is not None},
    )


def _checks(data: RunData, settings: RunSettings, _tick: Tick) -> tuple[list[Fold], dict[str, Gate]]:
    """Split the rows and look for leaks that no model is needed to see."""
    folds = outer_folds(data, settings)
    return folds, {
        "single_variable": single_variable_gate(data.training, settings.seed),
        "missingness": missingness_gate(data.training),
        "duplicates": duplicates_gate(data.training, folds, known_origins(data)),
    }


def versions() -> dict[str, str]:
    """Give the versions of Python and of the libraries that fit, those installed."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """Give ``value`` as JSON has it: no NumPy, numbers to six decimals, None for what is no number."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return round(value, _DIGITS) if np.isfinite(value) else None
    return value


def _judge_all(
    training: TrainingSet, folds: Sequence[Fold], settings: RunSettings, tell: Tell
) -> list[Judged]:
    costs = [_COSTS.get(code, 1) for code in settings.candidates]
    found = []
    for number, code in enumerate(settings.candidates):
        before = sum(costs[:number])

        def told(share: float, code: str = code, before: int = before, cost: int = costs[number]) -> None:
            tell(f"candidate:{code}", round(0.02 + 0.95 * (before + share * cost) / sum(costs), 4))

        found.append(judge(KINDS[code], training, folds, settings, told))
    return found


def _described(data: RunData, folds: Sequence[Fold]) -> dict[str, Any]:
    training = data.training
    days = data.days
    return {
        "rows": training.rows,
        "defaults": int(training.y.sum()),
        "sha256": training.sha256(),
        "variables": [variable.name for variable in training.variables],
        "folds": len(folds),
        "scored": int(sum(len(held) for _, held in folds)),
        "first_day": None if days is None else str(days.min().astype("datetime64[D]")),
        "last_day": None if days is None else str(days.max().astype("datetime64[D]")),
        "tested_from": None
        if days is None or len(folds) > 1
        else str(days[folds[0][1]].min().astype("datetime64[D]")),
    }


def _profiles(
    judged: Sequence[Judged], training: TrainingSet, profiles: Mapping[str, Mapping[str, Value]]
) -> tuple[Mapping[str, Any], ...]:
    """Score made-up borrowers by each deployable candidate."""
    if not profiles:
        return ()
    names = [variable.name for variable in training.variables]
    columns = {name: [values.get(name) for values in profiles.values()] for name in names}
    x = encode(training.variables, columns, len(profiles))
    scores = {each.kind.code: each.fitted.predict(x) for each in judged if each.fitted is not None}
    return tuple(
        {"code": code, "pd": {kind: float(pd[place]) for kind, pd in scores.items()}}
        for place, code in enumerate(profiles)
    )


class _Report:
    """Turns what was judged into the entries of the result."""

    def __init__(
        self,
        data: RunData,
        settings: RunSettings,
        economics: Economics | None,
        recent: TrainingSet | None,
        shared: Mapping[str, Gate],
    ) -> None:
        self.data, self.settings, self.economics = data, settings, economics
        self.recent, self.shared = recent, shared

    def entry(self, judged: Judged, _tick: Tick) -> tuple[Mapping[str, Any], Entrant]:
        """Give the entry of one candidate and what it is compared by."""
        nested, rows, seed = judged.nested, judged.rows, self.settings.seed
        thresholds, money = self._policy(judged)
        calibration = calibration_gates(nested.pd, nested.y, seed)
        figures = measure(nested, thresholds, money, seed)
        figures |= {
            "observed_over_predicted": calibration.ratio,
            "calibration_slope": calibration.slope,
        }
        groups = {name: column[rows] for name, column in self.data.groups.items()}
        fairness = fairness_table(nested.pd, nested.y, thresholds, groups)
        gates = self._gates(judged, auc_gate(figures["auc"]), calibration, fairness_gate(fairness))
        entry = {
            "kind": judged.kind.code,
            "deployable": judged.kind.deployable,
            "why": judged.kind.why,
            "params": dict(judged.found.params),
            "search": dict(judged.search),
            "seconds": round(judged.seconds, 1),
            "rows": len(nested.y),
            "defaults": int(nested.y.sum()),
            "observed_rate": float(nested.y.mean()),
            "predicted_rate": float(nested.pd.mean()),
            "figures": {name: figure.as_dict() for name, figure in figures.items()},
            "threshold": {"median": float(np.median(thresholds)), "one": bool(np.ptp(thresholds) == 0)},
            "confusion": Confusion.of(nested.pd >= thresholds, nested.y).as_dict(),
            "curves": curves(nested.pd, nested.y, money),
            "by_type": self._by_type(nested, groups),
            "grades": grade_table(nested.pd, nested.y),
            "fairness": fairness,
            "gates": {code: gates[code].as_dict() for code in GATES if code in gates},
            "sampling_effect": self._sampling_effect(judged),
            **self._looks(judged),
        }
        assert figures["auc"].value is not None
        found: Mapping[str, Any] = plain(entry)
        return found, Entrant(judged.kind.code, figures["auc"].value, calibration.holds)

    def _policy(self, judged: Judged) -> tuple[Floats, Money | None]:
        rows = judged.rows
        if self.economics is None:
            return np.full(len(rows), USUAL_THRESHOLD), None
        economics = self.economics
        return economics.threshold_of(rows), Money(economics.margin_xaf[rows], economics.loss_xaf[rows])

    def _gates(self, judged: Judged, area: Gate, calibration: Calibration, fairness: Gate) -> dict[str, Gate]:
        nested = judged.nested
        gates = {"auc": area, **calibration.gates, **self.shared, "fairness": fairness}
        gates["grades"] = grades_gate(nested.pd, nested.y)
        if judged.kind.deployable:
            gates["permutation"] = (
                permutation_gate(judged.shuffled) if judged.shuffled is not None else Gate("shown")
            )
            gates["stability"] = self._stability(judged)
        return gates

    def _stability(self, judged: Judged) -> Gate:
        if self.recent is None or not self.recent.rows or judged.fitted is None:
            return Gate("shown", unit="psi")
        training = sample(self.data.training, self.settings.seed, _COMPARED_ROWS)
        predict = judged.fitted.predict
        # A model spreads apart what it learnt from: where all rows were held out once, those scores serve.
        whole = len(judged.rows) == self.data.training.rows
        scores = judged.nested.pd if whole else predict(training.x)
        return stability_gate(training, self.recent, scores, predict(self.recent.x))

    def _by_type(self, nested: Nested, groups: Mapping[str, Any]) -> list[dict[str, Any]]:
        types = groups.get("type_credit")
        return [] if types is None else calibration_by_type(nested.pd, nested.y, types)

    def _sampling_effect(self, judged: Judged) -> dict[str, Any] | None:
        """Say what sampling did to the order and to the calibration; None when nothing was sampled."""
        if judged.unsampled is None:
            return None
        return {
            "method": self.settings.sampling,
            "without": _effect(judged.unsampled),
            "with": _effect(judged.nested),
        }

    def _looks(self, judged: Judged) -> dict[str, Any]:
        if judged.fitted is None:
            return {
                "importance": list(judged.importance),
                "importance_by": "permutation",
                "dependence": {},
            }
        rows = sample(self.data.training, self.settings.seed)
        contributions = judged.fitted.contributions(rows.x)
        return {
            "importance": by_contributions(rows, contributions),
            "importance_by": "contributions",
            "dependence": dependence(rows, contributions),
        }


def _effect(nested: Nested) -> dict[str, float | None]:
    return {
        "auc": nested.auc(),
        "ece": ece(nested.pd, nested.y),
        "observed_over_predicted": observed_over_predicted(nested.pd, nested.y).value,
    }
