"""Acceptance: what is proposed to 500 files with unfavourable advice, by the institution's own model."""

import random

import pytest

from apps.credits.models import CreditApplication
from apps.engine.changes import ACTIONABLE
from apps.engine.contracts import ScoringInput
from apps.engine.maximum import STEP_XAF
from apps.engine.policy import amount_breaks, evaluate_rules
from apps.engine.ratios import with_ratios, without_ratios
from apps.registry.loader import load_scorer
from apps.registry.queries import champion_for
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import figures_of_policy, policy_on
from apps.scoring.services.scores import application_case, compute, credit_type_of, figures_of, plain
from apps.scoring.services.simulation import changes_for, held_back_by

pytestmark = pytest.mark.django_db
FILES = 500


def unfavourable():
    """Yield 500 files of the portfolio with unfavourable advice, some made so by asking for more."""
    draw = random.Random(8)  # noqa: S311  a portfolio, not a secret
    rows = list(CreditApplication.objects.select_related("client").order_by("pk"))
    draw.shuffle(rows)
    found = 0
    for place, file in enumerate(rows * 2):
        file.taux_endettement = file.ratio_dette_revenu = None
        file.montant_credit = round(file.montant_credit * (1.6 if place >= len(rows) else 1.0))
        case = application_case(file)
        version = champion_for(credit_type_of(case))
        scorer, policy = load_scorer(version), policy_on()
        result, advice = compute(case, scorer, figures_of_policy(policy))
        if advice.recommendation == "refuser":
            found += 1
            yield (
                Prediction(
                    model_version=version,
                    policy=policy,
                    inputs=case.values,
                    facts=plain(case.facts),
                    **figures_of(result, advice),
                ),
                case.facts,
                scorer,
            )
        if found == FILES:
            return


def test_500_unfavourable_files(world):
    helped = sets = advised = 0
    with world.scope():
        for prediction, facts, scorer in unfavourable():
            figures, values = figures_of_policy(prediction.policy), prediction.inputs
            threshold = figures.threshold_for(values["type_credit"])
            changes = changes_for(prediction=prediction)
            helped += bool(changes.sets)
            for each in changes.sets:
                sets += 1
                after = {**plain(facts), **each.facts}
                assert each.values.keys() <= ACTIONABLE
                changed = with_ratios({**without_ratios(values), **each.values})[0]
                assert scorer.score(ScoringInput(changed)).pd < threshold
                rules = evaluate_rules(changed, type(facts)(**after), figures)
                assert not [rule.code for rule in rules if rule.verdict == "violee"]
            if prediction.max_amount_xaf is None:
                assert prediction.max_amount_reason
                continue
            advised += 1
            amount = prediction.max_amount_xaf
            accepted = with_ratios({**without_ratios(values), "montant_credit": amount})[0]
            above = with_ratios({**without_ratios(values), "montant_credit": amount + STEP_XAF})[0]
            assert scorer.score(ScoringInput(accepted)).pd < threshold
            assert amount_breaks(values, facts, figures, scorer, amount) is None
            broken = {rule.code for rule in evaluate_rules(above, facts, figures) if rule.verdict == "violee"}
            named = held_back_by(prediction)
            if named == "risque":
                assert scorer.score(ScoringInput(above)).pd >= threshold
            elif named == "plafond_modele":
                assert amount + STEP_XAF > scorer.amount_p99
            else:
                assert named in broken
    assert (helped >= 300, sets >= 600, advised >= 200) == (True, True, True), (helped, sets, advised)
