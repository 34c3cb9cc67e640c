"""Boosted trees read from XGBoost's own JSON, without XGBoost: plain numbers, checked before use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST = 6
_MOST_NODES = 2 ** (DEEPEST + 1) - 1


class TreesRefused(ValueError):
    """The file is no boosted model this engine can walk."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree by node number: children (-1 at a leaf), split, where missing goes, rows' weight, leaf value.

    A row goes left where ``float32(x) < float32(threshold)``; thresholds and values are float32 numbers.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    default_left: tuple[bool, ...]
    cover: tuple[float, ...]

    def is_leaf(self, node: int) -> bool:
        return self.left[node] < 0

    def depth(self) -> int:
        """Longest path, in splits."""
        return self._below(0)

    def _below(self, node: int) -> int:
        if self.is_leaf(node):
            return 0
        return 1 + max(self._below(self.left[node]), self._below(self.right[node]))


@dataclass(frozen=True, slots=True)
class Booster:
    """Trees that add up to log-odds of default, from the log-odds of ``base_score``."""

    base: float
    trees: tuple[Tree, ...]


def booster_from(document: Mapping[str, Any], features: int) -> Booster:
    """Read the JSON of a binary logistic booster on ``features`` inputs; raises TreesRefused otherwise."""
    try:
        learner = document["learner"]
        if learner["objective"]["name"] != "binary:logistic":
            raise TreesRefused("the objective is not binary:logistic")
        score = float(learner["learner_model_param"]["base_score"].strip("[]"))
        trees = tuple(_tree(given, features) for given in learner["gradient_booster"]["model"]["trees"])
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        raise TreesRefused(f"unreadable trees: {error}") from error
    if not 0 < score < 1:
        raise TreesRefused("the base score is no probability")
    return Booster(math.log(score) - math.log1p(-score), trees)


def _tree(given: Mapping[str, Any], features: int) -> Tree:
    tree = Tree(
        tuple(map(int, given["left_children"])),
        tuple(map(int, given["right_children"])),
        tuple(map(int, given["split_indices"])),
        tuple(map(float, given["split_conditions"])),
        tuple(bool(goes) for goes in given["default_left"]),
        tuple(map(float, given["sum_hessian"])),
    )
    if any(given.get("split_type", ())) or given.get("categories"):
        raise TreesRefused("categorical splits are not supported")
    _check(tree, features)
    return tree


def _check(tree: Tree, features: int) -> None:
    """Refuse what could loop, reach outside its arrays or give no number."""
    nodes = len(tree.left)
    columns = (tree.right, tree.feature, tree.threshold, tree.default_left, tree.cover)
    if not 0 < nodes <= _MOST_NODES or any(len(column) != nodes for column in columns):
        raise TreesRefused("a tree has the wrong number of nodes")
    for node in range(nodes):
        _check_node(tree, node, nodes, features)
    reached = [child for pair in (tree.left, tree.right) for child in pair if child >= 0]
    if len(reached) != len(set(reached)) or tree.depth() > DEEPEST:
        raise TreesRefused("nodes do not form a tree of a supported depth")


def _check_node(tree: Tree, node: int, nodes: int, features: int) -> None:
    number = tree.threshold[node]
    # A split at -Infinity parts known values from missing ones; a leaf's number is added up.
    unusable = math.isinf(number) if tree.is_leaf(node) else math.isnan(number)
    if unusable or math.isnan(number) or not 0 < tree.cover[node] < math.inf:
        raise TreesRefused("a node holds no usable number")
    if tree.is_leaf(node):
        return
    children = (tree.left[node], tree.right[node])
    if not all(node < child < nodes for child in children) or not 0 <= tree.feature[node] < features:
        raise TreesRefused("a node points outside the tree or its inputs")
