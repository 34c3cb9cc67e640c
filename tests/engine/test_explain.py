"""Tabulated SHAP values against their definition and against XGBoost, for several tree shapes."""

import json
from itertools import combinations
from math import factorial

import numpy as np
import pytest

from apps.engine import compiled
from apps.engine.tabulating import tabulate
from apps.engine.trees import Booster, Tree, TreesRefused, booster_from

# Two splits on feature 0 and one on feature 1: the second split on 0 meets the first on its path.
TREE = Tree(
    left=(1, 3, -1, -1, 5, -1, -1),
    right=(2, 4, -1, -1, 6, -1, -1),
    feature=(0, 1, 0, 0, 0, 0, 0),
    threshold=(2.0, 1.0, 3.0, -1.0, 0.0, 0.5, 4.0),
    default_left=(True, False, False, False, True, False, False),
    cover=(10.0, 6.0, 4.0, 2.0, 4.0, 1.0, 3.0),
)


def value_of(row, known, node=0):
    """Expect the tree's value when only the features ``known`` of ``row`` are told."""
    if TREE.is_leaf(node):
        return TREE.threshold[node]
    left, right = TREE.left[node], TREE.right[node]
    x = row[TREE.feature[node]]
    if TREE.feature[node] in known:
        goes_left = TREE.default_left[node] if np.isnan(x) else x < TREE.threshold[node]
        return value_of(row, known, left if goes_left else right)
    shares = TREE.cover[left] / TREE.cover[node], TREE.cover[right] / TREE.cover[node]
    return shares[0] * value_of(row, known, left) + shares[1] * value_of(row, known, right)


def shapley(row, features):
    found = []
    for feature in range(features):
        others = [other for other in range(features) if other != feature]
        subsets = [set(s) for size in range(features) for s in combinations(others, size)]
        weights = [
            factorial(len(s)) * factorial(features - len(s) - 1) / factorial(features) for s in subsets
        ]
        gains = [value_of(row, s | {feature}) - value_of(row, s) for s in subsets]
        found.append(sum(w * g for w, g in zip(weights, gains, strict=True)))
    return found


def test_tables_hold_shapley_values_by_their_definition():
    tables = tabulate([Booster(0.25, (TREE,))], 3)
    nan = float("nan")
    rows = np.array([[a, b, 0.0] for a in (-1.0, 0.0, 1.0, 2.0, 5.0, nan) for b in (0.0, 1.0, nan)])
    expected = [shapley(row, 3) for row in rows]
    assert np.abs(tables.contributions(rows) - expected).max() < 1e-12
    assert tables.base == pytest.approx(0.25 + value_of(rows[0], set()))


def boosted(depth, rounds):
    import xgboost

    draw = np.random.default_rng(3)
    x = draw.normal(size=(600, 5))
    x[draw.random(x.shape) < 0.15] = np.nan
    y = (np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) * np.nan_to_num(x[:, 2]) > 0.2).astype(int)
    rows = xgboost.DMatrix(x.astype(np.float32), label=y)
    trained = xgboost.train({"objective": "binary:logistic", "max_depth": depth, "nthread": 1}, rows, rounds)
    return x, rows, trained, json.loads(bytes(trained.save_raw("json")))


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
def test_tables_equal_xgboost_for_every_supported_depth_with_missing_values(depth):
    x, rows, trained, document = boosted(depth, 12)
    tables = tabulate([booster_from(document, 5)], 5)
    theirs = trained.predict(rows, pred_contribs=True)
    assert np.abs(tables.contributions(x) - theirs[:, :-1]).max() < 1e-5
    assert np.abs(tables.log_odds(x) - trained.predict(rows, output_margin=True)).max() < 1e-5


def test_tables_equal_xgboost_on_ten_thousand_rows_few_or_many_at_a_time():
    """One row, some and many take three ways; all give XGBoost's own values."""
    import xgboost

    _, _, trained, document = boosted(5, 300)
    tables = tabulate([booster_from(document, 5)], 5)
    draw = np.random.default_rng(11)
    x = draw.normal(size=(10_000, 5))
    x[draw.random(x.shape) < 0.15] = np.nan
    theirs = trained.predict(xgboost.DMatrix(x.astype(np.float32), nthread=1), pred_contribs=True)[:, :-1]

    many = tables.contributions(x)
    some = np.concatenate(
        [tables.contributions(x[start : start + 2_000]) for start in range(0, 10_000, 2_000)]
    )
    few = np.concatenate([tables.contributions(x[row : row + 1]) for row in range(200)])

    assert np.abs(many - theirs).max() < 1e-5
    assert np.abs(many - some).max() < 1e-12
    assert np.abs(many[:200] - few).max() < 1e-12


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
def test_each_of_many_rows_gets_bit_for_bit_what_it_gets_alone(depth):
    """Sums in the order of the groups, whatever their number of bits and however many are done at once."""
    x, _, _, document = boosted(depth, 25)
    tables = tabulate([booster_from(document, 5)], 5)
    rows = np.resize(x, (9_001, 5))
    alone = np.concatenate([tables.contributions(row[None]) for row in x])
    assert (tables.contributions(rows) == np.resize(alone, rows.shape)).all()


