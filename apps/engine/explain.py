"""Exact SHAP values of boosted trees, looked up instead of computed row by row.

The path-dependent SHAP vector of a tree (Lundberg 2020, what XGBoost's ``pred_contribs`` gives) depends on a
row only through the outcomes of the tree's splits. Each tree is cut into groups, subtrees of two levels with
the splits above them, and the vector of every combination of outcomes is computed once, in float64. Scoring a
row is then a comparison a split, a look-up a group and a sum: ``base + sum`` *is* the trees' log-odds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.compiled import (
    add_contributions,
    add_places,
    explain_row,
    fast,
    first_below,
    note_outcomes,
    note_places,
    ready,
    walk_rows,
)
from apps.engine.encoding import Floats

_FEW_ROWS = 24
_BLOCK = 12_288
#: From here on machine code pays for being made; it works best on blocks whose outcomes stay in the cache.
_MANY_ROWS = 8_192
_COMPILED_BLOCK = 2_048
_GROUPS_AT_ONCE = 32

Bits = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Shorts = npt.NDArray[np.int16]
Splits = npt.NDArray[np.uint16 | np.uint32]


@dataclass(frozen=True, slots=True)
class TreeWalk:
    """The trees themselves: the quickest way to their sum when nobody asks for reasons.

    Every tree is filled up to the same depth: below node ``n`` stand ``2n`` and ``2n + 1``, the root is 1.
    ``split`` (trees, 2**depth) names the split of each node, ``value`` (trees, 2**depth) holds the leaves.
    """

    split: Splits
    value: Floats
    depth: int

    def sums(self, outcomes: npt.NDArray[np.uint8]) -> Floats:
        """Float64 (rows): the sum of the leaves reached, from uint8 (splits, rows)."""
        trees, leaves = self.value.shape
        first = np.arange(0, trees * leaves, leaves)[:, None]
        row = np.arange(outcomes.shape[1])
        node = np.ones((trees, len(row)), dtype=np.intp)
        for _ in range(self.depth):
            right = outcomes[self.split.take(first + node), row]
            node *= 2
            node += right
        # One leaf after another, as the compiled loop adds them: a plain sum would pair them.
        found: Floats = self.value.take(first + node - leaves).cumsum(axis=0)[-1]
        return found


@dataclass(frozen=True, slots=True)
class TreeTables:
    """Tables of several boosters' mean. Arrays are read only, so threads may share them.

    ``table`` is float64 (groups, slots, combinations): a slot is one of the few features that a group looks
    at, ``slot_feature`` (groups, slots) says which; slots to spare name the feature after the last and hold
    zeros. ``lines`` (groups times combinations, slots) holds the same for one row, which then reads one line
    a group. ``bits`` (groups, bits) gives the numbers of the splits whose outcomes, first bit lowest, make
    the combination. Splits are in the order of their features. Numbers are as short as they may be: what one
    row reads should stay in the nearest caches. ``rising`` names the features that no tree answers with less
    risk when they grow.
    """

    base: float
    features: int
    table: Floats
    slot_feature: Shorts
    lines: Floats
    bits: Splits
    feature: Shorts
    threshold: npt.NDArray[np.float32]
    missing_right: Bits
    walk: TreeWalk
    rising: frozenset[int]

    def contributions(self, x: Floats) -> Floats:
        """Float64 (rows, features): what each feature adds to ``base`` for encoded rows."""
        if len(x) == 1:
            return self._row(x)[None]
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
        walk(_singles(x), self.feature, self.threshold, self.missing_right, way.split, way.value, sums)
        return sums

    def first_below(
        self, row: list[float], steps: Floats, varying: Shorts, card: tuple[Any, ...], sums: Floats
    ) -> int | None:
        """Search as ``compiled.first_below`` says; ``None`` where this process has not prepared it."""
        if (search := ready(first_below)) is None:
            return None
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in XGBoost
            single = np.array(row, dtype=np.float32)
        walk = self.feature, self.threshold, self.missing_right, self.walk.split, self.walk.value
        return int(search(single, steps, varying, walk, card, sums))

    def _row(self, x: Floats) -> Floats:
        if (explain := ready(explain_row)) is not None:
            total = np.zeros(self.features + 1)
            explain(
                _singles(x)[0], self.feature, self.threshold, self.missing_right,
                self.bits, self.lines, self.slot_feature, total,
            )  # fmt: skip
            return total[: self.features]
        place = self._combination(self._outcomes(x)[:, 0])
        place += np.arange(0, len(self.lines), self.table.shape[2])
        parts = self.lines.take(place, axis=0)
        return np.bincount(self.slot_feature.ravel(), parts.ravel(), self.features + 1)[: self.features]

    def _combination(self, outcomes: npt.NDArray[np.uint8]) -> Places:
        """Give (groups): which combination of outcomes one row shows in each group."""
        seen = outcomes.astype(np.intp).take(self.bits.T)
        place: Places = seen[0]
        for bit in range(1, len(seen)):
            place |= seen[bit] << bit
        return place

    def _compiled(self, x: Floats) -> Floats:
        found = np.empty((len(x), self.features))
        look, explain = fast(note_outcomes), fast(add_contributions)
        note, add = fast(note_places), fast(add_places)
        places = np.empty((_GROUPS_AT_ONCE, min(len(x), _COMPILED_BLOCK)), dtype=np.uint8)
        for start in range(0, len(x), _COMPILED_BLOCK):
            part = x[start : start + _COMPILED_BLOCK]
            with np.errstate(over="ignore"):  # beyond float32 is infinite, as in XGBoost
                values = np.ascontiguousarray(part.T, dtype=np.float32)
            outcomes = np.empty((len(self.feature), len(part)), dtype=np.uint8)
            total = np.zeros((self.features, len(part)))
            look(values, self.feature, self.threshold, self.missing_right, outcomes)
            explain(note, add, outcomes, self.bits, self.table, self.slot_feature, places, total)
            found[start : start + len(part)] = total.T
        return found

    def _block(self, x: Floats) -> Floats:
        """Go through many rows feature by feature: each look-up reads a table that fits the nearest cache."""
        outcomes = self._sorted_outcomes(x)
        total = np.zeros((self.features + 1, len(x)))
        part = np.empty(len(x))
        slots = self.slot_feature.tolist()
        for group, bits in enumerate(self.bits.tolist()):
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
