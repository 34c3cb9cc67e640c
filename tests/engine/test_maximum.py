"""The maximal advised amount, on the whole grid."""

from dataclasses import replace

import pytest

from apps.engine import compiled
from apps.engine.contracts import CaseFacts, PolicyFigures, RuleSetting
from apps.engine.maximum import LoanGrid
from apps.engine.policy import advise, default_rules, max_amount
from apps.engine.ratios import monthly_instalment, with_ratios
from tests.engine.conftest import random_columns, rows_of

FACTS = CaseFacts()
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
LIMITED = PolicyFigures(rules=(RuleSetting("montant_max", "bloquante", 1_000_000),))
DEBT = RuleSetting("endettement_max", "a_revoir", 50.0)


class Fake:
    """Scores by a function of amount and debt service; remembers how many rows each call had."""

    def __init__(self, chance, p99=None, *, rising=False):
        self.chance = chance
        self.amount_p99 = p99
        self.rising = rising
        self.calls = []

    def never_falls_with(self, names):
        return self.rising

    def first_below(self, _values, _steps, _limit):
        return None

    def probabilities(self, columns, rows):
        self.calls.append(rows)
        amounts = columns["montant_credit"]
        ratios = columns.get("taux_endettement")
        ratios = ratios if isinstance(ratios, list) else [ratios] * rows
        return [self.chance(a, r) for a, r in zip(amounts, ratios, strict=True)]


def search(chance, values=VALUES, figures=LIMITED, facts=FACTS, cap=None, p99=None):
    return max_amount(with_ratios(values)[0], facts, figures, Fake(chance, p99), cap)


def test_the_largest_amount_below_the_threshold():
    assert search(lambda amount, _: 0.0 if amount <= 432_100 else 0.15) == (430_000, None)


def test_a_probability_at_the_threshold_is_too_much():
    assert search(lambda amount, _: 0.15 if amount > 500_000 else 0.1499) == (500_000, None)


def test_the_grid_is_scanned_whole_because_risk_may_fall_again():
    assert search(lambda amount, _: 0.0 if amount in {15_000, 640_000} else 0.9) == (640_000, None)


@pytest.mark.parametrize(
    ("cap", "p99", "expected"),
    [
        (None, None, 1_000_000),
        (None, 777_777.0, 775_000),
        (333_000, 777_777.0, 330_000),
        (9e9, None, 1_000_000),
    ],
)
def test_the_lowest_cap_holds(cap, p99, expected):
    assert search(lambda *_: 0.0, cap=cap, p99=p99) == (expected, None)


def test_the_type_s_own_cap_holds():
    rule = RuleSetting("montant_max", "bloquante", 1_000_000, {"scolaire": 300_000})
    found = search(lambda *_: 0.0, {**VALUES, "type_credit": "scolaire"}, PolicyFigures(rules=(rule,)))
    assert found == (300_000, None)


def test_the_debt_rule_is_kept_with_ratios_computed_again():
    figures = PolicyFigures(rules=(*LIMITED.rules, DEBT))
    amount, reason = search(lambda *_: 0.0, figures=figures)
    assert reason is None
    per_xaf = monthly_instalment(1, 24, 12)
    assert 20_000 + amount * per_xaf <= 100_000 < 20_000 + (amount + 5_000) * per_xaf


def test_the_model_sees_the_ratios_of_each_amount():
    seen = {}

    def chance(amount, ratio):
        seen[amount] = ratio
        return 1.0

    search(chance)
    assert seen[100_000] == pytest.approx(100 * (20_000 + monthly_instalment(100_000, 24, 12)) / 200_000)
    assert len(seen) == 199  # 10,000 to 1,000,000 by 5,000


def test_debts_behind_a_ratio_that_was_sent_are_kept():
    """A partner sends only the ratio: what exceeds this credit's instalment is other debt."""
    sent = {**VALUES, "taux_endettement": 60.0, "ratio_dette_revenu": 0.5}
    del sent["mensualites_en_cours"], sent["encours_autres_dettes"]
    grid = LoanGrid.below(1_000_000, sent, smallest=10_000)
    assert grid.debt_ratio(600_000) == pytest.approx(60.0)
    assert grid.other_debts == pytest.approx(0.5 * 2_400_000 - 600_000)


def test_many_rows_are_scored_in_one_call():
    scorer = Fake(lambda *_: 1.0)
    assert max_amount(VALUES, FACTS, LIMITED, scorer) == (None, "risque")
    assert scorer.calls == [199]


@pytest.mark.parametrize(
    ("values", "figures", "facts", "reason"),
    [
        ({}, LIMITED, FACTS, "risque"),
        ({"age": 20}, PolicyFigures(rules=default_rules()), FACTS, "regle_violee"),
        ({}, PolicyFigures(rules=default_rules()), CaseFacts(prohibited=True), "regle_violee"),
        ({}, PolicyFigures(), FACTS, "plafond_inconnu"),
        (
            {},
            PolicyFigures(rules=(RuleSetting("montant_max", "bloquante", 9_999),)),
            FACTS,
            "plafond_trop_bas",
        ),
        ({"revenu_mensuel": None, "taux_endettement": 30.0}, LIMITED, FACTS, "revenu_inconnu"),
        (
            {"mensualites_en_cours": 150_000},
            PolicyFigures(rules=(*LIMITED.rules, DEBT)),
            FACTS,
            "endettement",
        ),
    ],
)
def test_why_no_amount_is_advised(values, figures, facts, reason):
    assert search(lambda *_: 1.0, {**VALUES, **values}, figures, facts) == (None, reason)


