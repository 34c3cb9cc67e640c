"""What decisions are worth under the policy in force, for a training run to price its candidates."""

from typing import TYPE_CHECKING

from django.utils import timezone

from apps.engine.contracts import CaseFacts, PolicyFigures
from apps.engine.policy import expected_loss
from apps.registry.services.training_data import TrainingRows
from apps.scoring.queries.policies import draft_of, policy_in_force
from apps.scoring.validators import PolicyCosts

if TYPE_CHECKING:
    from apps.engine.training.settings import Economics


def price_rows(rows: TrainingRows) -> "Economics | None":
    """Return the threshold, margin and loss of each credit, in XAF, under the policy in force today.

    A credit of a type whose costs are not given earns and loses nothing. ``None`` without a policy.
    """
    import numpy as np

    from apps.engine.training.settings import Economics

    policy = policy_in_force(timezone.localdate())
    if policy is None or not rows.rows:
        return None
    draft = draft_of(policy)
    figures, costs = draft.figures, draft.costs
    types = [str(value or "") for value in rows.columns["type_credit"]]
    amounts = rows.amounts()
    margins = [_margin(rows, place, amounts[place], types[place], costs) for place in range(rows.rows)]
    losses = [_loss(rows, place, amounts[place], types[place], figures, costs) for place in range(rows.rows)]
    return Economics(
        thresholds=np.array([figures.threshold_for(each) for each in types], dtype=np.float64),
        margin_xaf=np.array(margins, dtype=np.float64),
        loss_xaf=np.array(losses, dtype=np.float64),
    )


def _margin(rows: TrainingRows, place: int, amount: float, credit_type: str, costs: PolicyCosts) -> float:
    """``amount * ((rate - cost of funds) * (n + 1) / 24 + fee) - cost of a file`` (MODELS.md)."""
    known = costs.by_type.get(credit_type)
    if known is None:
        return 0.0
    rate, months = (_of(rows, name, place) for name in ("taux_interet", "duree_mois"))
    rate = known.rate_percent if rate is None else rate
    months = known.months if months is None else months
    spread = (rate - known.cost_of_funds_percent) / 100 * (months + 1) / 24
    return amount * (spread + known.fee_percent / 100) - known.file_cost_xaf


def _loss(
    rows: TrainingRows,
    place: int,
    amount: float,
    credit_type: str,
    figures: PolicyFigures,
    costs: PolicyCosts,
) -> float:
    """``LGD * EAD``, as ``apps.engine.policy.expected_loss`` for a certain default."""
    if credit_type not in costs.by_type:
        return 0.0
    facts = CaseFacts(real_security=rows.secured[place], in_fine=rows.in_fine[place])
    return float(expected_loss(1.0, amount, facts, figures))


def _of(rows: TrainingRows, name: str, place: int) -> float | None:
    value = rows.columns[name][place]
    return None if value is None or isinstance(value, str) else float(value)
