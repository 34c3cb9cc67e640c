"""How the tables of boosted trees are built, once, when a model is published or loaded."""

from collections.abc import Sequence
from itertools import pairwise
from math import factorial
from typing import NamedTuple

import numpy as np

from apps.engine.encoding import Floats
from apps.engine.explain import Places, Shorts, TreeTables, TreeWalk
from apps.engine.trees import Booster, Tree

#: Tables of so many leaves are filled at once: bounds the memory that building takes.
_LEAVES = 4_096


class _Leaf(NamedTuple):
    """One leaf: its value, its group, its path as (bit in the group, side taken, feature, share) a split."""

    value: float
    group: int
    path: tuple[tuple[int, bool, int, float], ...]


def tabulate(boosters: Sequence[Booster], features: int) -> TreeTables:
    """Build the tables of the mean of ``boosters`` on ``features`` inputs."""
    trees = [tree for booster in boosters for tree in booster.trees]
    builder = _Builder(max((tree.depth() for tree in trees), default=0))
    for tree in trees:
        builder.add(tree)
    base = sum(booster.base for booster in boosters)
    scale = 1 / len(boosters)
    return builder.tables(base, scale, features, _walk_of(trees, base, scale, builder))


class _Builder:
    """Collects splits, groups and leaves of all trees, then fills the tables for all leaves at once."""

    def __init__(self, depth: int) -> None:
        self.depth = max(depth, 1)
        self.root_depth = max(depth - 2, 0)
        self.width = self.root_depth + 3
        self.splits: dict[tuple[int, float, bool], int] = {}
        self.groups: list[list[int]] = []
        self.leaves: list[_Leaf] = []
        self.falling: set[int] = set()
        self._order: list[int] = []

    def add(self, tree: Tree) -> None:
        self._walk(tree, 0, (), None)
        self._note_falling(tree, 0)

    def _note_falling(self, tree: Tree, node: int) -> tuple[float, float]:
        """Give the least and the largest leaf below a node; note features that lower the value as they grow.

        A split whose right side holds no leaf below any leaf of its left side cannot do so: that is how
        XGBoost keeps its monotone constraints.
        """
        if tree.is_leaf(node):
            return tree.threshold[node], tree.threshold[node]
        left = self._note_falling(tree, tree.left[node])
        right = self._note_falling(tree, tree.right[node])
        if right[0] < left[1]:
            self.falling.add(tree.feature[node])
        return min(left[0], right[0]), max(left[1], right[1])

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

    def number(self, tree: Tree, node: int) -> int:
        """Give the place of a node's split in ``order``."""
        return self.order[self._split(tree, node)]

    @property
    def order(self) -> list[int]:
        """Where each split stands once they are sorted by feature and by what they do with missing values."""
        if len(self._order) != len(self.splits):
            known = list(self.splits)
            ranked = sorted(range(len(known)), key=lambda number: (known[number][0], not known[number][2]))
            self._order = [0] * len(known)
            for place, number in enumerate(ranked):
                self._order[number] = place
        return self._order

    def tables(self, base: float, scale: float, features: int, walk: TreeWalk) -> TreeTables:
        order = np.array(self.order or [0], dtype=np.intp)
        bits = np.zeros((max(len(self.groups), 1), self.width), dtype=_numbers(len(self.splits)))
        for number, group in enumerate(self.groups):
            bits[number, : len(group)] = order[group]
        splits = [split for _place, split in sorted(zip(order.tolist(), self.splits, strict=False))]
        splits = splits or [(0, 0.0, True)]
        feature = np.array([split[0] for split in splits], dtype=np.int16)
        wide, mean = _fill(self.leaves, self.depth, (len(bits), self.width, features))
        slot_feature = _slots([group or [0] for group in self.groups] or [[0]], order, feature, features)
        table = (
            np.take_along_axis(wide, slot_feature[:, None, :].astype(np.intp), axis=2).transpose(0, 2, 1)
            * scale
        )
        return TreeTables(
            (base + mean) * scale,
            features,
            np.ascontiguousarray(table),
            slot_feature,
            np.ascontiguousarray(table.transpose(0, 2, 1)).reshape(-1, table.shape[1]),
            bits,
            feature,
            np.array([split[1] for split in splits], dtype=np.float32),
            np.array([not split[2] for split in splits]),
            walk,
            frozenset(range(features)) - self.falling,
        )


def _slots(groups: Sequence[Sequence[int]], order: Places, feature: Shorts, features: int) -> Shorts:
    """Give (groups, slots): the features each group looks at, filled up with the one after the last."""
    seen = [sorted({int(feature[order[split]]) for split in group}) for group in groups]
    slots = np.full((len(groups), max(map(len, seen))), features, dtype=np.int16)
    for number, each in enumerate(seen):
        slots[number, : len(each)] = each
    return slots


def _walk_of(trees: Sequence[Tree], base: float, scale: float, builder: "_Builder") -> TreeWalk:
    """Fill all trees up to one depth; the first is a leaf that holds the base."""
    depth = max((tree.depth() for tree in trees), default=0)
    split = np.zeros((len(trees) + 1, 2**depth), dtype=_numbers(len(builder.splits)))
    value = np.zeros((len(trees) + 1, 2**depth))
    value[0] = base * scale
    for place, tree in enumerate(trees, 1):
        level = [(1, 0)]  # node of the full tree, node of the tree
        for below in range(depth, -1, -1):
            following = []
            for full, node in level:
                if tree.is_leaf(node):
                    first = (full << below) - 2**depth
                    value[place, first : first + 2**below] = float(np.float32(tree.threshold[node])) * scale
                else:
                    split[place, full] = builder.number(tree, node)
                    following += [(2 * full, tree.left[node]), (2 * full + 1, tree.right[node])]
            level = following
    return TreeWalk(split, value, depth)


def _numbers(count: int) -> type[np.uint16 | np.uint32]:
    """Give the shortest type that can number so many splits."""
    return np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32


def _fill(leaves: Sequence[_Leaf], depth: int, shape: tuple[int, int, int]) -> tuple[Floats, float]:
    """Give the tables (groups, combinations, features and a zero) and the sum of the trees' mean values.

    A leaf is a game of ``depth`` players, one a feature of its path; shorter paths are filled up with players
    that change nothing (share 1, always satisfied), which leaves the others' values as they are.
    """
    groups, width, features = shape
    table = np.zeros(
        (groups, 2**width, features + 1)
    )  # the last column takes the players that are no feature
    mean = 0.0
    everything = np.arange(2**width)
    for start in range(0, len(leaves), _LEAVES):
        some = leaves[start : start + _LEAVES]
        satisfied, share, player = _players(some, depth, width, features)
        value = np.array([leaf.value for leaf in some])
        group = np.array([leaf.group for leaf in some])
        for slot in range(depth):
            gain = satisfied[:, :, slot] - share[:, None, slot]
            worth = value[:, None] * gain * _weighted_subsets(satisfied, share, slot)
            np.add.at(table, (group[:, None], everything[None, :], player[:, None, slot]), worth)
        mean += float((value * share.prod(axis=1)).sum())
    return table, mean


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
