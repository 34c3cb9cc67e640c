"""Rules, recommendation, expected loss and the threshold's formula."""

import math
from dataclasses import replace

import pytest

from apps.engine.contracts import CaseFacts, PolicyFigures, RuleOutcome, RuleSetting, ScoringResult
from apps.engine.policy import (
    advise,
    default_rules,
    evaluate_rules,
    expected_loss,
    recommend,
    threshold_from_costs,
)

VALUES = {
    "age": 40,
    "montant_credit": 500_000,
    "duree_mois": 12,
    "taux_interet": 24.0,
    "type_credit": "consommation",
    "taux_endettement": 30.0,
}
CLEAR = CaseFacts(
    prohibited=False, current_arrears_days=0, probable_duplicate=False, consent_given=True, data_age_days=10
)
FIGURES = PolicyFigures(rules=default_rules())


def outcome(code, values=VALUES, facts=CLEAR, figures=FIGURES):
    return next(found for found in evaluate_rules(values, facts, figures) if found.code == code)


def test_a_clear_case_keeps_every_rule_of_the_demonstration():
    found = evaluate_rules(VALUES, CLEAR, FIGURES)
    assert [rule.verdict for rule in found] == ["respectee"] * 9
    assert [rule.code for rule in found] == [rule.code for rule in default_rules()]


@pytest.mark.parametrize(
    ("code", "values", "verdict", "value", "limit"),
    [
        ("age_demande", {"age": 21}, "respectee", 21, 21),
        ("age_demande", {"age": 20}, "violee", 20, 21),
        ("age_demande", {"age": None}, "non_evaluable", None, 21),
        ("age_fin", {"age": 69, "duree_mois": 12}, "respectee", 70, 70),
        ("age_fin", {"age": 69, "duree_mois": 13}, "violee", 69 + 13 / 12, 70),
        ("age_fin", {"duree_mois": None}, "non_evaluable", None, 70),
        ("endettement_max", {"taux_endettement": 50.0}, "respectee", 50.0, 50.0),
        ("endettement_max", {"taux_endettement": 50.01}, "violee", 50.01, 50.0),
        ("endettement_max", {"taux_endettement": None}, "non_evaluable", None, 50.0),
        ("montant_max", {"montant_credit": 6_000_000}, "respectee", 6_000_000, 6_000_000),
        ("montant_max", {"montant_credit": 6_000_001}, "violee", 6_000_001, 6_000_000),
        (
            "montant_max",
            {"montant_credit": 6_000_001, "type_credit": "agricole"},
            "respectee",
            6_000_001,
            1e7,
        ),
        ("duree_max", {"duree_mois": 36}, "respectee", 36, 36),
        ("duree_max", {"duree_mois": 37}, "violee", 37, 36),
        ("duree_max", {"duree_mois": 37, "type_credit": "habitat"}, "respectee", 37, 120),
    ],
)
def test_numeric_rules_at_their_limits(code, values, verdict, value, limit):
    found = outcome(code, {**VALUES, **values})
    assert (found.verdict, found.value, found.limit) == (verdict, value, limit)


@pytest.mark.parametrize(
    ("code", "facts", "verdict", "value"),
    [
        ("interdiction_credit", {"prohibited": True}, "violee", 1),
        ("interdiction_credit", {"prohibited": False}, "respectee", 0),
        ("interdiction_credit", {}, "non_evaluable", None),
        ("arrieres_en_cours", {"current_arrears_days": 29}, "respectee", 29),
        ("arrieres_en_cours", {"current_arrears_days": 30}, "violee", 30),
        ("arrieres_en_cours", {}, "non_evaluable", None),
        ("doublon_probable", {"probable_duplicate": True}, "violee", 1),
        ("doublon_probable", {"probable_duplicate": False}, "respectee", 0),
        ("doublon_probable", {}, "non_evaluable", None),
        ("consentement", {"consent_given": True}, "respectee", 1),
        ("consentement", {"consent_given": False}, "violee", 0),
        ("consentement", {}, "non_evaluable", None),
    ],
)
def test_rules_on_facts(code, facts, verdict, value):
    found = outcome(code, facts=CaseFacts(**facts))
    assert (found.verdict, found.value) == (verdict, value)


def test_a_rule_without_a_limit_cannot_be_evaluated():
    figures = PolicyFigures(rules=(RuleSetting("endettement_max", "a_revoir"),))
    assert outcome("endettement_max", figures=figures).verdict == "non_evaluable"


def test_an_unknown_rule_is_an_error():
    figures = PolicyFigures(rules=(RuleSetting("horoscope", "bloquante"),))
    with pytest.raises(ValueError, match="horoscope"):
        evaluate_rules(VALUES, CLEAR, figures)


def broken(severity, verdict="violee"):
    return (RuleOutcome("x", verdict, 1, 0, severity),)


