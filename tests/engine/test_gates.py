"""Gates on scores and outcomes whose calibration, order and groups are known."""

import numpy as np
import pytest

from apps.engine.dictionary import STANDARD
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.evaluate import Nested, ece
from apps.engine.training.fairness import fairness_gate, fairness_table
from apps.engine.training.gates import (
    auc_gate,
    calibration_by_type,
    calibration_gates,
    calibration_slope,
    ece_by_chance,
    grades_gate,
    moved_by,
    observed_over_predicted,
    permutation_gate,
    stability_gate,
)
from apps.engine.training.metrics import Figure


def calibrated(rows, seed, factor=1.0):
    """Probabilities of a portfolio, and outcomes drawn from their odds times ``factor``."""
    draw = np.random.default_rng(seed)
    pd = 1 / (1 + np.exp(2.0 - draw.normal(0, 0.9, rows)))
    odds = factor * pd / (1 - pd)
    return pd, (draw.random(rows) < odds / (1 + odds)).astype(np.int8)


def test_a_calibrated_model_of_300_rows_passes_85_times_in_100_at_least():
    passing = sum(calibration_gates(*calibrated(300, seed), seed).holds for seed in range(100))
    assert 85 <= passing <= 98


def test_odds_times_1_4_at_8000_rows_fail_the_gate_of_calibration():
    found = calibration_gates(*calibrated(8_000, 1, factor=1.4))
    assert found.gates["calibration"].verdict == "failed"
    assert found.gates["calibration"].figure > 1.2
    assert not found.holds


def test_a_level_within_a_tenth_passes_however_many_the_rows():
    found = calibration_gates(*calibrated(200_000, 1, factor=1.06))
    assert found.gates["calibration"].verdict == "passed"


def test_probabilities_too_far_apart_fail_the_gate_of_the_slope():
    pd, y = calibrated(8_000, 2)
    far = 1 / (1 + np.exp(-(2.2 * np.log(pd / (1 - pd)) + 2.0)))
    found = calibration_gates(far, y)
    assert found.gates["calibration_slope"].verdict == "failed"
    assert found.slope.high < 0.8


def test_the_slope_agrees_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    pd, y = calibrated(4_000, 3)
    log_odds = np.log(pd / (1 - pd))[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds, y)
    assert calibration_slope(pd, y).value == pytest.approx(theirs.coef_[0, 0], abs=1e-5)


def test_scores_all_alike_have_no_slope_and_fail():
    pd, y = np.full(500, 0.2), np.array([1] * 100 + [0] * 400, dtype=np.int8)
    found = calibration_gates(pd, y)
    assert found.slope.value is None
    assert found.gates["calibration_slope"].verdict == "failed"
    assert found.gates["calibration"].verdict == "passed"


def test_scores_that_differ_by_the_rates_of_their_folds_only_are_all_alike():
    pd = np.repeat([0.2, 0.20001], 250)
    y = np.tile(np.array([1, 0, 0, 0, 0], dtype=np.int8), 100)
    assert calibration_gates(pd, y).gates["calibration_slope"].verdict == "failed"


def test_chance_alone_gives_small_portfolios_a_large_ece():
    small, large = (ece_by_chance(calibrated(rows, 4)[0], 1) for rows in (300, 30_000))
    assert 0.05 < small < 0.09
    assert large < 0.01
    drawn = [ece(*calibrated(300, seed)) for seed in range(200)]
    assert np.mean(np.array(drawn) <= small) == pytest.approx(0.95, abs=0.04)


def test_a_gap_in_the_middle_fails_the_gate_of_ece():
    pd, y = calibrated(20_000, 5)
    order = np.argsort(pd)
    bent = pd.copy()
    bent[order[:10_000]], bent[order[10_000:]] = pd[order[:10_000]] * 1.5, pd[order[10_000:]] * 0.85
    assert calibration_gates(bent, y).gates["ece"].verdict == "failed"


def test_the_interval_of_the_level_holds_one_19_times_in_20():
    inside = 0
    for seed in range(400):
        ratio = observed_over_predicted(*calibrated(400, seed))
        inside += ratio.low <= 1 <= ratio.high
    assert 0.92 <= inside / 400 <= 0.98


@pytest.mark.parametrize(
    ("figure", "verdict", "compared"),
    [
        (Figure(0.75, 0.72, 0.78), "passed", 0.72),
        (Figure(0.60, 0.54, 0.66), "failed", 0.54),
        (Figure(0.92, 0.90, 0.94), "explain", 0.92),
        (Figure(0.98, 0.97, 0.99), "failed", 0.98),
    ],
)
def test_ceilings_of_the_auc(figure, verdict, compared):
    gate = auc_gate(figure)
    assert (gate.verdict, gate.figure) == (verdict, compared)


def test_levels_by_type_are_said_from_30_defaults_on():
    pd, y = calibrated(3_000, 6)
    types = np.array(["consommation"] * 2_900 + ["scolaire"] * 100)
    bold, timid = calibration_by_type(pd, y, types)
    assert (bold["group"], bold["said"], bold["holds"]) == ("consommation", True, True)
    assert timid == {
        "group": "scolaire",
        "rows": 100,
        "defaults": int(y[2_900:].sum()),
        "said": False,
    }


