"""What a training run is asked: candidates, split, search, sampling; its data; what decisions are worth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.training.dataset import TrainingSet

Split = Literal["nested", "out_of_time"]
Search = Literal["none", "grid", "random", "optuna"]
Sampling = Literal["none", "smote", "over", "under", "weights"]
#: ``tell(step, share)`` in the caller's own thread, once a second or more often; what it raises ends the run.
Tell = Callable[[str, float], None]

#: The threshold where no policy is given (that of the demonstration's policy).
USUAL_THRESHOLD = 0.15
_FEWEST_FOLDS, _MOST_FOLDS = 2, 10


class RunRefused(ValueError):
    """A run that cannot be made; ``code`` says why: see ``RunSettings`` and ``runs.run``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What may be chosen of a run; the same settings, data and seed give the same figures.

    ``split`` is ``nested`` (stratified folds, the whole candidate fitted again in each) or ``out_of_time``
    (learnt on the earlier days, tested on the last six months or the last quarter of the rows).
    ``search`` looks for better parameters inside each training part, for ``search_seconds`` in all a
    candidate at most (a search that time cut short says so and need not come out the same twice).
    ``sampling`` changes training parts only, never rows that are scored. ``threads`` work on folds at once.
    Raises RunRefused (``unknown_candidate``, ``no_candidate``, ``unknown_setting``) for anything else.
    """

    candidates: tuple[str, ...]
    split: Split = "nested"
    folds: int = 5
    seed: int = 42
    search: Search = "none"
    search_seconds: int = 120
    sampling: Sampling = "none"
    threads: int = 2

    def __post_init__(self) -> None:
        if not self.candidates or len(set(self.candidates)) != len(self.candidates):
            raise RunRefused("no_candidate", "a run needs candidates, each once")
        known = (
            (self.split, get_args(Split)),
            (self.search, get_args(Search)),
            (self.sampling, get_args(Sampling)),
        )
        if any(value not in values for value, values in known):
            raise RunRefused("unknown_setting", "the split, the search or the sampling is not known")
        if not _FEWEST_FOLDS <= self.folds <= _MOST_FOLDS or self.threads < 1 or self.search_seconds < 0:
            raise RunRefused("unknown_setting", "folds, threads or seconds are out of range")

    def as_dict(self) -> dict[str, Any]:
        """Give plain JSON."""
        return {
            "candidates": list(self.candidates),
            "split": self.split,
            "folds": self.folds,
            "seed": self.seed,
            "search": self.search,
            "search_seconds": self.search_seconds,
            "sampling": self.sampling,
            "threads": self.threads,
        }


@dataclass(frozen=True, slots=True)
class RunData:
    """The rows of a run and what is known of them beside the inputs; every array has one entry a row.

    ``days`` is the day of each application (datetime64[D]), needed by ``out_of_time``.
    ``groups`` are never inputs: ``type_credit`` splits the calibration, every other name (``sexe``,
    ``age_band``, ``agency``…) is a dimension of fairness; an empty text or None is « not known ».
    ``amounts`` are in XAF. ``origins`` names who or what each row comes from (the client): rows with one
    origin never stand on both sides of a nested split.
    """

    training: TrainingSet
    days: npt.NDArray[np.datetime64] | None = None
    groups: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    amounts: Floats | None = None
    origins: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        beside = (self.days, self.amounts, self.origins, *self.groups.values())
        if any(len(column) != self.training.rows for column in beside if column is not None):
            raise ValueError("what stands beside the inputs needs one entry a row")


@dataclass(frozen=True, slots=True)
class Economics:
    """What decisions are worth under the policy (``apps.engine.policy``): fractions, and XAF by row.

    ``margin_xaf`` is what a repaid loan earns, ``loss_xaf`` (positive) what a defaulted one loses.
    """

    thresholds: Floats | float
    margin_xaf: Floats
    loss_xaf: Floats

    def threshold_of(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Give the threshold of each of these rows."""
        if isinstance(self.thresholds, (int, float)):
            return np.full(len(rows), float(self.thresholds))
        return self.thresholds[rows]
