"""One training run: every candidate fitted and judged on rows it had not seen, gates measured, one advised.

``run`` is all a caller needs; ``RunResult.as_dict()`` is plain JSON and ``RunResult.fitted`` what
``apps.engine.training.writing.write_model`` writes as a folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.engine.contracts import Value
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.pipeline import DefaultModel
from apps.engine.training.settings import Economics, RunData, RunRefused, RunSettings, Tell

__all__ = ["Economics", "RunData", "RunRefused", "RunResult", "RunSettings", "run"]

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


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found; ``fitted`` holds the deployable candidates, fitted on all rows.

    ``candidates``: one entry a kind, in the order asked: ``kind``, ``deployable``, ``why``, ``params``,
    ``seconds``, ``search``, ``figures`` (name -> value, low, high at 95 %; XAF for ``profit_xaf``),
    ``threshold``, ``confusion`` (tp, fp, tn, fn), ``curves`` (roc, pr, calibration, gains, distribution,
    thresholds), ``by_type``, ``sampling_effect``, ``importance``, and for deployable ones ``gates`` and
    ``dependence``.
    ``recommended``: ``kind``, ``reason`` (only, best, as_good_and_simpler, best_calibrated, none_calibrated),
    ``auc``, ``best`` (the kind of the highest AUC), ``deployable_kind`` (the one to put in production, the
    same or the best of those that can be; None when no candidate can) and ``against`` (kind -> AUC).
    ``gates``, ``importance`` and ``dependence`` are those of ``deployable_kind``.
    """

    settings: RunSettings
    versions: Mapping[str, str]
    seconds: float
    data: Mapping[str, Any]
    candidates: tuple[Mapping[str, Any], ...]
    recommended: Mapping[str, Any]
    gates: Mapping[str, Mapping[str, Any]]
    importance: tuple[Mapping[str, Any], ...]
    dependence: Mapping[str, Any]
    fairness: Mapping[str, Any]
    profiles: tuple[Mapping[str, Any], ...]
    fitted: Mapping[str, DefaultModel]

    def as_dict(self) -> dict[str, Any]:
        """Give plain JSON: no NumPy, no NaN; everything but ``fitted``."""
        return {
            "settings": self.settings.as_dict(),
            "versions": dict(self.versions),
            "seconds": self.seconds,
            "data": dict(self.data),
            "candidates": [dict(each) for each in self.candidates],
            "recommended": dict(self.recommended),
            "gates": {code: dict(gate) for code, gate in self.gates.items()},
            "importance": [dict(each) for each in self.importance],
            "dependence": dict(self.dependence),
            "fairness": dict(self.fairness),
            "profiles": [dict(each) for each in self.profiles],
        }


def run(  # noqa: PLR0913  what a run needs, each by its name
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
    ``stability`` is not measured. ``tell`` hears ``checks``, ``candidate:<kind>``, ``final:<kind>``, ``gates``
    and ``done`` with the share done, at least every three seconds, in the caller's thread; whatever it raises
    ends the run and comes out of it. Raises RunRefused: ``too_few_rows`` (an outcome has fewer rows than
    folds), ``no_days`` and ``one_period`` (no out-of-time split can be made), ``unknown_candidate``.
    """
    raise NotImplementedError
