"""Exact SHAP values of boosted trees, looked up instead of computed row by row.

The path-dependent SHAP vector of a tree (Lundberg 2020, what XGBoost's ``pred_contribs`` gives) depends on a
row only through the outcomes of the tree's splits. Each tree is cut into groups, subtrees of two levels with
the splits above them, and the vector of every combination of outcomes is computed once, in float64. Scoring a
row is then a comparison a split, a look-up a group and a sum: ``base + sum`` *is* the trees' log-odds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import factorial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.trees import Booster, Tree

_FEW_ROWS = 24
_BLOCK = 2_048

Bits = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class _Leaf(NamedTuple):
    """One leaf: its value, its group, its path as (bit in the group, side taken, feature, share) a split."""

    value: float
    group: int
    path: tuple[tuple[int, bool, int, float], ...]


@dataclass(frozen=True, slots=True)
class TreeTables:
    """Tables of several boosters' mean. Arrays are read only, so threads may share them.

    ``table`` is float64 (groups, combinations, features); ``totals`` its sum over features. ``bits`` gives,
    for each group, the numbers of the splits whose outcomes, first bit lowest, make the combination.
    """

    base: float
    table: Floats
    totals: Floats
    bits: Places
    feature: Places
    threshold: npt.NDArray[np.float32]
    missing_right: Bits
    touched: Bits

    def contributions(self, x: Floats) -> Floats:
        """Float64 (rows, features): what each feature adds to ``base`` for encoded rows."""
        blocks = [self._block(x[start : start + _BLOCK]) for start in range(0, len(x), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty((0, self.table.shape[2]))

    def log_odds(self, x: Floats) -> Floats:
        """Float64 (rows): ``base`` plus all contributions, without telling them apart (much faster).

        Groups whose features are the same in every row are looked up once.
        """
        if not len(x):
            return np.empty(0)
        varying = np.array([len(np.unique(column)) > 1 for column in x.T])
        moving = self.touched[:, varying].any(axis=1)
        still = np.flatnonzero(~moving)
        total = self.base + self.totals[still, self._combinations(x[:1], still)[:, 0]].sum()
        groups = np.flatnonzero(moving)
        blocks = [
            self.totals[groups[:, None], self._combinations(x[start : start + _BLOCK], groups)].sum(axis=0)
            for start in range(0, len(x), _BLOCK)
        ]
        found: Floats = total + np.concatenate(blocks)
        return found

    def _block(self, x: Floats) -> Floats:
        groups = np.arange(len(self.bits))
        places = self._combinations(x, groups)
        if len(x) <= _FEW_ROWS:
            few: Floats = np.stack([self.table[groups, places[:, row]].sum(axis=0) for row in range(len(x))])
            return few
        many = np.zeros((len(x), self.table.shape[2]))
        for group, place in enumerate(places):
            many += self.table[group].take(place, axis=0)
        return many

    def _combinations(self, x: Floats, groups: Places) -> npt.NDArray[np.uint8]:
        """Give uint8 (groups, rows): which combination of outcomes each row shows in each group."""
        outcomes = self._outcomes(x)
        bits = self.bits[groups]
        combination = np.zeros((len(groups), len(x)), dtype=np.uint8)
        for bit in range(bits.shape[1]):
            combination |= outcomes[bits[:, bit]] << np.uint8(bit)
        return combination

    def _outcomes(self, x: Floats) -> npt.NDArray[np.uint8]:
        """Give uint8 (splits, rows): 1 where the row goes right, compared in float32 as XGBoost does."""
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in XGBoost
            values = x.astype(np.float32).T[self.feature]
        right = values >= self.threshold[:, None]
        absent = np.isnan(values)
        if absent.any():
            right |= absent & self.missing_right[:, None]
        return right.view(np.uint8)


def tabulate(boosters: Sequence[Booster], features: int) -> TreeTables:
    """Build the tables of the mean of ``boosters`` on ``features`` inputs."""
    trees = [tree for booster in boosters for tree in booster.trees]
    builder = _Builder(max((tree.depth() for tree in trees), default=0))
    for tree in trees:
        builder.add(tree)
    base = sum(booster.base for booster in boosters)
    return builder.tables(base, 1 / len(boosters), features)


class _Builder:
    """Collects splits, groups and leaves of all trees, then fills the tables for all leaves at once."""

    def __init__(self, depth: int) -> None:
        self.depth = max(depth, 1)
        self.root_depth = max(depth - 2, 0)
        self.width = self.root_depth + 3
        self.splits: dict[tuple[int, float, bool], int] = {}
        self.groups: list[list[int]] = []
        self.leaves: list[_Leaf] = []

    def add(self, tree: Tree) -> None:
        self._walk(tree, 0, (), None)

    def _walk(self, tree: Tree, node: int, path: tuple[tuple[int, bool], ...], group: int | None) -> None:
        """Follow every path; a group opens ``root_depth`` splits down, or at a leaf above."""
        if group is None and (len(path) == self.root_depth or tree.is_leaf(node)):
            group = len(self.groups)
            self.groups.append([self._split(tree, above) for above, _ in path])
        if tree.is_leaf(node):
            assert group is not None
            self._leaf(tree, node, path, group)
            return
        if group is not None:
            self.groups[group].append(self._split(tree, node))
        self._walk(tree, tree.left[node], (*path, (node, False)), group)
        self._walk(tree, tree.right[node], (*path, (node, True)), group)

    def _split(self, tree: Tree, node: int) -> int:
        key = (tree.feature[node], tree.threshold[node], tree.default_left[node])
        return self.splits.setdefault(key, len(self.splits))

    def _leaf(self, tree: Tree, node: int, path: tuple[tuple[int, bool], ...], group: int) -> None:
        nodes = [above for above, _ in path] + [node]
        shares = [tree.cover[below] / tree.cover[above] for above, below in pairwise(nodes)]
        bits = self.groups[group]
        steps = tuple(
            (bits.index(self._split(tree, above)), right, tree.feature[above], share)
            for (above, right), share in zip(path, shares, strict=True)
        )
        self.leaves.append(_Leaf(float(np.float32(tree.threshold[node])), group, steps))

    def tables(self, base: float, scale: float, features: int) -> TreeTables:
        bits = np.zeros((max(len(self.groups), 1), self.width), dtype=np.intp)
        for number, group in enumerate(self.groups):
            bits[number, : len(group)] = group
        splits = list(self.splits) or [(0, 0.0, True)]
        feature = np.array([split[0] for split in splits], dtype=np.intp)
        touched = np.zeros((len(bits), features), dtype=bool)
        np.put_along_axis(touched, feature[bits], values=True, axis=1)
        table, mean = _fill(self.leaves, self.depth, (len(bits), self.width, features))
        table *= scale
        return TreeTables(
            (base + mean) * scale,
            table,
            table.sum(axis=2),
            bits,
            feature,
            np.array([split[1] for split in splits], dtype=np.float32),
            np.array([not split[2] for split in splits]),
            touched,
        )


def _fill(leaves: Sequence[_Leaf], depth: int, shape: tuple[int, int, int]) -> tuple[Floats, float]:
    """Give the tables (groups, combinations, features) and the sum of the trees' mean values.

    A leaf is a game of ``depth`` players, one a feature of its path; shorter paths are filled up with players
    that change nothing (share 1, always satisfied), which leaves the others' values as they are.
    """
    groups, width, features = shape
    table = np.zeros(
        (groups, 2**width, features + 1)
    )  # the last column takes the players that are no feature
    if not leaves:
        return table[:, :, :features], 0.0
    satisfied, share, player = _players(leaves, depth, width, features)
    value = np.array([leaf.value for leaf in leaves])
    group = np.array([leaf.group for leaf in leaves])
    everything = np.arange(2**width)
    for slot in range(depth):
        gain = satisfied[:, :, slot] - share[:, None, slot]
        worth = value[:, None] * gain * _weighted_subsets(satisfied, share, slot)
        np.add.at(table, (group[:, None], everything[None, :], player[:, None, slot]), worth)
    return np.ascontiguousarray(table[:, :, :features]), float((value * share.prod(axis=1)).sum())


def _players(leaves: Sequence[_Leaf], depth: int, width: int, features: int) -> tuple[Floats, Floats, Places]:
    """Give satisfied (leaves, combinations, depth) as 0 or 1, then share and feature (leaves, depth)."""
    combination = (np.arange(2**width)[:, None] >> np.arange(width)) & 1 == 1
    satisfied = np.ones((len(leaves), 2**width, depth))
    share = np.ones((len(leaves), depth))
    player = np.full((len(leaves), depth), features, dtype=np.intp)
    for number, leaf in enumerate(leaves):
        slots: dict[int, int] = {}
        for bit, right, feature, part in leaf.path:
            slot = slots.setdefault(feature, len(slots))
            satisfied[number, :, slot] *= combination[:, bit] == right
            share[number, slot] *= part
            player[number, slot] = feature
    return satisfied, share, player


def _weighted_subsets(satisfied: Floats, share: Floats, slot: int) -> Floats:
    """Shapley-weighted sum over subsets of the other players: those inside satisfied, the others by share."""
    depth = share.shape[1]
    by_size = [np.ones(satisfied.shape[:2])]
    for other in (player for player in range(depth) if player != slot):
        inside, outside = satisfied[:, :, other], share[:, None, other]
        grown = [size * outside for size in by_size] + [np.zeros(satisfied.shape[:2])]
        for size, terms in enumerate(by_size):
            grown[size + 1] = grown[size + 1] + terms * inside
        by_size = grown
    weights = [factorial(s) * factorial(depth - s - 1) / factorial(depth) for s in range(depth)]
    total: Floats = sum((w * terms for w, terms in zip(weights, by_size, strict=True)), np.zeros(1))
    return total
