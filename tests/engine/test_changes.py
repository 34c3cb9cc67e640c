"""What would change an unfavourable advice: every set proposed is applied and scored again here."""

from dataclasses import replace

import pytest

from apps.engine.artifacts import read
from apps.engine.change_words import amount_limit_text, change_sentences, no_change_text
from apps.engine.changes import ACTIONABLE, MOST_SETS, Changes, what_would_change
from apps.engine.contracts import CaseFacts, PolicyFigures, RuleSetting, ScoringInput
from apps.engine.expert import card_from
from apps.engine.expert_folder import write_expert
from apps.engine.maximum import applied
from apps.engine.policy import advise, amount_breaks, default_rules, evaluate_rules, max_amount
from apps.engine.ratios import with_ratios, without_ratios
from apps.engine.scorer import Scorer
from tests.engine.conftest import random_columns, rows_of

FIGURES = PolicyFigures(rules=default_rules())
FACTS = CaseFacts(prohibited=False, consent_given=True, data_age_days=10)
CARD = {
    "format": "scorecard-1",
    "name": "grille-garanties",
    "version": "1",
    "declared_default_rate": 0.16,
    "variables": [
        {"name": "taux_endettement", "cuts": [20, 33, 50], "points": [20, 5, -15, -40], "missing": -10},
        {"name": "valeur_garanties", "cuts": [1, 200_000], "points": [-15, 5, 30], "missing": -15},
        {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
        {"name": "revenu_mensuel", "cuts": [100_000], "points": [-10, 10], "missing": -30},
    ],
}
VALUES = {
    "age": 40,
    "montant_credit": 600_000,
    "duree_mois": 12,
    "taux_interet": 24.0,
    "type_credit": "consommation",
    "revenu_mensuel": 200_000,
    "mensualites_en_cours": 20_000,
    "encours_autres_dettes": 100_000,
}


@pytest.fixture(scope="module")
def expert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expert") / "model"
    return Scorer(read(folder, expected_sha256=write_expert(folder, card_from(CARD))))


class ByAmount:
    """A model that looks at the amount alone, and at the debt service."""

    amount_p99 = None
    variables = ("montant_credit", "taux_endettement")

    def __init__(self, chance):
        self.chance = chance

    def never_falls_with(self, _names):
        return False

    def first_below(self, _values, _steps, _limit):
        return None

    def probabilities(self, columns, rows):
        amounts, ratios = columns["montant_credit"], columns["taux_endettement"]
        return [self.chance(amounts[place], ratios[place]) for place in range(rows)]

    def score(self, scoring_input):
        from apps.engine.contracts import ScoringResult

        values = scoring_input.values
        return ScoringResult(self.chance(values["montant_credit"], values["taux_endettement"]), 0.0, ())


def rows(count, seed):
    """Files as they come: ratios computed from debts, or sent; debts declared or not; arrears, no income."""
    columns = random_columns(count, seed)
    for place, row in enumerate(rows_of(columns)):
        values = {name: value for name, value in row.items() if value is not None}
        if place % 3:
            values = without_ratios(values)
            values |= {"mensualites_en_cours": 5_000 * (place % 7), "encours_autres_dettes": 40_000}
        yield with_ratios(values)[0]


def unfavourable(scorer, count, seed):
    found = []
    for values in rows(count * 4, seed):
        advice = advise(scorer.score(ScoringInput(values)), values, FACTS, FIGURES)
        if advice.recommendation == "refuser":
            found.append(values)
    assert len(found) >= count
    return found[:count]


def after(values, changes):
    """Apply changes without the search's own arithmetic, where the ratios were not sent."""
    if "mensualites_en_cours" in values:
        return with_ratios({**without_ratios(values), **changes})[0]
    return applied(values, changes)


@pytest.mark.parametrize("kind", ["scorer", "expert"])
def test_each_set_applied_and_scored_crosses_the_threshold_and_keeps_the_rules(kind, request):
    scorer = request.getfixturevalue(kind)
    helped = 0
    for values in unfavourable(scorer, 250, seed=21):
        changes = what_would_change(values, FACTS, FIGURES, scorer)
        assert len(changes.sets) <= MOST_SETS
        assert [each.effort for each in changes.sets] == sorted(each.effort for each in changes.sets)
        assert bool(changes.sets) == (changes.reason is None)
        helped += bool(changes.sets)
        for each in changes.sets:
            assert each.values.keys() <= ACTIONABLE
            assert each.values.get("montant_credit", 5_000) % 5_000 == 0
            changed = after(values, each.values)
            pd = scorer.score(ScoringInput(changed)).pd
            assert pd == pytest.approx(each.pd, abs=1e-12)
            assert pd < FIGURES.threshold_for(str(values["type_credit"]))
            assert {rule.verdict for rule in evaluate_rules(changed, FACTS, FIGURES)} <= {
                "respectee",
                "non_evaluable",
            }
    assert helped >= 50


def test_the_advised_amount_is_accepted_and_the_next_step_breaks_what_is_named(scorer):
    named = set()
    for values in unfavourable(scorer, 250, seed=22):
        amount, reason = max_amount(values, FACTS, FIGURES, scorer)
        if amount is None:
            assert reason
            continue
        assert amount_breaks(values, FACTS, FIGURES, scorer, amount) is None
        above = applied(values, {"montant_credit": amount + 5_000})
        breaks = amount_breaks(values, FACTS, FIGURES, scorer, amount + 5_000)
        broken = {rule.code for rule in evaluate_rules(above, FACTS, FIGURES) if rule.verdict == "violee"}
        held = {
            "risque": scorer.score(ScoringInput(above)).pd
            >= FIGURES.threshold_for(str(values["type_credit"])),
            "plafond_modele": amount + 5_000 > scorer.amount_p99,
        }
        assert breaks in broken or held[breaks]
        assert amount_limit_text(breaks, "fr")
        named.add(breaks)
    assert {"risque", "endettement_max"} <= named


def changes_of(chance, values=VALUES, facts=FACTS, figures=FIGURES):
    return what_would_change(with_ratios(values)[0], facts, figures, ByAmount(chance))


def test_the_least_reduction_of_the_amount_is_found():
    changes = changes_of(lambda amount, _: 0.3 if amount > 512_300 else 0.1)

    (found,) = changes.sets
    assert found.values == {"montant_credit": 510_000}
    assert found.levers == ("amount",)
    assert found.advice.recommendation == "etudier"


def test_a_term_or_the_other_debts_may_suffice():
    changes = changes_of(lambda _amount, ratio: 0.3 if ratio > 35 else 0.1)

    assert {each.levers for each in changes.sets} >= {("amount",), ("term",), ("debts",)}
    term = next(each for each in changes.sets if each.levers == ("term",))
    assert term.values["duree_mois"] > 12


def test_terms_stay_within_the_policy():
    rules = (
        *(rule for rule in FIGURES.rules if rule.code != "duree_max"),
        RuleSetting("duree_max", "bloquante", 15),
    )
    changes = changes_of(
        lambda _amount, ratio: 0.3 if ratio > 30 else 0.1, figures=replace(FIGURES, rules=rules)
    )

    assert changes.sets
    assert all(each.values.get("duree_mois", 0) <= 15 for each in changes.sets)


def test_a_missing_consent_is_asked_for_and_nothing_else():
    changes = changes_of(lambda *_: 0.05, facts=replace(FACTS, consent_given=False))

    (found,) = changes.sets
    assert (found.levers, found.values, found.facts) == (("consent",), {}, {"consent_given": True})


@pytest.mark.parametrize(
    ("changed", "code", "settled"),
    [
        ({"consent_expired_on": "2026-03-15"}, "consentement_expire", {"consent_expired_on": None}),
        ({"data_age_days": 200}, "donnees_anciennes", {"data_age_days": 0}),
    ],
)
def test_what_only_has_to_be_renewed_is_asked_for_and_nothing_else(changed, code, settled):
    """The score's own warnings come with it, as from a stored row."""
    result = what_would_change(
        with_ratios(VALUES)[0], replace(FACTS, **changed), FIGURES, ByAmount(lambda *_: 0.05), [code]
    )

    (found,) = result.sets
    assert (found.values, found.facts) == ({}, settled)
    assert found.advice.recommendation == "accorder"


def test_arrears_are_settled_beside_the_amount():
    facts = replace(FACTS, current_arrears_days=45)
    changes = changes_of(lambda amount, _: 0.3 if amount > 500_000 else 0.1, facts=facts)

    assert changes.sets[0].levers == ("arrears", "amount")


@pytest.mark.parametrize(
    ("facts", "age", "rules"),
    [
        (replace(FACTS, prohibited=True), 40, ("interdiction_credit",)),
        (FACTS, 19, ("age_demande",)),
        (replace(FACTS, probable_duplicate=True), 40, ("doublon_probable",)),
    ],
)
def test_what_nobody_can_change_is_named_and_nothing_proposed(facts, age, rules):
    changes = changes_of(lambda *_: 0.3, {**VALUES, "age": age}, facts)

    assert changes == Changes((), "regle_violee", rules)
    assert "(" in no_change_text(changes, "fr")


def test_a_loan_that_ends_too_late_is_shortened():
    changes = changes_of(
        lambda *_: 0.1, {**VALUES, "age": 68, "duree_mois": 36}, replace(FACTS, consent_given=False)
    )

    assert changes.sets
    assert all(68 + each.values["duree_mois"] / 12 <= 70 for each in changes.sets)


def test_nothing_realistic_is_said_so():
    assert changes_of(lambda *_: 0.9).reason == "aucun"


def test_favourable_advice_needs_nothing():
    assert changes_of(lambda *_: 0.01).reason == "favorable"


def test_a_file_to_be_reviewed_is_led_to_a_favourable_advice():
    changes = changes_of(lambda amount, _: 0.10 if amount > 400_000 else 0.05)

    assert [each.advice.recommendation for each in changes.sets] == ["accorder"]
    assert changes.sets[0].values == {"montant_credit": 400_000}


def test_a_guarantee_and_a_proof_of_income_count_where_the_model_looks_at_them(expert):
    values = with_ratios({**VALUES, "revenu_mensuel": None, "nb_retards_30j": 0})[0]
    values = {name: value for name, value in values.items() if value is not None}
    changes = what_would_change(values, FACTS, FIGURES, expert)

    assert {lever for each in changes.sets for lever in each.levers} & {"guarantee", "document"}


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_lever_has_its_words(expert, lang):
    facts = CaseFacts(consent_given=False, current_arrears_days=60, data_age_days=200)
    said = set()
    for values in unfavourable(expert, 60, seed=5):
        for each in what_would_change(values, facts, FIGURES, expert).sets:
            sentences = change_sentences(each, values, lang)
            assert len(sentences) == len(each.levers)
            assert all(sentence.endswith(".") and "{" not in sentence for sentence in sentences)
            said |= set(each.levers)
    assert {"amount", "term", "consent", "arrears", "guarantee"} <= said
