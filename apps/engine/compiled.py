"""The two loops over many rows of explanation tables, compiled by numba when they are first asked for.

Compiling takes a second or two and numba some 50 MB: a process that scores few rows at a time never comes
here.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Outcomes = npt.NDArray[np.uint8]


@cache
def fast(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``loop`` as machine code that lets other threads of Python run meanwhile."""
    import numba

    compiled: Callable[..., Any] = numba.njit(nogil=True)(loop)
    return compiled


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
