"""A second opinion on one score: what a plain linear model around it says, beside the exact contributions."""

from dataclasses import dataclass

from apps.audit.services import record
from apps.credits.features import application_values
from apps.credits.models import CreditApplication
from apps.engine.contracts import Value
from apps.registry.loader import load_scorer
from apps.scoring.models import Prediction
from apps.tenancy.actor import Actor

#: The latest applications, of which values are taken in place of the file's.
BACKGROUND = 500


@dataclass(frozen=True, slots=True)
class OpinionLine:
    """One variable: log-odds that the model says exactly, and what the linear model says."""

    name: str
    value: Value
    exact: float
    second: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """``fit`` (R squared) says how far the second opinion may be believed; lines by the exact weight."""

    lines: tuple[OpinionLine, ...]
    fit: float


def second_opinion(*, prediction: Prediction, by: Actor) -> Opinion:
    """Explain a stored score a second time, after LIME; the same score gives the same opinion.

    Raises ``NoApprovedModel`` when the model's folder no longer is what its hash says.
    """
    import numpy as np

    from apps.engine.encoding import encode
    from apps.engine.training.dataset import TrainingSet
    from apps.engine.training.surrogate import explain_locally

    scorer = load_scorer(prediction.model_version)
    variables = scorer.parts.variables
    before = CreditApplication.objects.filter(applied_on__lte=prediction.created_at.date())
    values = [application_values(each)[0] for each in before.order_by("-applied_on", "-pk")[:BACKGROUND]]
    columns = {name: [each.get(name) for each in values] for name in scorer.variables}
    x = encode(variables, columns, len(values))
    row = encode(variables, {name: [prediction.inputs.get(name)] for name in scorer.variables}, 1)
    background = TrainingSet(tuple(variables), x, np.zeros(len(values), dtype=np.int8))
    view = explain_locally(
        lambda made: scorer.base + scorer.contributions(made).sum(axis=1), background, row[0]
    )
    exact = dict(zip(scorer.variables, scorer.contributions(row)[0].tolist(), strict=True))
    second = dict(view.weights)
    record(by=by, action="prediction.second_opinion", target=prediction)
    lines = [
        OpinionLine(name, prediction.inputs.get(name), exact[name], second[name]) for name in scorer.variables
    ]
    return Opinion(tuple(sorted(lines, key=lambda line: -abs(line.exact))), view.fit)
