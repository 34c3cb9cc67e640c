"""The second opinion finds again what a linear model says, and agrees with a real one on the essential."""

import numpy as np

from apps.engine.training.surrogate import explain_locally


def test_variables_that_say_nothing_weigh_nothing(portfolio):
    names = [variable.name for variable in portfolio.variables]
    place = names.index("taux_endettement")
    row = portfolio.x[0].copy()
    row[place] = 150.0
    found = explain_locally(lambda x: (x[:, place] > 100) * 2.0, portfolio, row)
    weights = dict(found.weights)
    assert found.weights[0][0] == "taux_endettement"
    assert weights["taux_endettement"] > 1.0
    assert max(abs(weights[name]) for name in names if name != "taux_endettement") < 0.15


def test_the_same_seed_gives_the_same_weights(model, portfolio):
    one, two = (explain_locally(model.log_odds, portfolio, portfolio.x[3], samples=500) for _ in range(2))
    assert one == two


def test_it_agrees_with_the_contributions_on_what_raises_the_risk_most(model, portfolio):
    """Arrears of a client who has them: among the two strongest, and with the same sign."""
    names = [variable.name for variable in portfolio.variables]
    late = names.index("nb_retards_30j")
    row = portfolio.x[np.nanargmax(portfolio.x[:, late])]
    weights = dict(explain_locally(model.log_odds, portfolio, row).weights)
    assert model.contributions(row[None])[0, late] > 0.3
    assert weights["nb_retards_30j"] > 0.1


def test_missing_values_are_compared_with_missing_ones(portfolio):
    row = portfolio.x[np.isnan(portfolio.x).any(axis=1)][0]
    found = explain_locally(lambda x: np.isnan(x).sum(axis=1).astype(float), portfolio, row)
    assert 0 < found.fit <= 1
