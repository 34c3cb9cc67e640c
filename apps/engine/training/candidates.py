"""The kinds of models a run may compare, what is usual for each and what a search may change.

``KINDS`` lists them. Only three can be put in production: their probability is a sum of one exact
contribution a variable, which a folder of plain numbers holds and which every explanation rests on. The
others could be kept as Python objects only, which run code when they are opened; they are there to say what
the choice of a model one can read costs, if anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.engine.training.dataset import TrainingSet
    from apps.engine.training.estimators import Fitting, Predictor

#: Why a kind is compared only.
NO_EXACT_CONTRIBUTIONS = "no_exact_contributions"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of numbers that a search may go through, by equal ratios."""

    low: float
    high: float


#: A listed choice or a range; searches by grid try three points of a range.
Choice = tuple[Any, ...] | Span


@dataclass(frozen=True, slots=True)
class CandidateKind:
    """A kind of model: ``deployable`` ones are written as a folder; ``why`` is the code of why not.

    ``simplicity`` ranks kinds, 0 the simplest to read and keep: it decides between equals. ``library`` is
    what it is fitted with, ``params`` what it is usually fitted with and ``space`` what a search may change.
    """

    code: str
    deployable: bool
    simplicity: int
    library: str
    params: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Choice] = field(default_factory=dict)

    @property
    def why(self) -> str:
        return "" if self.deployable else NO_EXACT_CONTRIBUTIONS

    def fit(self, data: "TrainingSet", params: Mapping[str, Any], how: "Fitting") -> "Predictor":
        """Fit a candidate of this kind with these parameters."""
        from apps.engine.training.estimators import FITS  # slow libraries stay out of who only lists kinds

        return FITS[self.code](data, params, how)


_ALL = (
    CandidateKind("dummy", False, 0, "scikit-learn"),
    CandidateKind("scorecard", True, 1, "numpy"),
    CandidateKind("logistic", False, 2, "scikit-learn", {"C": 1.0}, {"C": (0.01, 0.03, 0.1, 0.3, 1.0, 10.0)}),
    CandidateKind(
        "xgboost",
        True,
        3,
        "xgboost",
        {"n_estimators": 100},  # the rest is the library's own
        {
            "learning_rate": Span(0.03, 0.3),
            "max_depth": (2, 4),
            "n_estimators": (100, 300),
            "min_child_weight": (1, 10),
        },
    ),
    CandidateKind(
        "default",
        True,
        4,
        "xgboost",
        {},
        {"max_depth": (3, 4, 5), "min_child_weight": (5, 10, 20), "reg_lambda": (1, 5)},
    ),
    CandidateKind(
        "gradient_boosting",
        False,
        5,
        "scikit-learn",
        {},
        {
            "learning_rate": Span(0.03, 0.2),
            "max_leaf_nodes": (7, 31),
            "min_samples_leaf": (20, 60),
            "l2_regularization": (0.0, 5.0),
        },
    ),
    CandidateKind(
        "random_forest",
        False,
        6,
        "scikit-learn",
        {"n_estimators": 200, "min_samples_leaf": 3},
        {"min_samples_leaf": (1, 3, 10, 30), "max_features": ("sqrt", 0.3, 0.6)},
    ),
    CandidateKind(
        "knn",
        False,
        7,
        "scikit-learn",
        {"n_neighbors": 50},
        {"n_neighbors": (15, 30, 50, 100, 200), "weights": ("uniform", "distance")},
    ),
)
KINDS: Mapping[str, CandidateKind] = MappingProxyType({kind.code: kind for kind in _ALL})
