"""Sentences for every standard variable, rule, warning and label, in both languages."""

import pytest

from apps.engine.contracts import Contribution, RuleOutcome, ScoringResult
from apps.engine.dictionary import STANDARD, Category, Variable
from apps.engine.policy import default_rules
from apps.engine.reasons import (
    adverse_reasons,
    amount_reason_text,
    band_label,
    recommendation_label,
    rule_label,
    rule_text,
    sentence,
    strongest,
    warning_check,
    warning_text,
)

ENDS = {
    ("fr", 1): "\u00a0: cela augmente le risque.",
    ("fr", -1): "\u00a0: cela réduit le risque.",
    ("en", 1): ": this raises the risk.",
    ("en", -1): ": this lowers the risk.",
}


def some_values(variable):
    if variable.type == "category":
        return list(variable.codes)
    return [
        variable.minimum,
        variable.minimum + 1,
        (variable.minimum + variable.maximum) // 2,
        variable.maximum,
    ]


@pytest.mark.parametrize("name", STANDARD.names)
@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("way", [1, -1])
def test_every_standard_variable_has_its_sentence(name, lang, way):
    variable = STANDARD[name]
    for value in [*some_values(variable), None]:
        text = sentence(variable, value, 0.3 * way, lang)
        assert text.endswith(ENDS[lang, way])
        assert not set(text) & set("{}")
        assert "_" not in text
        assert text[0].isupper() or text[0].isdigit() or text.startswith("XAF")


@pytest.mark.parametrize("name", STANDARD.names)
def test_every_standard_variable_has_words_of_its_own(name):
    wording = STANDARD[name].wording
    assert wording.subject_fr
    assert "{value}" in wording.fact_fr
    assert "{value}" in wording.fact_en
    assert bool(wording.none_fr) == bool(wording.none_en)
    assert bool(wording.missing_fr) == bool(wording.missing_en)


@pytest.mark.parametrize(
    ("name", "value", "log_odds", "french", "english"),
    [
        (
            "taux_endettement",
            36.2,
            0.41,
            "Avec ce crédit, 36,2\u202f% du revenu irait aux remboursements\u00a0: cela augmente le risque.",
            "With this loan, 36.2% of income would go to repayments: this raises the risk.",
        ),
        (
            "montant_credit",
            1_500_000,
            -0.1,
            "Le montant demandé est de 1\u202f500\u202f000\u202fFCFA\u00a0: cela réduit le risque.",
            "The amount requested is XAF 1,500,000: this lowers the risk.",
        ),
        (
            "nb_retards_30j",
            1,
            0.2,
            "1 retard d'au moins 30 jours sur les crédits précédents\u00a0: cela augmente le risque.",
            "1 delay of 30 days or more on previous loans: this raises the risk.",
        ),
        (
            "nb_retards_30j",
            3,
            0.2,
            "3 retards d'au moins 30 jours sur les crédits précédents\u00a0: cela augmente le risque.",
            "3 delays of 30 days or more on previous loans: this raises the risk.",
        ),
        (
            "nb_retards_90j",
            0,
            -0.2,
            "Aucun retard d'au moins 90 jours sur les crédits précédents\u00a0: cela réduit le risque.",
            "No delay of 90 days or more on previous loans: this lowers the risk.",
        ),
        (
            "type_contrat_travail",
            "CDI",
            -0.3,
            "La forme d'emploi est «\u00a0CDI\u00a0»\u00a0: cela réduit le risque.",
            "The employment type is “Permanent contract”: this lowers the risk.",
        ),
        (
            "anciennete_travail_mois",
            1,
            0.3,
            "L'ancienneté dans le travail est de 1 mois\u00a0: cela augmente le risque.",
            "The time in current work is 1 month: this raises the risk.",
        ),
        (
            "revenu_mensuel",
            None,
            0.1,
            "Le revenu mensuel n'est pas connu\u00a0: cela augmente le risque.",
            "No value is known for “Monthly income”: this raises the risk.",
        ),
        (
            "charges_mensuelles",
            None,
            0.1,
            "Les charges mensuelles ne sont pas connues\u00a0: cela augmente le risque.",
            "No value is known for “Monthly household expenses”: this raises the risk.",
        ),
        (
            "age",
            36,
            0.0,
            "L'âge est de 36 ans\u00a0: cela ne change pas le risque.",
            "The age is 36 years: this does not change the risk.",
        ),
    ],
)
def test_sentences(name, value, log_odds, french, english):
    assert sentence(STANDARD[name], value, log_odds, "fr") == french
    assert sentence(STANDARD[name], value, log_odds, "en") == english


