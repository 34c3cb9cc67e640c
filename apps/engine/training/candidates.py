"""The kinds of models a run may compare, and how each is fitted.

``KINDS`` lists them. Only three can be put in production: their probability is a sum of one exact
contribution a variable, which a folder of plain numbers holds and which every explanation rests on. The
others could be kept as Python objects only, which run code when they are opened; they are there to say what
the choice of a model one can read costs, if anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: Why a kind is compared only.
NO_EXACT_CONTRIBUTIONS = "no_exact_contributions"


@dataclass(frozen=True, slots=True)
class CandidateKind:
    """A kind of model: ``deployable`` ones are written as a folder; ``why`` is the code of why not.

    ``simplicity`` ranks kinds, 0 the simplest to read and keep: it decides between equals.
    ``library`` is what it is fitted with.
    """

    code: str
    deployable: bool
    simplicity: int
    library: str
    why: str = ""


_ALL = (
    CandidateKind("dummy", False, 0, "scikit-learn", NO_EXACT_CONTRIBUTIONS),
    CandidateKind("scorecard", True, 1, "numpy"),
    CandidateKind("logistic", False, 2, "scikit-learn", NO_EXACT_CONTRIBUTIONS),
    CandidateKind("xgboost", True, 3, "xgboost"),
    CandidateKind("default", True, 4, "xgboost"),
    CandidateKind("gradient_boosting", False, 5, "scikit-learn", NO_EXACT_CONTRIBUTIONS),
    CandidateKind("random_forest", False, 6, "scikit-learn", NO_EXACT_CONTRIBUTIONS),
    CandidateKind("knn", False, 7, "scikit-learn", NO_EXACT_CONTRIBUTIONS),
)
KINDS: Mapping[str, CandidateKind] = MappingProxyType({kind.code: kind for kind in _ALL})