def test_without_income_nor_ratios_the_model_alone_decides():
    values = {name: value for name, value in VALUES.items() if name != "revenu_mensuel"}
    assert search(lambda _, ratio: 0.0 if ratio is None else 1.0, values) == (1_000_000, None)


def test_the_amount_asked_may_break_the_rules_that_a_smaller_one_keeps():
    figures = PolicyFigures(rules=default_rules())
    amount, reason = search(lambda *_: 0.0, {**VALUES, "montant_credit": 50_000_000}, figures)
    assert reason is None
    assert amount < 50_000_000


@pytest.mark.parametrize("limit", [0, 9_999, 10_000, 12_345, 432_100, 995_000, 999_999, 1_000_000, 2_000_000])
def test_where_risk_only_rises_the_search_finds_what_the_scan_finds(limit):
    found = []
    for rising in (False, True):
        fake = Fake(lambda amount, _: 0.1 if amount <= limit else 0.2, rising=rising)
        grid = LoanGrid.below(1_000_000, with_ratios(VALUES)[0], smallest=10_000)
        found.append(grid.largest_below(0.15, fake))
    assert (
        found[0]
        == found[1]
        == (limit // 5_000 * 5_000 if limit >= 10_000 else None, 1_000_000)[limit > 1_000_000]
    )
    assert sum(fake.calls) < 40


def test_a_model_with_monotone_constraints_is_searched_and_others_are_scanned(scorer):
    loan = {"montant_credit", "taux_endettement", "ratio_dette_revenu"}
    assert scorer.never_falls_with(loan)
    assert not scorer.never_falls_with({*loan, "anciennete_travail_mois"})  # more of it lowers the risk
    assert not scorer.never_falls_with({"type_credit"})


def test_a_real_model_agrees_with_scoring_each_amount(scorer):
    values, _ = with_ratios({**VALUES, "nb_retards_30j": 1, "anciennete_travail_mois": 24})
    figures = replace(LIMITED, default_threshold=0.1)
    amount, reason = max_amount(values, FACTS, figures, scorer)
    grid = LoanGrid.below(min(1_000_000, scorer.amount_p99), values, smallest=10_000)
    pd = scorer.score_columns(grid.columns(grid.amounts), len(grid.amounts)).pd
    under = [a for a, p in zip(grid.amounts, pd, strict=True) if p < 0.1]
    assert 0 < len(under) < len(grid.amounts)
    assert (amount, reason) == (max(under), None)


def test_advice_carries_the_amount(scorer):
    from apps.engine.contracts import ScoringInput

    values, _ = with_ratios(VALUES)
    figures = replace(LIMITED, default_threshold=0.3)
    found = advise(scorer.score(ScoringInput(values)), values, FACTS, figures, scorer=scorer)
    assert (found.max_amount_xaf, found.max_amount_reason) == max_amount(values, FACTS, figures, scorer)


def test_machine_code_finds_the_same_amount(scorer, monkeypatch):
    """Which of the two searches depends on the process: a replay must not."""
    cases = []
    for number, values in enumerate(rows_of(random_columns(600, seed=11))):
        known = {**values, "montant_credit": 50_000 + 3_000 * number}
        if number % 5 == 0:
            known = {name: value for name, value in known.items() if name != "taux_endettement"}
        cases.append(known)
    figures = [
        replace(LIMITED, default_threshold=share, rules=(*LIMITED.rules, *rules))
        for share in (0.0, 0.02, 0.08, 0.15, 0.4, 1.0)
        for rules in ((), (DEBT,))
    ]
    monkeypatch.setattr(compiled, "_ready", {})
    slow = [max_amount(case, FACTS, figures[at % 12], scorer) for at, case in enumerate(cases)]
    assert len({amount for amount, _reason in slow}) > 40

    compiled.prepare()
    monkeypatch.setattr(type(scorer), "probabilities", None)  # nobody asks it any more

    assert [max_amount(case, FACTS, figures[at % 12], scorer) for at, case in enumerate(cases)] == slow


def test_without_an_income_the_search_moves_the_amount_alone(scorer, monkeypatch):
    without = {"revenu_mensuel", "taux_endettement", "ratio_dette_revenu"}
    cases = [
        {name: value for name, value in values.items() if name not in without}
        for values in rows_of(random_columns(100, seed=12))
    ]
    figures = replace(LIMITED, default_threshold=0.12)
    monkeypatch.setattr(compiled, "_ready", {})
    slow = [max_amount(case, FACTS, figures, scorer) for case in cases]
    assert {reason for _amount, reason in slow} >= {None, "risque"}

    compiled.prepare()

    assert [max_amount(case, FACTS, figures, scorer) for case in cases] == slow
