"""The loops over explanation tables and trees as machine code, made by numba.

Those over many rows are compiled when they are first asked for. Those over few rows are compiled by
``prepare``, which a process that lives long calls: compiling takes a second or two and numba some 50 MB,
for which a command that scores one row would wait in vain. Until then NumPy gives the same figures, to the
last bit.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Outcomes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


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
    feature: npt.NDArray[np.intp],
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
    outcomes: Outcomes,
    bits: npt.NDArray[np.intp],
    table: npt.NDArray[np.float64],
    slot_feature: npt.NDArray[np.intp],
    total: npt.NDArray[np.float64],
) -> None:
    """Add to ``total`` (features, rows) what each group of splits says of each row.

    A slot to spare names the feature after the last and is left out. One group after another, so that its
    small table stays in the nearest cache for all rows.
    """
    rows = outcomes.shape[1]
    place = np.empty(rows, np.int64)
    for group in range(len(table)):
        for row in range(rows):
            place[row] = outcomes[bits[0, group], row]
        for bit in range(1, len(bits)):
            split = bits[bit, group]
            for row in range(rows):
                place[row] |= np.int64(outcomes[split, row]) << bit
        for slot in range(table.shape[1]):
            feature = slot_feature[group, slot]
            if feature < len(total):
                parts = table[group, slot]
                for row in range(rows):
                    total[feature, row] += parts[place[row]]


def explain_row(  # noqa: PLR0913, PLR0917  machine code takes arrays, no objects
    values: npt.NDArray[np.float32],
    feature: Places,
    threshold: npt.NDArray[np.float32],
    missing_right: npt.NDArray[np.bool_],
    bits: Places,
    starts: Places,
    lines: npt.NDArray[np.float64],
    slot_feature: Places,
    total: npt.NDArray[np.float64],
) -> None:
    """Add to ``total`` (features and one to spare) what each group of splits says of one row."""
    outcomes = np.empty(len(feature), np.int64)
    for split in range(len(feature)):
        value = values[feature[split]]
        outcomes[split] = value >= threshold[split] or (missing_right[split] and np.isnan(value))
    for group in range(len(starts)):
        place = starts[group]
        for bit in range(len(bits)):
            place += outcomes[bits[bit, group]] << bit
        for slot in range(lines.shape[1]):
            total[slot_feature[group, slot]] += lines[place, slot]


def walk_rows(  # noqa: PLR0913, PLR0917  machine code takes arrays, no objects
    values: npt.NDArray[np.float32],
    feature: Places,
    threshold: npt.NDArray[np.float32],
    missing_right: npt.NDArray[np.bool_],
    roots: Places,
    split: Places,
    children: Places,
    leaf: npt.NDArray[np.float64],
    sums: npt.NDArray[np.float64],
) -> None:
    """Write in ``sums`` (rows) the sum of the leaves that rows of ``values`` (rows, features) reach."""
    for row in range(len(values)):
        total = 0.0
        for root in roots:
            node = root
            following = children[node]
            while following != node or children[node + 1] != node:
                at = split[node]
                value = values[row, feature[at]]
                right = value >= threshold[at] or (missing_right[at] and np.isnan(value))
                node = children[node + 1] if right else following
                following = children[node]
            total += leaf[node]
        sums[row] = total


def _one_row() -> tuple[Any, ...]:
    none, number = np.zeros(1, np.intp), np.zeros(1, np.float32)
    table = np.zeros((1, 1), np.intp)
    return number, none, number, np.zeros(1, np.bool_), table, none, np.zeros((2, 1)), table, np.zeros(2)


def _few_rows() -> tuple[Any, ...]:
    none, number = np.zeros(1, np.intp), np.zeros(1, np.float32)
    children = np.zeros(2, np.intp)
    return (
        np.zeros((1, 1), np.float32),
        none,
        number,
        np.zeros(1, np.bool_),
        none,
        none,
        children,
        np.zeros(2),
        np.zeros(1),
    )


_ready: dict[Callable[..., Any], Callable[..., Any]] = {}
_FEW_ROWS: tuple[tuple[Callable[..., Any], Callable[[], tuple[Any, ...]]], ...] = (
    (explain_row, _one_row),
    (walk_rows, _few_rows),
)
