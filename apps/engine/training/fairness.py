"""How groups of people fare with a model: favourable advice among those who repaid, group by group."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.monitoring import FOUR_FIFTHS, SMALLEST_GROUP
from apps.engine.training.dataset import Outcomes
from apps.engine.training.gates import Gate

#: Groups of the data that are not groups of people.
_NOT_PEOPLE = frozenset({"type_credit"})


def fairness_table(
    pd: Floats, y: Outcomes, thresholds: Floats, groups: Mapping[str, npt.NDArray[Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Give by dimension the groups with their rows and shares advised favourably (``pd`` below threshold).

    ``ratio`` is the share among good payers over that of the best treated group; hidden groups have none.
    """
    favourable = pd < thresholds
    found = {}
    for name, column in groups.items():
        if name in _NOT_PEOPLE:
            continue
        entries = [_entry(code, column == code, favourable, y) for code in _codes(column)]
        best = max((each["favourable_good"] for each in entries if not each["hidden"]), default=0.0)
        for each in entries:
            each["ratio"] = each["favourable_good"] / best if not each["hidden"] and best else None
        found[name] = entries
    return found


def fairness_gate(table: Mapping[str, list[dict[str, Any]]]) -> Gate:
    """Every group must have at least four fifths of the best treated group's share, or somebody explains."""
    ratios = [
        (each["ratio"], f"{name}:{each['group']}")
        for name, entries in table.items()
        for each in entries
        if each["ratio"] is not None
    ]
    if not ratios:
        return Gate("shown", None, FOUR_FIFTHS, None, "ratio")
    worst = min(ratio for ratio, _ in ratios)
    below = tuple(name for ratio, name in sorted(ratios) if ratio < FOUR_FIFTHS)
    return Gate("explain" if below else "passed", worst, FOUR_FIFTHS, None, "ratio", below)


def _codes(column: npt.NDArray[Any]) -> list[Any]:
    return sorted({each for each in column.tolist() if each not in {None, ""}}, key=str)


def _entry(
    code: Any, rows: npt.NDArray[np.bool_], favourable: npt.NDArray[np.bool_], y: Outcomes
) -> dict[str, Any]:
    good = rows & (y == 0)
    hidden = int(good.sum()) < SMALLEST_GROUP
    entry: dict[str, Any] = {"group": str(code), "hidden": hidden}
    if hidden:
        return entry
    return entry | {
        "rows": int(rows.sum()),
        "good": int(good.sum()),
        "favourable": float(favourable[rows].mean()),
        "favourable_good": float(favourable[good].mean()),
    }