def test_what_is_beyond_float32_is_infinite_for_many_rows_as_for_few():
    x, _, _, document = boosted(3, 12)
    tables = tabulate([booster_from(document, 5)], 5)
    rows = np.resize(np.concatenate([x, np.full((4, 5), 1e300), np.full((4, 5), -1e300)]), (9_000, 5))

    assert np.abs(tables.contributions(rows)[:2_000] - tables.contributions(rows[:2_000])).max() < 1e-12


def test_a_split_at_minus_infinity_parts_known_from_missing():
    split = Tree(
        (1, -1, -1), (2, -1, -1), (0, 0, 0), (-np.inf, 1.0, 3.0), (True, False, False), (4.0, 1.0, 3.0)
    )
    tables = tabulate([Booster(0.0, (split,))], 1)
    rows = np.array([[np.nan], [-1e30], [0.0]])
    assert tables.log_odds(rows).tolist() == [1.0, 3.0, 3.0]
    assert (tables.base + tables.contributions(rows).sum(axis=1)).tolist() == [1.0, 3.0, 3.0]


def test_the_mean_of_boosters_is_tabulated():
    x, _, _, document = boosted(3, 5)
    booster = booster_from(document, 5)
    one, two = tabulate([booster], 5), tabulate([booster, Booster(booster.base + 1, booster.trees)], 5)
    assert two.base == pytest.approx(one.base + 0.5)
    assert np.allclose(one.contributions(x), two.contributions(x), atol=1e-12)


def test_trees_that_are_leaves_only_move_the_base():
    leaf = Tree((-1,), (-1,), (0,), (0.5,), (False,), (1.0,))
    tables = tabulate([Booster(0.0, (leaf,))], 2)
    assert tables.base == 0.5
    assert tables.log_odds(np.zeros((3, 2))).tolist() == [0.5] * 3


@pytest.fixture
def document():
    return boosted(2, 1)[3]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("left_children", 0),  # a loop
        ("left_children", 99),
        ("left_children", 2),  # the right child too
        ("left_children", "x"),
        ("split_indices", 5),
        ("split_indices", -1),
        ("split_conditions", float("nan")),
        ("sum_hessian", 0.0),
        ("sum_hessian", float("inf")),
        ("split_type", 1),
    ],
)
def test_trees_that_could_not_be_walked_safely_are_refused(document, key, value):
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["right_children"][0] == 2
    tree[key][0] = value
    with pytest.raises(TreesRefused):
        booster_from(document, 5)


@pytest.mark.parametrize("key", ["left_children", "right_children", "default_left", "sum_hessian"])
@pytest.mark.parametrize("column", [None, [], [0]])
def test_a_tree_whose_columns_do_not_match_is_refused(document, key, column):
    document["learner"]["gradient_booster"]["model"]["trees"][0][key] = column
    with pytest.raises(TreesRefused):
        booster_from(document, 5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learner_model_param", {"base_score": "2"}),
        ("learner_model_param", {"base_score": []}),
        ("learner_model_param", {}),
        ("objective", {"name": "reg:squarederror"}),
        ("gradient_booster", None),
    ],
)
def test_a_document_that_is_no_such_model_is_refused(document, key, value):
    document["learner"][key] = value
    with pytest.raises(TreesRefused):
        booster_from(document, 5)


def test_trees_too_deep_are_refused():
    _, _, _, document = boosted(8, 3)
    with pytest.raises(TreesRefused):
        booster_from(document, 5)


def test_machine_code_for_few_rows_gives_the_same_bits(monkeypatch):
    """Which of the two answers depends on the process: a replay must not."""
    _, _, _, document = boosted(4, 60)
    tables = tabulate([booster_from(document, 5)], 5)
    rows = np.random.default_rng(7).normal(size=(400, 5)) * 3
    rows[rows > 4] = np.nan
    rows[5, 0], rows[6, 1] = np.inf, -np.inf
    slow = [(tables.contributions(row[None]), tables.log_odds(row[None])) for row in rows]
    together = tables.log_odds(rows[:20])

    monkeypatch.setattr(compiled, "_ready", {})
    compiled.prepare()

    for row, (parts, odds) in zip(rows, slow, strict=True):
        assert (tables.contributions(row[None]) == parts).all()
        assert (tables.log_odds(row[None]) == odds).all()
    assert (tables.log_odds(rows[:20]) == together).all()