def graded(*rates, rows=400):
    """One grade after another with these shares of default."""
    pd = np.repeat([0.01, 0.03, 0.07, 0.15, 0.30], rows)
    y = np.concatenate([np.arange(rows) < round(rate * rows) for rate in rates]).astype(np.int8)
    return pd, y


def test_default_rises_from_a_to_e():
    assert grades_gate(*graded(0.01, 0.03, 0.07, 0.15, 0.30)).verdict == "passed"


def test_grades_out_of_order_fail_by_name():
    gate = grades_gate(*graded(0.01, 0.15, 0.03, 0.15, 0.30))
    assert (gate.verdict, gate.figure, gate.about) == ("failed", 1.0, ("B>C",))


def test_a_fall_that_chance_explains_is_to_be_explained():
    gate = grades_gate(*graded(0.025, 0.02, 0.07, 0.15, 0.30))
    assert (gate.verdict, gate.about) == ("explain", ("A>B",))


def test_grades_without_rows_are_passed_over():
    pd, y = graded(0.01, 0.03, 0.07, 0.15, 0.30)
    kept = (pd != 0.07) & (pd != 0.30)
    assert grades_gate(pd[kept], y[kept]).verdict == "passed"


# Stability


def uniform(rows, seed, shift=0.0):
    x = np.random.default_rng(seed).normal(shift, 1, (rows, 1))
    return TrainingSet((STANDARD["taux_endettement"],), x, np.zeros(rows, dtype=np.int8))


def test_a_sample_has_not_moved_from_itself():
    x = uniform(2_000, 1).x[:, 0]
    assert moved_by(x, x).psi == pytest.approx(0)
    assert moved_by(x, x).limit == 0.25


def test_chance_alone_rarely_passes_its_limit():
    above = 0
    for seed in range(200):
        then, now = (uniform(rows, seed + rows).x[:, 0] for rows in (3_000, 60))
        above += moved_by(then, now).passed
    assert above <= 3


def test_missing_values_and_codes_have_bins_of_their_own():
    then, now = np.zeros(1_000), np.zeros(1_000)
    now[:400] = np.nan
    assert moved_by(then, now).passed
    assert moved_by(np.repeat([0.0, 1.0], 500), np.repeat([0.0, 1.0], [900, 100]), codes=2).passed


def test_a_score_that_moved_fails_and_a_variable_that_moved_is_explained():
    then, same, moved = uniform(4_000, 1), uniform(1_000, 2), uniform(1_000, 3, shift=1.5)
    level = np.full(len(then.x), 0.1) + then.x[:, 0] / 100
    assert stability_gate(then, same, level, level[:1_000]).verdict == "passed"
    explained = stability_gate(then, moved, level, level[:1_000])
    assert (explained.verdict, explained.about) == ("explain", ("taux_endettement",))
    assert stability_gate(then, moved, level, 0.1 + moved.x[:, 0] / 100).verdict == "failed"


# Shuffled outcomes


def test_a_procedure_that_leaks_is_told_by_shuffled_outcomes():
    draw = np.random.default_rng(1)
    y = (draw.random(2_000) < 0.2).astype(np.int8)
    fold = (np.arange(2_000) % 5).astype(np.int8)
    honest = permutation_gate(Nested(draw.random(2_000), y, fold))
    leaking = permutation_gate(Nested(draw.random(2_000) + 0.3 * y, y, fold))
    assert (honest.verdict, leaking.verdict) == ("passed", "failed")
    assert honest.low < honest.figure < honest.high < leaking.figure


def test_scores_all_alike_learn_nothing_from_shuffled_outcomes():
    y = np.array([1] * 20 + [0] * 80, dtype=np.int8)
    gate = permutation_gate(Nested(np.full(100, 0.2), y, np.zeros(100, dtype=np.int8)))
    assert (gate.verdict, gate.figure) == ("passed", 0.5)


# Fairness


@pytest.fixture
def advised():
    """200 good payers a group: 90 % of the women and 60 % of the men are below the threshold."""
    sexe = np.array(["F"] * 200 + ["M"] * 200 + [""] * 10)
    pd = np.concatenate([np.repeat([0.05, 0.5], [180, 20]), np.repeat([0.05, 0.5], [120, 80]), np.zeros(10)])
    return pd, np.zeros(410, dtype=np.int8), np.full(410, 0.15), sexe


def test_a_group_under_four_fifths_is_to_be_explained(advised):
    pd, y, thresholds, sexe = advised
    table = fairness_table(pd, y, thresholds, {"sexe": sexe})
    assert [(each["group"], each["favourable_good"]) for each in table["sexe"]] == [("F", 0.9), ("M", 0.6)]
    gate = fairness_gate(table)
    assert (gate.verdict, gate.about) == ("explain", ("sexe:M",))
    assert gate.figure == pytest.approx(2 / 3)


def test_groups_under_thirty_are_hidden(advised):
    pd, y, thresholds, _sexe = advised
    table = fairness_table(pd, y, thresholds, {"agency": np.where(np.arange(410) < 20, "Nord", "Sud")})
    assert table["agency"][0] == {"group": "Nord", "hidden": True, "ratio": None}
    assert fairness_gate(table).verdict == "passed"


def test_without_groups_fairness_is_only_shown(advised):
    pd, y, thresholds, _ = advised
    assert (
        fairness_gate(fairness_table(pd, y, thresholds, {"type_credit": np.full(410, "x")})).verdict
        == "shown"
    )
