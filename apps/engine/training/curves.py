"""The curves of one candidate on rows it had not seen, thinned to 200 points at most."""

from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.intervals import wilson
from apps.engine.training.dataset import Outcomes
from apps.engine.training.metrics import Money, business_score

MOST_POINTS = 200
_BINS = 10
_CLASSES = 40
_DIGITS = 5
#: Fine where thresholds of credit lie, coarse beyond.
_THRESHOLDS = np.concatenate([np.arange(1, 101) / 200, np.arange(52, 100, 2) / 100])


def curves(pd: Floats, y: Outcomes, money: Money | None) -> dict[str, list[dict[str, Any]]]:
    """Give every curve by name as lists of points: plain numbers, shares between 0 and 1, XAF whole."""
    order = np.argsort(-pd, kind="stable")
    down, bad = pd[order], y[order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(down) != 0, True))
    found, flagged = bad.cumsum()[ends], (ends + 1).astype(np.float64)
    defaults, rows = found[-1], flagged[-1]
    recall = found / defaults
    false_alarms = (flagged - found) / (rows - defaults)
    kept = _thin(len(ends))
    start = {"threshold": None}
    return {
        "roc": [{"fpr": 0.0, "tpr": 0.0}, *_points({"fpr": false_alarms, "tpr": recall}, kept)],
        "pr": _points({"recall": recall, "precision": found / flagged, "threshold": down[ends]}, kept),
        "gains": [
            {"share": 0.0, "defaults": 0.0, **start},
            *_points({"share": flagged / rows, "defaults": recall, "threshold": down[ends]}, kept),
        ],
        "calibration": calibration(pd, y),
        "distribution": _distribution(pd, y),
        "thresholds": _by_threshold(pd, y, money),
    }


def calibration(pd: Floats, y: Outcomes) -> list[dict[str, Any]]:
    """Observed against predicted default in ten groups of equal size, with Wilson's interval."""
    found = []
    for group in np.array_split(np.argsort(pd, kind="stable"), _BINS):
        if len(group):
            low, high = wilson(int(y[group].sum()), len(group))
            found.append(
                {
                    "predicted": round(float(pd[group].mean()), _DIGITS),
                    "observed": round(float(y[group].mean()), _DIGITS),
                    "low": round(low, _DIGITS),
                    "high": round(high, _DIGITS),
                    "rows": len(group),
                }
            )
    return found


def _thin(points: int) -> npt.NDArray[np.intp]:
    """Give places spread evenly, the first and the last among them; one is left for the origin."""
    if points <= MOST_POINTS - 1:
        return np.arange(points)
    return np.unique(np.linspace(0, points - 1, MOST_POINTS - 1).round().astype(np.intp))


def _points(columns: dict[str, Floats], kept: npt.NDArray[np.intp]) -> list[dict[str, float]]:
    lists = {name: column[kept].round(_DIGITS).tolist() for name, column in columns.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _distribution(pd: Floats, y: Outcomes) -> list[dict[str, Any]]:
    """Count defaults and others in forty classes up to the 99.5th percentile; the last holds the rest."""
    top = max(float(np.quantile(pd, 0.995)), 1e-6)
    edges = np.linspace(0, top, _CLASSES + 1)
    place = np.clip(np.searchsorted(edges, pd, side="right") - 1, 0, _CLASSES - 1)
    bad = np.bincount(place, weights=y, minlength=_CLASSES)
    every = np.bincount(place, minlength=_CLASSES)
    return [
        {
            "from": round(float(edges[number]), _DIGITS),
            "to": round(float(edges[number + 1]), _DIGITS) if number < _CLASSES - 1 else 1.0,
            "good": int(every[number] - bad[number]),
            "bad": int(bad[number]),
        }
        for number in range(_CLASSES)
    ]


def _by_threshold(pd: Floats, y: Outcomes, money: Money | None) -> list[dict[str, Any]]:
    """Give what one threshold for all would be worth: business score, profit, shares."""
    order = np.argsort(pd, kind="stable")
    rising, bad = pd[order], y[order].astype(np.float64)
    accepted = np.searchsorted(rising, _THRESHOLDS, side="left")
    fn = np.append(0.0, bad.cumsum())[accepted]
    tn = accepted - fn
    tp, fp = bad.sum() - fn, (1 - bad).sum() - tn
    score = business_score(tp, fp, tn, fn)
    earned = None
    if money is not None:
        by_row = np.where(bad == 1, -money.loss[order], money.margin[order])
        earned = np.append(0.0, by_row.cumsum())[accepted]
    return [
        {
            "threshold": round(float(threshold), _DIGITS),
            "business_score": round(float(score[place]), _DIGITS),
            "profit_xaf": None if earned is None else round(float(earned[place])),
            "accepted": round(float(accepted[place] / len(y)), _DIGITS),
            "recall": round(float(tp[place] / bad.sum()), _DIGITS),
            "default_rate": round(float(fn[place] / accepted[place]), _DIGITS) if accepted[place] else None,
        }
        for place, threshold in enumerate(_THRESHOLDS)
    ]
