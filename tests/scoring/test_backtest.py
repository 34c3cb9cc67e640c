"""Past scores under another policy: the same advice as the engine's, computed where the rows are."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.engine.contracts import CaseFacts, PolicyFigures, RuleSetting
from apps.engine.policy import default_rules, evaluate_rules, recommend
from apps.engine.scorecard import band
from apps.scoring.backtest import ADVICE, backtest, changed_files, threshold_curve, with_threshold
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import draft_of, policy_on
from apps.scoring.validators import PolicyCosts, PolicyDraft, TypeCosts
from tests.scoring.proposing import score_many

pytestmark = pytest.mark.django_db
COSTS = TypeCosts(300_000, 10, 22.0, 6.0, 1.0, 5_000)
SEVERE = PolicyFigures(
    default_threshold=0.06,
    thresholds={"scolaire": 0.03, "agricole": 0.30},
    rules=(
        RuleSetting("age_demande", "bloquante", 25, {"scolaire": 30}),
        RuleSetting("age_fin", "a_revoir", 45),
        RuleSetting("endettement_max", "bloquante", 33.0),
        RuleSetting("montant_max", "a_revoir", 200_000, {"consommation": 100_000}),
        RuleSetting("duree_max", "a_revoir", 8),
        RuleSetting("consentement", "a_revoir"),
        RuleSetting("arrieres_en_cours", "bloquante", 1),
    ),
)
POLICIES = {
    "standard": PolicyFigures(rules=default_rules()),
    "no rule": PolicyFigures(),
    "severe": SEVERE,
}


@pytest.fixture
def many(world):
    score_many(world)


def files():
    """Return the last score of each application, and every score by values."""
    found, seen = [], set()
    for row in Prediction.objects.order_by("-created_at", "-pk"):
        if row.application_id is None or row.application_id not in seen:
            found.append(row)
            seen.add(row.application_id)
    return found


def advised(row, figures):
    rules = evaluate_rules(row.inputs, CaseFacts(**row.facts), figures)
    level = band(row.pd, figures.threshold_for(str(row.inputs.get("type_credit"))))
    return recommend(level, rules, row.warnings)


@pytest.mark.parametrize("name", POLICIES)
def test_the_database_advises_as_the_engine(world, many, name):
    by, after = world.actor(world.risk_manager), PolicyDraft(POLICIES[name])
    with world.scope():
        before = draft_of(policy_on())
        told = backtest(by, before=before, after=after)
        rows = files()
        expected = [(advised(row, before.figures), advised(row, after.figures)) for row in rows]
        changed = {row.uid: (row.old, row.new) for row in changed_files(by, before=before, after=after)}

    counts = tuple(tuple(sum(pair == (old, new) for pair in expected) for new in ADVICE) for old in ADVICE)
    assert told.moves == counts
    assert told.after.total == told.before.total == len(rows) > 50
    assert {uid: (ADVICE[old], ADVICE[new]) for uid, (old, new) in changed.items()} == {
        row.uid: pair for row, pair in zip(rows, expected, strict=True) if pair[0] != pair[1]
    }
    assert told.changed == len(changed)
    accepted = [row.pd for row, pair in zip(rows, expected, strict=True) if pair[1] != "refuser"]
    assert told.after.mean_pd == pytest.approx(sum(accepted) / len(accepted))


def test_profit_is_that_of_the_accepted_files_whose_costs_are_known(world, many):
    costs = PolicyCosts(by_type={"scolaire": COSTS, "consommation": replace(COSTS, fee_percent=3.0)})
    draft = PolicyDraft(POLICIES["standard"], costs)
    with world.scope():
        told = backtest(world.actor(world.risk_manager), before=draft, after=draft)
        rows = [row for row in files() if advised(row, draft.figures) != "refuser"]
    expected, priced = 0.0, 0
    for row in rows:
        each = costs.by_type.get(row.inputs["type_credit"])
        if each is None:
            continue
        amount, months = row.inputs["montant_credit"], row.inputs["duree_mois"]
        rate = row.inputs.get("taux_interet") or each.rate_percent
        margin = amount * ((rate - 6.0) / 100 * (months + 1) / 24 + each.fee_percent / 100) - 5_000
        lgd = 0.35 if row.facts["real_security"] else 0.5
        ead = 1.0 if row.facts["in_fine"] else 0.65
        expected += (1 - row.pd) * margin - row.pd * lgd * ead * amount
        priced += 1

    assert priced > 5
    assert (told.after.priced, told.changed) == (priced, 0)
    assert told.after.profit_xaf == pytest.approx(expected, abs=1)


def test_the_curve_says_what_each_threshold_says(world, many):
    draft = PolicyDraft(SEVERE, PolicyCosts(by_type={"consommation": COSTS}))
    grid = [0.01, 0.05, 0.15, 0.5]
    by = world.actor(world.risk_manager)
    with world.scope():
        curve = threshold_curve(by, draft, grid)
        for point in curve:
            told = backtest(by, before=draft, after=with_threshold(draft, point.threshold)).after
            assert point.accepted_share == told.accepted_share
            assert point.profit_xaf == told.profit_xaf
            assert point.mean_pd == pytest.approx(told.mean_pd)
        of_type = threshold_curve(by, draft, grid, credit_type="scolaire")
    assert [each.threshold for each in curve] == grid
    assert of_type != curve


def test_one_statement_and_few_rows_whatever_the_number_of_scores(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        draft = draft_of(policy_on())
        with CaptureQueriesContext(connection) as seen:
            backtest(by, before=draft, after=with_threshold(draft, 0.05))
            threshold_curve(by, draft, [0.05, 0.1])
    assert len(seen) == 2
    assert all("GROUP BY" in query["sql"] for query in seen.captured_queries)


def test_an_empty_portfolio_says_nothing_and_fails_nothing(world, monkeypatch):
    tomorrow = timezone.localdate() + timezone.timedelta(days=1)
    monkeypatch.setattr("apps.scoring.backtest.first_day", lambda: tomorrow)
    by = world.actor(world.risk_manager)
    with world.scope():
        draft = draft_of(policy_on())
        told = backtest(by, before=draft, after=draft)
        curve = threshold_curve(by, draft, [0.1])
        assert list(changed_files(by, before=draft, after=with_threshold(draft, 0.01))) == []
    assert (told.after.total, told.after.accepted_share, told.after.mean_pd) == (0, None, None)
    assert (told.after.profit_xaf, told.changed) == (0, 0)
    assert curve[0].accepted_share == 0


def test_files_of_other_agencies_and_institutions_stay_out(world, many):
    with world.scope():
        draft = draft_of(policy_on())
        everything = backtest(world.actor(world.risk_manager), before=draft, after=draft).after.total
        limited = replace(world.actor(world.risk_manager), agency_ids=frozenset({0}))
        assert backtest(limited, before=draft, after=draft).after.total < everything
    with world.scope("ngwa"):
        other = backtest(world.actor("risques@ngwa.demo"), before=draft, after=draft)
        assert other.after.total == len(files())
