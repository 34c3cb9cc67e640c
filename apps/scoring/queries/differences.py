"""What changed between two scores of one file: inputs, factors, and apart from them model and policy."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.engine import scorecard
from apps.engine.contracts import Contribution, ScoringInput, Value
from apps.registry.errors import NoApprovedModel
from apps.registry.loader import load_scorer
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.queries.scores import visible_predictions
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

MOST_COMPARED = 20


@dataclass(frozen=True, slots=True)
class InputChange:
    """A variable that had another value; None is « not known »."""

    variable: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class FactorChange:
    """What one variable added to the score, in points, with the later model and policy."""

    variable: str
    before: int
    after: int

    @property
    def gained(self) -> int:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Difference:
    """Two scores of one file, the earlier first.

    ``by_model``, ``by_inputs`` and ``by_policy`` are points that add up to ``gained``: the model alone on the
    earlier inputs, then the inputs with the later model, then the scale of the later policy. They are None
    where the later model does not load and is not the earlier one.
    """

    before: Prediction
    after: Prediction
    inputs: tuple[InputChange, ...]
    factors: tuple[FactorChange, ...]
    by_model: int | None
    by_inputs: int | None
    by_policy: int | None

    @property
    def gained(self) -> int:
        return self.after.points - self.before.points

    @property
    def other_model(self) -> bool:
        return self.before.model_version_id != self.after.model_version_id

    @property
    def other_policy(self) -> bool:
        return self.before.policy_id != self.after.policy_id


def scores_of_file(actor: Actor, prediction: Prediction) -> list[Prediction]:
    """Return the other visible scores of the same application, the latest first, twenty at most."""
    if prediction.application_id is None:
        return []
    rows = visible_predictions(actor).filter(application_id=prediction.application_id)
    return list(rows.exclude(uid=prediction.uid).order_by("-created_at", "-uid")[:MOST_COMPARED])


def earlier_score(others: list[Prediction], prediction: Prediction, uid: UUID | None) -> Prediction:
    """Return the score to compare with: ``uid``, or the last one before; raise ``ObjectNotFound``."""
    for each in others:
        if each.uid == uid or (uid is None and each.created_at <= prediction.created_at):
            return each
    raise ObjectNotFound(_("No such score."))


def difference_between(one: Prediction, other: Prediction) -> Difference:
    """Compare two scores of one file, whichever came first."""
    before, after = sorted((one, other), key=lambda each: each.created_at)
    rescored = _by_later_model(before, after)
    figures = figures_of_policy(after.policy)
    old_figures = figures_of_policy(before.policy)
    by_model = by_inputs = by_policy = None
    if rescored is not None:
        moved = scorecard.points(rescored[0], old_figures)
        reached = scorecard.points(after.pd, old_figures)
        by_model, by_inputs = moved - before.points, reached - moved
        by_policy = after.points - reached
    earlier = rescored[1] if rescored is not None else _stored(before)
    old, new = _parts(earlier), _parts(_stored(after))
    factors = tuple(
        FactorChange(
            name,
            scorecard.points_of_contribution(old.get(name, 0.0), figures),
            scorecard.points_of_contribution(new.get(name, 0.0), figures),
        )
        for name in dict.fromkeys((*old, *new))
    )
    moved_most = sorted((each for each in factors if each.gained), key=lambda each: -abs(each.gained))
    return Difference(
        before, after, _inputs(before, after), tuple(moved_most), by_model, by_inputs, by_policy
    )


def _inputs(before: Prediction, after: Prediction) -> tuple[InputChange, ...]:
    names = dict.fromkeys((*after.inputs, *before.inputs))
    pairs = ((name, before.inputs.get(name), after.inputs.get(name)) for name in names)
    return tuple(InputChange(name, old, new) for name, old, new in pairs if old != new)


def _by_later_model(before: Prediction, after: Prediction) -> tuple[float, tuple[Contribution, ...]] | None:
    """Return the earlier inputs' probability and factors by the later model; None where it does not load."""
    if before.model_version_id == after.model_version_id:
        return before.pd, _stored(before)
    try:
        result = load_scorer(after.model_version).score(ScoringInput(before.inputs))
    except NoApprovedModel:
        return None
    return result.pd, result.contributions


def _stored(prediction: Prediction) -> tuple[Contribution, ...]:
    return tuple(Contribution(**each) for each in prediction.contributions)


def _parts(contributions: tuple[Contribution, ...]) -> dict[str, float]:
    return {each.variable: each.log_odds for each in contributions}
