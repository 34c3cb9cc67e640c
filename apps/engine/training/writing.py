"""Write a trained model as a folder of plain files that checks itself when it is read."""

import csv
import hashlib
import io
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from apps.engine.contracts import Value
from apps.engine.encoding import Floats
from apps.engine.folders import (
    CARD,
    FORMAT,
    GOLDEN,
    GOLDEN_ANSWER,
    MANIFEST,
    NO_TREES,
    SCORECARDS,
    check_identity,
    parts_from,
    store_files,
    trees_name,
)
from apps.engine.model import Artefact
from apps.engine.scorer import Scorer
from apps.engine.training.card import card_text
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.pipeline import DefaultModel, tree_contributions
from apps.engine.variables import Variable

_GOLDEN_ROWS = 24
_ORACLE_ROWS = 500
_ORACLE_TOLERANCE = 1e-5


def write_model(folder: Path, model: DefaultModel, manifest_extra: Mapping[str, Any]) -> str:
    """Write ``model`` into ``folder``, which must not exist, and give the hash of its manifest.

    ``manifest_extra`` needs ``name``, ``version`` and ``training_data`` (institution, pooled, expert or
    synthetic) and should hold ``metrics`` (the nested figures as a mapping), ``training_period`` and the
    threshold's inputs; it may not replace what the model itself says. Our probabilities and contributions are
    compared with XGBoost's first: RuntimeError beyond 1e-5. Raises FileExistsError, and ArtefactRefused when
    what was written would not be read.

    A scorecard or a booster alone is written as the default model is, its other branch empty and of no
    weight, so that whoever reads a folder knows one format only.
    """
    if folder.exists():
        raise FileExistsError(f"{folder.name} already exists: a model folder is never changed")
    check_identity(manifest_extra)
    files = {trees_name(fold): _trees(model, fold) for fold in range(1, len(model.scorecards) + 1)}
    files[SCORECARDS] = _bytes([card.as_dict() for card in model.scorecards])
    manifest = {**manifest_extra, **_described(model)}
    scorer = Scorer(Artefact(folder, "", manifest, parts_from(manifest, files)))
    _ask_oracle(model, scorer)
    files[GOLDEN] = _golden(model.data, scorer, model.settings.seed)
    files[CARD] = card_text(manifest).encode()
    manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files[MANIFEST] = _bytes(manifest)
    return store_files(folder, files)


def _trees(model: DefaultModel, fold: int) -> bytes:
    return bytes(model.boosters[fold - 1].save_raw("json")) if model.boosters else _bytes(NO_TREES)


def _described(model: DefaultModel) -> dict[str, Any]:
    """Give the part of the manifest that the model knows by itself."""
    return {
        "format": FORMAT,
        "kind": model.kind,
        "variables": [variable.as_dict() for variable in model.data.variables],
        "folds": len(model.scorecards),
        "trees": model.trees,
        "settings": model.settings.booster,
        "calibration": {
            "intercept": model.stack.intercept,
            "trees_weight": float(model.stack.weights[0]),
            "card_weight": float(model.stack.weights[1]),
        },
        "ranges": {v.name: _seen(v, model.data.x[:, i]) for i, v in enumerate(model.data.variables)},
        "amount_p99": _amount_p99(model.data),
        "data": {
            "sha256": model.data.sha256(),
            "rows": model.data.rows,
            "defaults": int(model.data.y.sum()),
        },
        "seed": model.settings.seed,
        "libraries": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for library in ("numpy", "scikit-learn", "xgboost-cpu", "xgboost"):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _seen(variable: Variable, column: Floats) -> dict[str, Any]:
    known = column[~np.isnan(column)]
    if variable.type == "category":
        return {"codes": [variable.codes[int(code)] for code in np.unique(known)]}
    if not len(known):
        return {"min": None, "max": None}
    return {"min": float(known.min()), "max": float(known.max())}


def _amount_p99(data: TrainingSet) -> float | None:
    names = [variable.name for variable in data.variables]
    if "montant_credit" not in names:
        return None
    return float(np.nanquantile(data.x[:, names.index("montant_credit")], 0.99))


def _ask_oracle(model: DefaultModel, scorer: Scorer) -> None:
    """Compare our tables with XGBoost's own margins and contributions on rows of the training set."""
    if not model.boosters:
        return
    x = model.data.x[:_ORACLE_ROWS]
    trees = scorer.parts.trees
    ours = trees.contributions(x)
    theirs = tree_contributions(model, x)
    margin = np.abs(trees.base + ours.sum(axis=1) - model.tree_log_odds(x)).max()
    if max(margin, np.abs(ours - theirs[:, :-1]).max()) > _ORACLE_TOLERANCE:
        raise RuntimeError("the tables do not agree with XGBoost: the model was not written")


def _golden(data: TrainingSet, scorer: Scorer, seed: int) -> bytes:
    """Write made-up rows, each variable drawn on its own, so that none is a borrower of the training set."""
    chosen = np.random.default_rng(seed)
    columns = {
        variable.name: [_drawn(variable, data.x[:, i], chosen) for _ in range(_GOLDEN_ROWS)]
        for i, variable in enumerate(data.variables)
    }
    answers = scorer.score_columns(columns, _GOLDEN_ROWS).pd
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, GOLDEN_ANSWER])
    for row, answer in enumerate(answers.tolist()):
        cells = [column[row] for column in columns.values()]
        writer.writerow(["" if cell is None else cell for cell in cells] + [repr(answer)])
    return text.getvalue().encode()


def _drawn(variable: Variable, column: Floats, chosen: np.random.Generator) -> Value:
    value = float(column[chosen.integers(len(column))])
    if np.isnan(value):
        return None
    return variable.codes[int(value)] if variable.type == "category" else value


def _bytes(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
