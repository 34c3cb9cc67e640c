"""The loops over explanation tables and trees as machine code, made by numba.

Those over many rows are compiled when they are first asked for. Those over few rows are compiled by
``prepare``, which a process that lives long calls: compiling takes a second or two and numba some 50 MB,
for which a command that scores one row would wait in vain. Until then NumPy gives the same figures, to the
last bit.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Outcomes = npt.NDArray[np.uint8]
Splits = npt.NDArray[np.uint16 | np.uint32]


@cache
def fast(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``loop`` as machine code that lets other threads of Python run meanwhile."""
    import numba

    compiled: Callable[..., Any] = numba.njit(nogil=True)(loop)
    return compiled


def prepare() -> None:
    """Compile the loops over few rows; until this is done, ``ready`` knows none of them."""
    for loop, arguments in _FEW_ROWS:
        code = fast(loop)
        code(*arguments())  # the first call compiles
        _ready[loop] = code


def ready(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return a loop over few rows as machine code where this process has prepared it."""
    return _ready.get(loop)


def note_outcomes(
    values: npt.NDArray[np.float32],
    feature: npt.NDArray[np.int16],
    threshold: npt.NDArray[np.float32],
    missing_right: npt.NDArray[np.bool_],
    outcomes: Outcomes,
) -> None:
    """Write in ``outcomes`` (splits, rows) 1 where a row of ``values`` (features, rows) goes right."""
    for split in range(len(feature)):
        column, limit, absent = values[feature[split]], threshold[split], missing_right[split]
        for row in range(outcomes.shape[1]):
            value = column[row]
            outcomes[split, row] = value >= limit or (absent and np.isnan(value))


def add_contributions(
    note: Callable[..., None],
    add: Callable[..., None],
    outcomes: Outcomes,
    bits: Splits,
    table: npt.NDArray[np.float64],
    slot_feature: npt.NDArray[np.int16],
    places: Outcomes,
    total: npt.NDArray[np.float64],
) -> None:
    """Add to ``total`` (features, rows) what each group of splits says of each row.

    ``note`` and ``add`` are ``note_places`` and ``add_places`` as machine code. They take as many groups at a
    time as ``places`` (groups, rows) has room for, so that what they read stays in the nearest caches.
    """
    for first in range(0, len(table), len(places)):
        last = first + len(places)
        note(outcomes, bits[first:last], places)
        add(table[first:last], slot_feature[first:last], places, total)


def note_places(outcomes: Outcomes, bits: Splits, places: Outcomes) -> None:
    """Write in ``places`` (groups, rows) which combination each row shows; a group has 3 to 8 bits."""
    rows, width = outcomes.shape[1], bits.shape[1]
    for group in range(len(bits)):
        its, place = bits[group], places[group]
        high, middle, low = outcomes[its[-1]], outcomes[its[-2]], outcomes[its[-3]]
        for row in range(rows):
            place[row] = high[row] << 2 | middle[row] << 1 | low[row]
        for bit in range(width - 4, 0, -2):
            high, low = outcomes[its[bit]], outcomes[its[bit - 1]]
            for row in range(rows):
                place[row] = place[row] << 2 | high[row] << 1 | low[row]
        if width % 2 == 0:
            low = outcomes[its[0]]
            for row in range(rows):
                place[row] = place[row] << 1 | low[row]


def add_places(
    table: npt.NDArray[np.float64],
    slot_feature: npt.NDArray[np.int16],
    places: Outcomes,
    total: npt.NDArray[np.float64],
) -> None:
    """Add to ``total`` (features, rows) what some groups hold in ``places``.

    Feature by feature, four groups at once: a total is read and written once for four look-ups, and summed
    in the order of the groups, as that of one row is. A slot to spare names the feature after the last and
    is left out.
    """
    rows, (groups, slots) = total.shape[1], slot_feature.shape
    at = np.empty((2, groups * slots), np.intp)
    for feature in range(len(total)):
        count = 0
        for group in range(groups):
            for slot in range(slots):
                if slot_feature[group, slot] == feature:
                    at[0, count], at[1, count] = group, slot
                    count += 1
        found, done = total[feature], 0
        while done + 4 <= count:
            a, b, c, d = at[0, done], at[0, done + 1], at[0, done + 2], at[0, done + 3]
            of_a, of_b = table[a, at[1, done]], table[b, at[1, done + 1]]
            of_c, of_d = table[c, at[1, done + 2]], table[d, at[1, done + 3]]
            in_a, in_b, in_c, in_d = places[a], places[b], places[c], places[d]
            for row in range(rows):
                found[row] = (
                    found[row] + of_a[in_a[row]] + of_b[in_b[row]] + of_c[in_c[row]] + of_d[in_d[row]]
                )
            done += 4
        while done < count:
            parts, place = table[at[0, done], at[1, done]], places[at[0, done]]
            for row in range(rows):
                found[row] += parts[place[row]]
            done += 1


def explain_row(
    values: npt.NDArray[np.float32],
    feature: npt.NDArray[np.int16],
    threshold: npt.NDArray[np.float32],
    missing_right: npt.NDArray[np.bool_],
    bits: Splits,
    lines: npt.NDArray[np.float64],
    slot_feature: npt.NDArray[np.int16],
    total: npt.NDArray[np.float64],
) -> None:
    """Add to ``total`` (features and one to spare) what each group of splits says of one row.

    All places come first: the lines then stand apart in memory, and are fetched several at a time.
    """
    outcomes = np.empty(len(feature), np.uint8)
    for split in range(len(feature)):
        value = values[feature[split]]
        outcomes[split] = value >= threshold[split] or (missing_right[split] and np.isnan(value))
    combinations = len(lines) // len(bits)
    places = np.empty(len(bits), np.intp)
    for group in range(len(bits)):
        place = np.intp(group * combinations)
        for bit in range(bits.shape[1]):
            place += np.intp(outcomes[bits[group, bit]]) << bit
        places[group] = place
    for group in range(len(bits)):
        place = places[group]
        for slot in range(lines.shape[1]):
            total[slot_feature[group, slot]] += lines[place, slot]


def walk_rows(
    values: npt.NDArray[np.float32],
    feature: npt.NDArray[np.int16],
    threshold: npt.NDArray[np.float32],
    missing_right: npt.NDArray[np.bool_],
    split: Splits,
    leaf: npt.NDArray[np.float64],
    sums: npt.NDArray[np.float64],
) -> None:
    """Write in ``sums`` (rows) the sum of the leaves that rows of ``values`` (rows, features) reach.

    Splits on a feature that a row has in common with the row above it keep their outcomes.
    """
    outcomes = np.empty(len(feature), np.uint8)
    trees, leaves = leaf.shape
    for row in range(len(values)):
        for place in range(len(feature)):
            value = values[row, feature[place]]
            if row == 0 or value != values[row - 1, feature[place]]:
                outcomes[place] = value >= threshold[place] or (missing_right[place] and np.isnan(value))
        total = 0.0
        for tree in range(trees):
            node = 1
            while node < leaves:
                node = 2 * node + outcomes[split[tree, node]]
            total += leaf[tree, node - leaves]
        sums[row] = total


def first_below(
    row: npt.NDArray[np.float32],
    steps: npt.NDArray[np.float64],
    varying: npt.NDArray[np.int16],
    walk: tuple[Any, ...],
    card: tuple[Any, ...],
    sums: npt.NDArray[np.float64],
) -> int:
    """Give the place of the first amount whose probability is below a limit, their number where none is.

    ``steps`` are the largest amount, the step down, how many, then other instalments, the instalment of one
    franc, the income and other debts, in XAF; ``row`` (features) holds the rest. ``varying`` names, in the
    model's order, the features that follow the amount: feature, then 0 for the amount itself, 1 for the debt
    service ratio, 2 for debts over income. ``walk`` are the trees as ``walk_rows`` takes them; ``card`` the
    evidence of those features: cuts, values (one more a feature), where each one's cuts end; ``sums`` the
    intercept, the weight of the trees, the card's base, its weight, the evidence of all other features, and
    the limit. No smaller amount may have a larger probability.
    """
    feature, threshold, missing_right, split, leaf = walk
    cuts, values, ends = card
    outcomes = np.empty(len(feature), np.uint8)
    for place in range(len(feature)):
        value = row[feature[place]]
        outcomes[place] = value >= threshold[place] or (missing_right[place] and np.isnan(value))
    numbers = np.empty(3)
    trees, leaves = leaf.shape
    first, last, asked = 0, int(steps[2]), 0
    while first < last:
        at = (first, last - 1, (first + last) // 2)[min(asked, 2)]  # most searches end at one of the two
        asked += 1
        numbers[0] = steps[0] - steps[1] * at
        numbers[1] = 100 * (steps[3] + numbers[0] * steps[4]) / steps[5]
        numbers[2] = (steps[6] + numbers[0]) / (12 * steps[5])
        evidence = sums[4]
        for which in range(len(varying)):
            number = numbers[varying[which, 1]]
            start = ends[which]
            below = np.searchsorted(cuts[start : ends[which + 1]], number, "right")
            evidence += values[start + which + below]
            single = np.float32(number)
            begin = np.searchsorted(feature, varying[which, 0])
            for place in range(begin, len(feature)):
                if feature[place] != varying[which, 0]:
                    break
                outcomes[place] = single >= threshold[place]
        total = 0.0
        for tree in range(trees):
            node = 1
            while node < leaves:
                node = 2 * node + outcomes[split[tree, node]]
            total += leaf[tree, node - leaves]
        odds = sums[0] + sums[1] * total + sums[3] * (sums[2] + evidence)
        small = math.exp(-abs(odds))
        if (1 / (1 + small) if odds >= 0 else small / (1 + small)) < sums[5]:
            last = at
        else:
            first = at + 1
    return first


def _one_row() -> tuple[Any, ...]:
    number, table = np.zeros(1, np.float32), np.zeros((1, 1), np.int16)
    bits = np.zeros((1, 1), np.uint16)
    return number, table[0], number, np.zeros(1, np.bool_), bits, np.zeros((2, 1)), table, np.zeros(2)


def _few_rows() -> tuple[Any, ...]:
    number, short = np.zeros(1, np.float32), np.zeros(1, np.int16)
    split = np.zeros((1, 1), np.uint16)
    return number[None], short, number, np.zeros(1, np.bool_), split, np.zeros((1, 1)), np.zeros(1)


def _one_search() -> tuple[Any, ...]:
    number, short = np.zeros(1, np.float32), np.zeros(1, np.int16)
    split, steps = np.zeros((1, 1), np.uint16), np.ones(7)
    walk = short, number, np.zeros(1, np.bool_), split, np.zeros((1, 1))
    card = steps[:1], steps[:2], np.arange(2)
    return number, steps, short[None].repeat(2, 1), walk, card, np.ones(6)


_ready: dict[Callable[..., Any], Callable[..., Any]] = {}
_FEW_ROWS: tuple[tuple[Callable[..., Any], Callable[[], tuple[Any, ...]]], ...] = (
    (explain_row, _one_row),
    (walk_rows, _few_rows),
    (first_below, _one_search),
)