@pytest.mark.parametrize(
    ("level", "rules", "warnings", "expected"),
    [
        ("faible", (), (), "accorder"),
        ("faible", broken("a_revoir"), (), "etudier"),
        ("faible", (), ("hors_domaine",), "etudier"),
        ("faible", broken("bloquante"), (), "refuser"),
        ("faible", broken("bloquante", "non_evaluable"), (), "accorder"),
        ("faible", broken("bloquante", "respectee"), (), "accorder"),
        ("faible", broken("a_revoir", "non_evaluable"), (), "accorder"),
        ("modere", (), (), "etudier"),
        ("modere", broken("bloquante"), (), "refuser"),
        ("modere", broken("a_revoir"), ("donnees_anciennes",), "etudier"),
        ("eleve", (), (), "refuser"),
        ("eleve", broken("a_revoir"), ("hors_domaine",), "refuser"),
    ],
)
def test_recommendation(level, rules, warnings, expected):
    assert recommend(level, rules, warnings) == expected


def advice(pd, facts=CLEAR, values=VALUES, figures=FIGURES, warnings=(), found=()):
    return advise(ScoringResult(pd, 0.0, (), found), values, facts, figures, warnings)


@pytest.mark.parametrize(
    ("pd", "band", "prediction", "recommendation"),
    [
        (math.nextafter(0.075, 0), "faible", 0, "accorder"),
        (0.075, "modere", 0, "etudier"),
        (math.nextafter(0.15, 0), "modere", 0, "etudier"),
        (0.15, "eleve", 1, "refuser"),
    ],
)
def test_advice_at_the_limits(pd, band, prediction, recommendation):
    found = advice(pd)
    assert (found.band, found.prediction, found.recommendation) == (band, prediction, recommendation)
    assert found.threshold == 0.15


def test_advice_of_the_contract_s_example():
    found = advice(0.0843)
    assert (found.points, found.grade, found.band, found.expected_loss_xaf) == (606, "C", "modere", 13_699)
    assert (found.max_amount_xaf, found.max_amount_reason) == (None, "non_calcule")


def test_each_credit_type_has_its_threshold():
    figures = PolicyFigures(thresholds={"consommation": 0.05}, rules=default_rules())
    assert advice(0.06, figures=figures).recommendation == "refuser"
    assert advice(0.06, figures=figures, values={**VALUES, "type_credit": "agricole"}).threshold == 0.15


@pytest.mark.parametrize(
    ("expired_on", "warnings", "recommendation"),
    [(None, (), "accorder"), ("2026-03-15", ("consentement_expire",), "etudier")],
)
def test_an_expired_consent_is_told_and_asks_for_a_look(expired_on, warnings, recommendation):
    found = advice(0.01, facts=replace(CLEAR, consent_expired_on=expired_on))
    assert found.warnings == warnings
    assert found.recommendation == recommendation
    assert {rule.verdict for rule in found.rules if rule.code == "consentement"} == {"respectee"}


@pytest.mark.parametrize(("days", "warnings"), [(None, ()), (183, ()), (184, ("donnees_anciennes",))])
def test_data_older_than_six_months_are_told(days, warnings):
    found = advice(0.01, facts=CaseFacts(data_age_days=days))
    assert found.warnings == warnings
    assert found.recommendation == ("etudier" if warnings else "accorder")


def test_warnings_of_inputs_and_model_are_joined_once():
    found = advice(0.01, warnings=("ratio_incoherent", "hors_domaine"), found=("hors_domaine",))
    assert found.warnings == ("ratio_incoherent", "hors_domaine")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (CaseFacts(), 0.1 * 0.5 * 0.65),
        (CaseFacts(in_fine=True), 0.1 * 0.5),
        (CaseFacts(real_security=True), 0.1 * 0.35 * 0.65),
        (CaseFacts(real_security=True, in_fine=True), 0.1 * 0.35),
    ],
)
def test_expected_loss(facts, expected):
    assert expected_loss(0.1, 1_000_000, facts, PolicyFigures()) == round(expected * 1_000_000)


COSTS = {
    "amount_xaf": 340_000,
    "rate_percent": 24,
    "cost_of_funds_percent": 6,
    "months": 10,
    "fee_percent": 2,
    "file_cost_xaf": 5_000,
}


def test_the_threshold_follows_from_costs():
    margin = 340_000 * (0.18 * 11 / 24 + 0.02) - 5_000
    loss = 0.5 * 0.65 * 340_000
    found = threshold_from_costs(**COSTS, prudence_cap=1)
    assert found.threshold == pytest.approx(margin / (margin + loss))
    assert found.margin_xaf == pytest.approx(margin)
    assert found.profitable


def test_the_threshold_is_capped():
    assert threshold_from_costs(**{**COSTS, "rate_percent": 60}).threshold == 0.20


@pytest.mark.parametrize("file_cost", [34_850, 50_000])
def test_a_product_that_earns_nothing_takes_the_cap_and_says_so(file_cost):
    found = threshold_from_costs(**{**COSTS, "file_cost_xaf": file_cost}, prudence_cap=0.12)
    assert (found.threshold, found.profitable) == (0.12, False)