def test_an_institution_s_own_variable_gets_a_sentence_from_its_label():
    number = Variable("stock", "integer", "Stock du magasin", "Shop stock", "XAF", 0, 10**9)
    code = Variable(
        "zone", "category", "Zone du marché", "Market area", categories=(Category("n", "Nord", "North"),)
    )
    stock = "La valeur de «\u00a0Stock du magasin\u00a0» est de 20\u202f000\u202fFCFA"
    assert sentence(number, 20_000, 1, "fr") == f"{stock}\u00a0: cela augmente le risque."
    assert (
        sentence(number, 20_000, -1, "en") == "The value of “Shop stock” is XAF 20,000: this lowers the risk."
    )
    assert (
        sentence(code, "n", 1, "fr")
        == "La valeur de «\u00a0Zone du marché\u00a0» est «\u00a0Nord\u00a0»\u00a0: cela augmente le risque."
    )
    assert sentence(code, "n", 1, "en") == "The value of “Market area” is “North”: this raises the risk."
    assert sentence(number, None, 1, "fr").startswith(
        "La valeur de «\u00a0Stock du magasin\u00a0» n'est pas connue"
    )


def test_a_label_with_braces_is_only_text():
    odd = Variable("odd", "decimal", "A{value.__class__}", "A{0}")
    assert "{value.__class__}" in sentence(odd, 1, 1, "fr")


def test_a_variable_read_from_a_folder_borrows_the_standard_words():
    from apps.engine.dictionary import from_dict

    read = from_dict(STANDARD["age"].as_dict())
    assert sentence(read, 36, 1, "fr") == sentence(STANDARD["age"], 36, 1, "fr")


def result(**log_odds):
    contributions = tuple(Contribution(name, 1, value) for name, value in log_odds.items())
    return ScoringResult(0.1, 0.0, contributions)


def names(contributions):
    return [contribution.variable for contribution in contributions]


FACTORS = result(a=0.1, b=-0.9, c=0.5, d=-0.3, e=0.0, f=0.2, g=-0.15, h=0.05)


def test_strongest_first_when_the_advice_is_to_grant():
    assert names(strongest(FACTORS, "accorder")) == ["b", "c", "d", "f", "g", "a"]


@pytest.mark.parametrize("recommendation", ["etudier", "refuser"])
def test_adverse_first_otherwise(recommendation):
    assert names(strongest(FACTORS, recommendation)) == ["c", "f", "a", "b", "d", "g"]


def test_adverse_reasons_are_the_adverse_ones():
    assert names(adverse_reasons(FACTORS)) == ["c", "f", "a", "h"]
    assert names(adverse_reasons(FACTORS, limit=2)) == ["c", "f"]


@pytest.mark.parametrize("rule", default_rules(), ids=lambda rule: rule.code)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_rule_has_its_words(rule, lang):
    texts = set()
    for verdict in ("respectee", "violee", "non_evaluable"):
        texts.add(rule_text(RuleOutcome(rule.code, verdict, 1.0, rule.limit, rule.severity), lang))
    assert len(texts) == 3
    assert all(text.endswith(".") and "{" not in text for text in texts)
    assert rule_label(rule.code, lang) != rule.code


def test_rule_texts_carry_figures():
    found = RuleOutcome("endettement_max", "violee", 36.2, 33.0, "a_revoir")
    assert rule_label("endettement_max", "fr") == "Taux d'endettement maximal"
    assert rule_text(found, "fr") == "Le taux d'endettement de 36,2\u202f% dépasse la limite de 33\u202f%."
    assert rule_text(found, "en") == "The debt service ratio of 36.2% exceeds the limit of 33%."
    amount = RuleOutcome("montant_max", "respectee", 500_000, 1_000_000, "bloquante")
    limit = "1\u202f000\u202f000\u202fFCFA"
    expected = f"Le montant de 500\u202f000\u202fFCFA reste dans la limite de {limit}."
    assert rule_text(amount, "fr") == expected


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(
    "code",
    [
        "ratio_incoherent",
        "retards_incoherents",
        "donnees_anciennes",
        "consentement_expire",
        "hors_domaine",
    ],
)
def test_every_warning_has_its_words(code, lang):
    assert warning_text(code, lang).endswith(".")
    assert warning_check(code, lang).endswith(".")


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(
    "code",
    [
        "non_calcule",
        "regle_violee",
        "plafond_inconnu",
        "plafond_trop_bas",
        "revenu_inconnu",
        "endettement",
        "risque",
    ],
)
def test_every_reason_for_no_amount_has_its_words(code, lang):
    assert amount_reason_text(code, lang).endswith(".")


def test_labels():
    advice = [recommendation_label(code, "fr") for code in ("accorder", "etudier", "refuser")]
    assert advice == ["Avis favorable", "À étudier", "Avis défavorable"]
    bands = [band_label(code, "fr") for code in ("faible", "modere", "eleve")]
    assert bands == ["Risque faible", "Risque modéré", "Risque élevé"]
    assert [band_label("eleve", "en"), recommendation_label("etudier", "en")] == [
        "High risk",
        "To be reviewed",
    ]


def test_an_expired_consent_is_told_with_its_day():
    facts = {"consent_expired_on": "2026-03-05"}

    assert warning_text("consentement_expire", "fr", facts) == "Consentement expiré le 05/03/2026."
    assert warning_text("consentement_expire", "en", facts) == "Consent expired on 05/03/2026."
    assert warning_text("donnees_anciennes", "fr", facts) == warning_text("donnees_anciennes", "fr")
