"""Which candidate is advised, and why, as a code with the figures behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.engine.training.candidates import KINDS

#: AUC within which two candidates are equals (MODELS.md).
EQUAL = 0.002


@dataclass(frozen=True, slots=True)
class Entrant:
    """One candidate as it is compared: AUC on rows it had not seen, and whether its calibration holds."""

    kind: str
    auc: float
    calibrated: bool


def recommend(entrants: Sequence[Entrant]) -> dict[str, Any]:
    """Give the best by AUC of those whose calibration holds; of equals, one that can be used, the simplest.

    Reasons: ``only`` (nothing to compare with), ``best``, ``as_good_and_simpler`` (within 0.002 of the best),
    ``best_calibrated`` (one above it is not calibrated), ``none_calibrated`` (none is; the best is named).
    ``deployable_kind`` is chosen the same way among those that can be put in production.
    """
    chosen, reason = _choose(entrants)
    usable = [each for each in entrants if KINDS[each.kind].deployable]
    best = max(entrants, key=lambda each: each.auc)
    return {
        "kind": chosen.kind,
        "reason": reason,
        "auc": chosen.auc,
        "best": best.kind,
        "deployable_kind": _choose(usable)[0].kind if usable else None,
        "against": {each.kind: each.auc for each in entrants},
        "calibrated": {each.kind: each.calibrated for each in entrants},
    }


def _choose(entrants: Sequence[Entrant]) -> tuple[Entrant, str]:
    sound = [each for each in entrants if each.calibrated]
    best = max(sound or entrants, key=lambda each: each.auc)
    equals = [each for each in sound or entrants if each.auc >= best.auc - EQUAL]
    chosen = min(equals, key=lambda each: (not KINDS[each.kind].deployable, KINDS[each.kind].simplicity))
    if len(entrants) == 1:
        return chosen, "only" if sound else "none_calibrated"
    if not sound:
        return chosen, "none_calibrated"
    if chosen is not best:
        return chosen, "as_good_and_simpler"
    above = any(each.auc > best.auc for each in entrants)
    return chosen, "best_calibrated" if above else "best"
