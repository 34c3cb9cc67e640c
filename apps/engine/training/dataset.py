"""What a model is trained on: a matrix of encoded variables and the outcomes."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Column, Floats, encode
from apps.engine.variables import Variable

Outcomes = npt.NDArray[np.int8]
#: Gives another set to learn from: more rows of an outcome, fewer, or made-up ones.
Resample = Callable[["TrainingSet"], "TrainingSet"]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """``x`` float64 (rows, variables) as ``encode`` gives it, ``y`` int8 (rows) with 1 for a default."""

    variables: tuple[Variable, ...]
    x: Floats
    y: Outcomes

    @property
    def rows(self) -> int:
        return len(self.y)

    def take(self, rows: npt.NDArray[np.intp]) -> "TrainingSet":
        return TrainingSet(self.variables, self.x[rows], self.y[rows])

    def sha256(self) -> str:
        """Hash of variables, inputs and outcomes: the same data always give the same hash."""
        digest = hashlib.sha256()
        digest.update(json.dumps([variable.as_dict() for variable in self.variables]).encode())
        digest.update(np.ascontiguousarray(self.x, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(self.y, dtype="i1").tobytes())
        return digest.hexdigest()


def training_set(
    variables: Sequence[Variable],
    columns: Mapping[str, Column],
    outcomes: Sequence[int] | npt.NDArray[np.int8],
) -> TrainingSet:
    """Encode ``columns`` of canonical values; raises ValueError unless outcomes are 0 and 1, both present."""
    y = np.asarray(outcomes)
    if set(np.unique(y).tolist()) != {0, 1}:
        raise ValueError("outcomes must be 0 and 1, and both must be present")
    return TrainingSet(tuple(variables), encode(variables, columns, len(y)), y.astype(np.int8))
