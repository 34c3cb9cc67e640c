"""The parts of a default model that scoring needs, in plain numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.engine.explain import TreeTables
from apps.engine.scorecards import Scorecard
from apps.engine.variables import Variable


@dataclass(frozen=True, slots=True)
class Range:
    """What training saw of one variable: limits of a number, or the indices of a category's codes."""

    minimum: float = float("-inf")
    maximum: float = float("inf")
    codes: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class DefaultParts:
    """A default model as read from its folder.

    ``log-odds = stack_intercept + trees_weight * trees + card_weight * mean(scorecards)``.
    """

    variables: tuple[Variable, ...]
    trees: TreeTables
    scorecards: Sequence[Scorecard]
    stack_intercept: float
    trees_weight: float
    card_weight: float
    ranges: Mapping[str, Range]
    amount_p99: float | None = None


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model folder that was read and checked: its hash, its manifest and the model itself."""

    folder: Path
    sha256: str
    manifest: Mapping[str, Any]
    parts: DefaultParts

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def kind(self) -> str:
        """Give what the model was trained on: institution, pooled, expert or synthetic."""
        return str(self.manifest["training_data"])
