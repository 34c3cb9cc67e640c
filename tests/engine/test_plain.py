"""What a client is told of a score: facts only, four reasons at most, never what nobody may be reproached."""

import re

import pytest

from apps.engine import letters, plain
from apps.engine.contracts import Contribution, RuleOutcome
from apps.engine.dictionary import STANDARD
from tests.reports.readability import flesch, kandel_moles

FORBIDDEN = ("age", "sexe", "situation_familiale", "secteur", "personnes_a_charge", "distance_agence_km")
#: Words that would say what nobody may be told as a reason.
UNSAID = {
    "fr": r"\b(sexe|femme|homme|âge|ans d'âge|mari[ée]|célibataire|divorc|veuf|veuve|secteur|enfants?)\b",
    "en": r"\b(sex|woman|man|age|married|single|divorced|widow|line of business|children)\b",
}


def contribution(name, value, log_odds=0.4):
    return Contribution(name, value, log_odds)


def values_of(variable):
    if variable.type == "category":
        return [*variable.codes, None]
    low = variable.minimum or 0
    return [low, low + 1, (low + (variable.maximum or 100)) / 2 // 1, None]


def every_fact(lang):
    for name, variable in STANDARD.items():
        for value in values_of(variable):
            facts = plain.plain_reasons([contribution(name, value)], [], STANDARD, lang)
            yield from ((name, fact) for fact in facts)
    for code in ("endettement_max", "montant_max", "duree_max", "interdiction_credit", "arrieres_en_cours",
                 "doublon_probable", "consentement", "age_demande", "age_fin"):  # fmt: skip
        rule = RuleOutcome(code, "violee", 40.0, 33.0, "bloquante")
        yield from ((code, fact) for fact in plain.plain_reasons([], [rule], STANDARD, lang))


def every_text(lang):
    facts = [fact for _name, fact in every_fact(lang)]
    values = {"amount": "150 000 FCFA", "months": "12", "agency": "Mokolo", "person": "Awa",
              "motive": "une pièce", "comment": "Un acte signé.",
              "institution": "Horizon", "points": "606", "low": "300", "high": "850", "reference": "D-1",
              "city": "Douala", "day": "22/11/2026"}  # fmt: skip
    motives = [plain.motive_text(code, lang) for code in plain._MOTIVES]
    phrases = [letters.phrase(code, lang, **values) for code in letters._PHRASES]
    return [
        *(fact.text for fact in facts),
        *(fact.advice for fact in facts if fact.advice),
        *motives,
        *phrases,
    ]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_nobody_may_be_reproached_has_no_words(lang):
    told = list(every_fact(lang))

    assert not {name for name, _fact in told} & {*FORBIDDEN, "age_demande", "age_fin", "nb_visites_agent"}
    assert [text for text in every_text(lang) if re.search(UNSAID[lang], text.lower())] == []


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_other_variable_has_words_that_hold_no_place_left_open(lang):
    told = {name for name, _fact in every_fact(lang)}
    never = set(plain.NEVER_SAID)

    assert set(STANDARD) - told - never == set()
    assert [text for text in every_text(lang) if "{" in text or not text.strip()] == []


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_no_word_of_the_jargon_list_occurs(lang):
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, plain.JARGON[lang]))})(s|es|x)?\b")

    found = {match[0] for text in every_text(lang) for match in pattern.finditer(text.lower())}

    assert len(plain.JARGON[lang]) >= 30
    assert found == set()


def test_the_french_texts_are_easy_to_read():
    """The scale: 100 very easy, 50 standard newspaper prose; each text alone stays above 30 too."""
    texts = every_text("fr")

    assert kandel_moles("\n".join(texts)) >= 50


def test_the_english_texts_are_easy_to_read():
    assert flesch("\n".join(every_text("en"))) >= 60


def test_the_index_tells_hard_from_easy():
    hard = (
        "L'octroi de la facilité sollicitée demeure subordonné à l'appréciation discrétionnaire, par "
        "l'établissement prêteur, de la soutenabilité prévisionnelle de l'endettement consolidé du "
        "bénéficiaire potentiel."
    )

    assert kandel_moles(hard) < 20
    assert kandel_moles("Le chat est là. Il dort. Je le vois.") > 90


def test_at_most_four_reasons_the_strongest_first_each_subject_once():
    contributions = [
        contribution("revenu_mensuel", 50_000, 0.1),
        contribution("nb_retards_30j", 4, 0.5),
        contribution("nb_retards_60j", 2, 0.6),
        contribution("age", 22, 3.0),
        contribution("sexe", "F", 3.0),
        contribution("epargne_moyenne", 0, 0.3),
        contribution("nb_garanties", 0, 0.2),
        contribution("montant_credit", 900_000, 0.4),
        contribution("charges_mensuelles", 10_000, -0.4),
    ]

    reasons = plain.plain_reasons(contributions, [], STANDARD, "fr")

    assert [each.code for each in reasons] == [
        "nb_retards_60j",
        "montant_credit",
        "epargne_moyenne",
        "nb_garanties",
    ]
    assert reasons[0].text == "Vous avez payé 2 fois avec 60 jours de retard ou plus."
    assert plain.plain_strengths(contributions, STANDARD, "fr")[0].code == "charges_mensuelles"


def test_a_broken_rule_comes_first_and_its_subject_is_told_once():
    rule = RuleOutcome("endettement_max", "violee", 36.2, 33.0, "bloquante")
    kept = RuleOutcome("montant_max", "respectee", 1.0, 2.0, "bloquante")
    contributions = [contribution("taux_endettement", 36.2, 2.0), contribution("nb_garanties", 0, 0.1)]

    reasons = plain.plain_reasons(contributions, [kept, rule], STANDARD, "fr")

    assert [each.code for each in reasons] == ["endettement_max", "nb_garanties"]
    assert reasons[0].text == (
        "Avec ce prêt, 36,2\u202f% de votre revenu irait à vos prêts. Notre limite est de 33\u202f%."
    )


def test_an_institutions_own_variable_is_told_by_its_label_unless_it_serves_fairness_only():
    from apps.engine.dictionary import Variable

    own = Variable("parrainage", "integer", "Parrains", "Sponsors", "count", 0, 10)
    fair = Variable(
        "quartier_test", "integer", "Quartier", "District", "count", 0, 10, sensitivity="fairness"
    )
    variables = {"parrainage": own, "quartier_test": fair}
    contributions = [contribution("parrainage", 1), contribution("quartier_test", 1)]

    assert [each.text for each in plain.plain_reasons(contributions, [], variables, "fr")] == [
        "Parrains\u00a0: 1."
    ]


def test_a_smaller_sum_is_advised_once():
    facts = plain.plain_reasons(
        [contribution("taux_endettement", 50.0, 1.0), contribution("montant_credit", 900_000, 0.5)],
        [],
        STANDARD,
        "fr",
    )

    assert plain.advice_of(facts) == (
        "Demandez une somme plus petite, ou finissez d'abord de payer un autre prêt.",
    )
    assert plain.advice_of(facts[1:]) == ("Vous pouvez demander une somme plus petite.",)
