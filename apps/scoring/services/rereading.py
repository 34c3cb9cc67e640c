"""Applications as a model reads them today: encoded values and probabilities; nothing is stored."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.credits.features import application_values
from apps.credits.models import CreditApplication
from apps.engine.contracts import Value
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from apps.engine.encoding import Floats
    from apps.engine.model import Range
    from apps.engine.variables import Variable


def reread(version: ModelVersion, applications: Sequence[CreditApplication]) -> "tuple[Floats, Floats]":
    """Return ``(x, pd)``: the values that a version uses, float64 (rows, variables), and its probabilities.

    The values are those known on the day of each application. Raises ``NoApprovedModel`` when the version
    does not load.
    """
    from apps.engine.encoding import encode

    scorer = load_scorer(version)
    columns: dict[str, list[Value]] = {name: [] for name in scorer.variables}
    for application in applications:
        values, _warnings = application_values(application)
        for name, column in columns.items():
            column.append(values.get(name))
    rows = len(applications)
    x = encode(scorer.parts.variables, columns, rows)
    return x, scorer.score_columns(columns, rows).pd


def variables_read(version: ModelVersion) -> "list[tuple[Variable, Range]]":
    """Return the variables of a version in the order of ``reread``, with what training saw of each.

    Raises ``NoApprovedModel`` when the version does not load.
    """
    parts = load_scorer(version).parts
    return [(variable, parts.ranges[variable.name]) for variable in parts.variables]
