"""Instalments and the two ratios, unrounded."""

import pytest

from apps.engine.ratios import instalment_of, means_of, monthly_instalment, with_ratios, without_ratios

LOAN = {"montant_credit": 1_500_000, "duree_mois": 12, "taux_interet": 24.0}


def test_the_instalment_repays_the_loan_exactly():
    instalment = monthly_instalment(1_500_000, 24, 12)
    left = 1_500_000.0
    for _ in range(12):
        left = left * 1.02 - instalment
    assert left == pytest.approx(0, abs=1e-6)
    assert instalment == pytest.approx(141_839.395, abs=1e-3)


@pytest.mark.parametrize("rate", [0, 1e-300])
def test_without_interest_the_instalment_is_an_equal_share(rate):
    assert monthly_instalment(1_200_000, rate, 12) == 100_000


@pytest.mark.parametrize(("rate", "months"), [(24, 0), (-1, 12)])
def test_an_impossible_loan_is_refused(rate, months):
    with pytest.raises(ValueError, match="at least one month"):
        monthly_instalment(1_000, rate, months)


def test_ratios_are_computed_from_all_debts():
    given = {
        **LOAN,
        "revenu_mensuel": 400_000,
        "mensualites_en_cours": 30_000,
        "encours_autres_dettes": 300_000,
    }
    values, warnings = with_ratios(given)
    assert values["taux_endettement"] == 100 * (30_000 + monthly_instalment(1_500_000, 24.0, 12)) / 400_000
    assert values["ratio_dette_revenu"] == 1_800_000 / 4_800_000
    assert warnings == ()


def test_unknown_debts_count_as_none():
    values, _ = with_ratios({**LOAN, "revenu_mensuel": 400_000})
    assert values["taux_endettement"] == 100 * monthly_instalment(1_500_000, 24.0, 12) / 400_000
    assert values["ratio_dette_revenu"] == 1_500_000 / 4_800_000


@pytest.mark.parametrize("income", [None, 0])
def test_without_an_income_ratios_stay_missing(income):
    given = {**LOAN, "revenu_mensuel": income}
    assert with_ratios(given) == (given, ())


@pytest.mark.parametrize("gone", ["montant_credit", "duree_mois", "taux_interet"])
def test_without_the_loan_the_debt_service_stays_missing(gone):
    values, _ = with_ratios({**LOAN, "revenu_mensuel": 400_000, gone: None})
    assert "taux_endettement" not in values


def test_ratios_sent_are_used_as_sent():
    given = {**LOAN, "revenu_mensuel": 400_000, "taux_endettement": 60.0, "ratio_dette_revenu": 0.9}
    assert with_ratios(given) == (given, ())


@pytest.mark.parametrize(
    ("sent", "warnings"),
    [(20.0, ("ratio_incoherent",)), (35.4, ("ratio_incoherent",)), (35.42, ()), (35.5, ()), (80.0, ())],
)
def test_a_ratio_below_the_instalment_alone_is_told(sent, warnings):
    """The instalment takes 35.46 % of the income; one decimal of rounding is no incoherence."""
    given = {**LOAN, "revenu_mensuel": 400_000, "taux_endettement": sent}
    values, found = with_ratios(given)
    assert found == warnings
    assert values["taux_endettement"] == sent


def test_without_ratios_drops_them_only():
    assert without_ratios({**LOAN, "taux_endettement": 1, "ratio_dette_revenu": 2}) == LOAN


def test_the_instalment_of_an_application():
    assert instalment_of(LOAN) == monthly_instalment(1_500_000, 24.0, 12)
    assert instalment_of({}) is None


HOUSEHOLD = {**LOAN, "revenu_mensuel": 400_000, "charges_mensuelles": 90_000, "mensualites_en_cours": 40_000}


def test_what_is_left_to_live_on_is_the_income_less_all_that_is_paid():
    means = means_of(with_ratios(HOUSEHOLD)[0])

    assert means.residual == pytest.approx(400_000 - 90_000 - 40_000 - 141_839.395, abs=1e-2)
    assert means.debt_ratio_percent == pytest.approx((40_000 + 141_839.395) / 4_000)
    assert not means.residual_is_most


@pytest.mark.parametrize("unknown", ["charges_mensuelles", "mensualites_en_cours"])
def test_what_is_left_is_a_most_when_something_paid_is_not_known(unknown):
    means = means_of({name: value for name, value in HOUSEHOLD.items() if name != unknown})

    assert means.residual == pytest.approx(400_000 - 130_000 + HOUSEHOLD[unknown] - 141_839.395, abs=1e-2)
    assert means.residual_is_most


@pytest.mark.parametrize("unknown", ["revenu_mensuel", "duree_mois"])
def test_what_is_left_is_not_known_without_income_or_instalment(unknown):
    means = means_of({name: value for name, value in HOUSEHOLD.items() if name != unknown})

    assert means.residual is None
    assert not means.residual_is_most
