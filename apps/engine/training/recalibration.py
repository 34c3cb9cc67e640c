"""Moving a model's level to what was observed, its order untouched (« recaler l'étalonnage »)."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.engine.contracts import Value
from apps.engine.encoding import Floats
from apps.engine.folders import (
    CARD,
    GOLDEN,
    GOLDEN_ANSWER,
    MANIFEST,
    check_identity,
    parts_from,
    read,
    store_files,
)
from apps.engine.model import Artefact
from apps.engine.scorer import Scorer
from apps.engine.training.card import card_text
from apps.engine.training.dataset import Outcomes
from apps.engine.training.logistic import probability
from apps.engine.variables import Variable

#: Matured defaults below which a level is not moved.
FEWEST_DEFAULTS = 50
_STEPS = 200
_ENOUGH = 1e-9
_FARTHEST = 10.0


class RecalibrationRefused(ValueError):
    """The level cannot be moved: too few defaults, or nobody or everybody in default."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What is added to every log-odds, and what it was read from."""

    delta: float
    rows: int
    defaults: int
    predicted_before: float

    @property
    def observed_rate(self) -> float:
        return self.defaults / self.rows

    def as_dict(self) -> dict[str, Any]:
        return {
            "delta": self.delta,
            "rows": self.rows,
            "defaults": self.defaults,
            "observed_rate": self.observed_rate,
            "predicted_before": self.predicted_before,
        }


def shift_of(pd: Floats, y: Outcomes) -> Shift:
    """Solve ``sum(sigmoid(logit(pd) + delta)) = sum(y)`` by bisection; the sum rises with delta.

    ``pd`` are the model's probabilities of the last matured cohorts, all of them. Raises RecalibrationRefused
    under 50 defaults or when the answer lies beyond 10 in log-odds.
    """
    defaults = int(y.sum())
    if defaults < FEWEST_DEFAULTS or defaults == len(y):
        raise RecalibrationRefused(f"{defaults} defaults of {len(y)} do not tell the level")
    safe = np.clip(pd, 1e-12, 1 - 1e-12)
    log_odds = np.log(safe) - np.log1p(-safe)
    low, high = -_FARTHEST, _FARTHEST
    if not _sum(log_odds + low) < defaults < _sum(log_odds + high):
        raise RecalibrationRefused("the level observed is too far from the level predicted")
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _sum(log_odds + middle) < defaults:
            low = middle
        else:
            high = middle
        if high - low < _ENOUGH:
            break
    return Shift((low + high) / 2, len(y), defaults, float(pd.mean()))


def _sum(log_odds: Floats) -> float:
    return float(probability(log_odds).sum())


def write_recalibrated(source: Path, folder: Path, shift: Shift, manifest_extra: Mapping[str, Any]) -> str:
    """Write the model of ``source`` with its intercept moved into ``folder``; give the new manifest's hash.

    ``manifest_extra`` needs ``version``, another than the source's, and may hold ``name``, ``training_data``
    and ``metrics``. Contributions stay as they are and still add up: only the base moves. Raises
    FileExistsError, and ArtefactRefused when the source or what was written would not be read.
    """
    if folder.exists():
        raise FileExistsError(f"{folder.name} already exists: a model folder is never changed")
    artefact = read(source)
    old = artefact.manifest
    if manifest_extra.get("version") in {None, old["version"]}:
        raise ValueError("a recalibrated model is a new version")
    manifest: dict[str, Any] = {**old, **manifest_extra}
    for key in ("format", "variables", "folds", "trees", "ranges", "amount_p99", "data"):
        manifest[key] = old[key]
    calibration = dict(old["calibration"])
    calibration["intercept"] = float(calibration["intercept"]) + shift.delta
    manifest |= {
        "calibration": calibration,
        "recalibration": {**shift.as_dict(), "from": artefact.sha256, "from_version": old["version"]},
    }
    manifest.pop("signature", None)
    check_identity(manifest)
    files = {name: (source / name).read_bytes() for name in old["files"]}
    scorer = Scorer(Artefact(folder, "", manifest, parts_from(manifest, files)))
    files[GOLDEN] = _golden_again(scorer, files[GOLDEN])
    if manifest["training_data"] != "expert":
        files[CARD] = card_text(manifest).encode()
    manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files[MANIFEST] = (json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    return store_files(folder, files)


def _golden_again(scorer: Scorer, content: bytes) -> bytes:
    """Answer the golden rows again; their inputs stay."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
    columns = {
        variable.name: [_value(variable, row[variable.name]) for row in rows]
        for variable in scorer.parts.variables
    }
    answers = scorer.score_columns(columns, len(rows)).pd.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, GOLDEN_ANSWER])
    for row, answer in zip(rows, answers, strict=True):
        writer.writerow([*(row[name] for name in columns), repr(answer)])
    return text.getvalue().encode()


def _value(variable: Variable, cell: str) -> Value:
    if cell == "":
        return None
    return cell if variable.type == "category" else float(cell)
