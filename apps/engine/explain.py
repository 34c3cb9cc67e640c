"""Exact SHAP values of boosted trees, looked up instead of computed row by row.

The path-dependent SHAP vector of a tree (Lundberg 2020, what XGBoost's ``pred_contribs`` gives) depends on a
row only through the outcomes of the tree's splits. Each tree is cut into groups, subtrees of two levels with
the splits above them, and the vector of every combination of outcomes is computed once, in float64. Scoring a
row is then a comparison a split, a look-up a group and a sum: ``base + sum`` *is* the trees' log-odds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import factorial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from apps.engine.compiled import (
    add_contributions,
    explain_row,
    fast,
    note_outcomes,
    ready,
    walk_rows,
)
from apps.engine.encoding import Floats
from apps.engine.trees import Booster, Tree

_FEW_ROWS = 24
_BLOCK = 12_288
#: From here on machine code pays for being made; it works best on blocks whose outcomes stay in the cache.
_MANY_ROWS = 8_192
_COMPILED_BLOCK = 1_024
#: Tables of so many leaves are filled at once: bounds the memory that building takes.
_LEAVES = 4_096

Bits = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class _Leaf(NamedTuple):
    """One leaf: its value, its group, its path as (bit in the group, side taken, feature, share) a split."""

    value: float
    group: int
    path: tuple[tuple[int, bool, int, float], ...]


@dataclass(frozen=True, slots=True)
class TreeWalk:
    """The trees themselves, node by node: the quickest way to their sum when nobody asks for reasons.

    A leaf leads to itself, so that ``depth`` steps reach the leaf of every tree. Nodes bear even numbers,
    their right sides the odd ones that follow: ``split`` and ``value`` have a place for each.
    """

    roots: Places
    split: Places
    children: Places
    value: Floats
    depth: int

    def sums(self, outcomes: npt.NDArray[np.uint8]) -> Floats:
        """Float64 (rows): the sum of the leaves reached, from uint8 (splits, rows)."""
        splits, rows = outcomes.shape
        flat = np.ascontiguousarray(outcomes.T).ravel().astype(np.intp)
        start = np.arange(0, splits * rows, splits)[:, None]
        node = np.repeat(self.roots[None, :], rows, axis=0)
        for _ in range(self.depth):
            place = self.split.take(node)
            place += start
            node += flat.take(place)
            node = self.children.take(node)
        # One leaf after another, as the compiled loop adds them: a plain sum would pair them.
        found: Floats = self.value.take(node).cumsum(axis=1)[:, -1]
        return found


@dataclass(frozen=True, slots=True)
class TreeTables:
    """Tables of several boosters' mean. Arrays are read only, so threads may share them.

    ``table`` is float64 (groups, slots, combinations): a slot is one of the few features that a group looks
    at, ``slot_feature`` (groups, slots) says which; slots to spare name the feature after the last and hold
    zeros. ``lines`` (groups times combinations, slots) holds the same for one row, which then reads one line
    a group, from ``starts`` on. ``bits`` (bits, groups) gives the numbers of the splits whose outcomes, first
    bit lowest, make the combination. Splits are in the order of their features. ``rising`` names the features
    that no tree answers with less risk when they grow.
    """

    base: float
    features: int
    table: Floats
    slot_feature: Places
    lines: Floats
    starts: Places
    bits: Places
    feature: Places
    threshold: npt.NDArray[np.float32]
    missing_right: Bits
    walk: TreeWalk
    rising: frozenset[int]

    def contributions(self, x: Floats) -> Floats:
        """Float64 (rows, features): what each feature adds to ``base`` for encoded rows."""
        if len(x) <= _FEW_ROWS:
            rows = [self._row(x[row : row + 1]) for row in range(len(x))]
            return np.stack(rows) if rows else np.empty((0, self.features))
        if len(x) >= _MANY_ROWS:
            return self._compiled(x)
        return np.concatenate([self._block(part) for part in _blocks(x)])

    def log_odds(self, x: Floats) -> Floats:
        """Float64 (rows): ``base`` plus all contributions, without telling them apart (much faster)."""
        few = 512
        if len(x) <= _FEW_ROWS and (walk := ready(walk_rows)) is not None:
            return self._walked(x, walk)
        sums = [self.walk.sums(self._outcomes(x[start : start + few])) for start in range(0, len(x), few)]
        return np.concatenate(sums) if sums else np.empty(0)

    def _walked(self, x: Floats, walk: Callable[..., None]) -> Floats:
        sums = np.empty(len(x))
        way = self.walk
        walk(
            _singles(x), self.feature, self.threshold, self.missing_right,
            way.roots, way.split, way.children, way.value, sums,
        )  # fmt: skip
        return sums

    def _row(self, x: Floats) -> Floats:
        if (explain := ready(explain_row)) is not None:
            total = np.zeros(self.features + 1)
            explain(
                _singles(x)[0], self.feature, self.threshold, self.missing_right,
                self.bits, self.starts, self.lines, self.slot_feature, total,
            )  # fmt: skip
            return total[: self.features]
        place = self._combination(self._outcomes(x)[:, 0])
        place += self.starts
        parts = self.lines.take(place, axis=0)
        return np.bincount(self.slot_feature.ravel(), parts.ravel(), self.features + 1)[: self.features]

    def _combination(self, outcomes: npt.NDArray[np.uint8]) -> Places:
        """Give (groups): which combination of outcomes one row shows in each group."""
        seen = outcomes.astype(np.intp).take(self.bits)
        place: Places = seen[0]
        for bit in range(1, len(seen)):
            place |= seen[bit] << bit
        return place

    def _compiled(self, x: Floats) -> Floats:
        found = np.empty((len(x), self.features))
        look, add = fast(note_outcomes), fast(add_contributions)
        for start in range(0, len(x), _COMPILED_BLOCK):
            part = x[start : start + _COMPILED_BLOCK]
            with np.errstate(over="ignore"):  # beyond float32 is infinite, as in XGBoost
                values = np.ascontiguousarray(part.T, dtype=np.float32)
            outcomes = np.empty((len(self.feature), len(part)), dtype=np.uint8)
            total = np.zeros((self.features, len(part)))
            look(values, self.feature, self.threshold, self.missing_right, outcomes)
            add(outcomes, self.bits, self.table, self.slot_feature, total)
            found[start : start + len(part)] = total.T
        return found

    def _block(self, x: Floats) -> Floats:
        """Go through many rows feature by feature: each look-up reads a table that fits the nearest cache."""
        outcomes = self._sorted_outcomes(x)
        total = np.zeros((self.features + 1, len(x)))
        part = np.empty(len(x))
        slots = self.slot_feature.tolist()
        for group, bits in enumerate(self.bits.T.tolist()):
            place = outcomes[bits[0]].copy()
            for bit, split in enumerate(bits[1:], 1):
                place |= outcomes[split] << np.uint8(bit)
            places = place.astype(np.intp)
            for slot, feature in enumerate(slots[group]):
                if feature < self.features:
                    self.table[group, slot].take(places, out=part, mode="clip")
                    total[feature] += part
        return total[: self.features].T

    def _outcomes(self, x: Floats) -> npt.NDArray[np.uint8]:
        """Give uint8 (splits, rows): 1 where the row goes right, compared in float32 as XGBoost does."""
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in XGBoost
            values = x.astype(np.float32).T[self.feature]
        right = values >= self.threshold[:, None]
        absent = np.isnan(values)
        if absent.any():
            right |= absent & self.missing_right[:, None]
        return right.view(np.uint8)

    def _sorted_outcomes(self, x: Floats) -> npt.NDArray[np.uint8]:
        """Do the same for many rows, one comparison for all splits on a feature that treat missing alike."""
        with np.errstate(over="ignore"):
            values = x.astype(np.float32).T
        right = np.empty((len(self.feature), len(x)), dtype=bool)
        first = 0
        for (feature, missing_right), same in groupby(
            zip(self.feature.tolist(), self.missing_right.tolist(), strict=True)
        ):
            last = first + len(list(same))
            column = values[feature]
            if missing_right:
                column = np.where(np.isnan(column), np.float32(np.inf), column)
            np.greater_equal(column, self.threshold[first:last, None], out=right[first:last])
            first = last
        return right.view(np.uint8)


def _singles(x: Floats) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # beyond float32 is infinite, as in XGBoost
        return np.ascontiguousarray(x, dtype=np.float32)


def _blocks(x: Floats) -> Iterator[Floats]:
    return (x[start : start + _BLOCK] for start in range(0, len(x), _BLOCK))


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
        bits = np.zeros((max(len(self.groups), 1), self.width), dtype=np.intp)
        for number, group in enumerate(self.groups):
            bits[number, : len(group)] = order[group]
        splits = [split for _place, split in sorted(zip(order.tolist(), self.splits, strict=False))]
        splits = splits or [(0, 0.0, True)]
        feature = np.array([split[0] for split in splits], dtype=np.intp)
        wide, mean = _fill(self.leaves, self.depth, (len(bits), self.width, features))
        slot_feature = _slots([group or [0] for group in self.groups] or [[0]], order, feature, features)
        table = np.take_along_axis(wide, slot_feature[:, None, :], axis=2).transpose(0, 2, 1) * scale
        return TreeTables(
            (base + mean) * scale,
            features,
            np.ascontiguousarray(table),
            slot_feature,
            np.ascontiguousarray(table.transpose(0, 2, 1)).reshape(-1, table.shape[1]),
            np.arange(0, len(table) * table.shape[2], table.shape[2]),
            np.ascontiguousarray(bits.T),
            feature,
            np.array([split[1] for split in splits], dtype=np.float32),
            np.array([not split[2] for split in splits]),
            walk,
            frozenset(range(features)) - self.falling,
        )


def _slots(groups: Sequence[Sequence[int]], order: Places, feature: Places, features: int) -> Places:
    """Give (groups, slots): the features each group looks at, filled up with the one after the last."""
    seen = [sorted({int(feature[order[split]]) for split in group}) for group in groups]
    slots = np.full((len(groups), max(map(len, seen))), features, dtype=np.intp)
    for number, each in enumerate(seen):
        slots[number, : len(each)] = each
    return slots


def _walk_of(trees: Sequence[Tree], base: float, scale: float, builder: "_Builder") -> TreeWalk:
    """Lay the nodes of all trees out one after another; the first tree is a leaf that holds the base."""
    roots, split, children, value = [0], [0], [0, 0], [base * scale]
    for tree in trees:
        first = len(value)
        roots.append(first)
        for node in range(len(tree.left)):
            if tree.is_leaf(node):
                split.append(0)
                children += [first + node, first + node]
                value.append(float(np.float32(tree.threshold[node])) * scale)
            else:
                split.append(builder.number(tree, node))
                children += [first + tree.left[node], first + tree.right[node]]
                value.append(0.0)
    return TreeWalk(
        np.array(roots, dtype=np.intp) * 2,
        np.repeat(np.array(split, dtype=np.intp), 2),
        np.array(children, dtype=np.intp) * 2,
        np.repeat(np.array(value), 2),
        max((tree.depth() for tree in trees), default=0),
    )


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
