"""Read a model folder, or refuse it: a manifest, plain JSON and CSV, hashes of everything, never a pickle.

A folder holds ``manifest.json`` (which lists every other file with its SHA-256), ``trees-N.json`` (XGBoost's
own JSON, one a fold), ``scorecards.json``, ``card.md`` and ``golden.csv`` (inputs with the probabilities they
must give, replayed at each reading). The folder's hash is the SHA-256 of ``manifest.json``.
"""

import csv
import hashlib
import io
import json
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from apps.engine.contracts import Value
from apps.engine.model import Artefact, DefaultParts, Range
from apps.engine.scorecards import scorecard_from
from apps.engine.scorer import Scorer
from apps.engine.tabulating import tabulate
from apps.engine.trees import booster_from
from apps.engine.variables import Variable, from_dict

FORMAT = 1
KINDS = ("institution", "pooled", "expert", "synthetic")
MANIFEST = "manifest.json"
SCORECARDS = "scorecards.json"
GOLDEN = "golden.csv"
CARD = "card.md"
GOLDEN_ANSWER = "pd"
#: What a folder holds for the trees of a model that has none.
NO_TREES = {
    "learner": {
        "objective": {"name": "binary:logistic"},
        "learner_model_param": {"base_score": "5E-1"},
        "gradient_booster": {"model": {"trees": []}},
    }
}

_GOLDEN_ROWS = 20
_TOLERANCE = 1e-9
_MOST_FILES = 40
_MOST_BYTES = 64 * 1024 * 1024
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.(json|md|csv)\Z")
_MOST_FOLDS = 20


class ArtefactRefused(ValueError):
    """A model folder that may not be used; ``reason`` says why in one English line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(folder: Path, expected_sha256: str | None = None) -> Artefact:
    """Read and check a model folder; raises ArtefactRefused with the reason, never anything else.

    Checks, in order: only plain files of known names and sizes; the manifest's hash where one is expected;
    the format; exactly the files listed, each with its hash; trees and tables that can only look up; and the
    golden rows, which must give the same probabilities to 1e-9.
    """
    files = _files(folder)
    if MANIFEST not in files:
        raise ArtefactRefused("the folder has no manifest.json")
    sha256 = hashlib.sha256(files[MANIFEST]).hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256:
        raise ArtefactRefused("the manifest's hash differs from the one registered")
    manifest = _manifest(files)
    _check_hashes(manifest, files)
    try:
        artefact = Artefact(folder, sha256, manifest, parts_from(manifest, files))
        _replay(Scorer(artefact), files[GOLDEN])
    except ArtefactRefused:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, csv.Error) as error:
        raise ArtefactRefused(f"the model cannot be rebuilt: {error}") from error
    return artefact


def _files(folder: Path) -> dict[str, bytes]:
    try:
        entries = sorted(folder.iterdir())
        if folder.is_symlink() or len(entries) > _MOST_FILES:
            raise ArtefactRefused("the folder is a link or holds too many files")
        return {entry.name: _content(entry) for entry in entries}
    except OSError as error:
        raise ArtefactRefused(f"the folder cannot be read: {error.strerror}") from error


def _content(entry: Path) -> bytes:
    state = entry.lstat()
    if not stat.S_ISREG(state.st_mode) or not _FILE_NAME.match(entry.name):
        raise ArtefactRefused(f"{entry.name[:80]!r} is no file of a model folder")
    if state.st_size > _MOST_BYTES:
        raise ArtefactRefused(f"{entry.name!r} is too large")
    return entry.read_bytes()


def _manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    manifest = _json(files[MANIFEST], MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtefactRefused("the manifest's format is not known")
    check_identity(manifest)
    return manifest


def check_identity(manifest: Mapping[str, Any]) -> None:
    """Raise ArtefactRefused unless the manifest names the model and the kind of data behind it."""
    if manifest.get("training_data") not in KINDS:
        raise ArtefactRefused("the manifest does not say what kind of data the model was trained on")
    if not all(isinstance(manifest.get(key), str) and manifest[key] for key in ("name", "version")):
        raise ArtefactRefused("the manifest gives no name or version")


def _json(content: bytes, name: str, *, infinite: bool = False) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=float if infinite else _no_constant)
    except (ValueError, RecursionError) as error:
        raise ArtefactRefused(f"{name} is not valid JSON") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _check_hashes(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    listed = manifest.get("files")
    if not isinstance(listed, dict) or {*listed, MANIFEST} != files.keys():
        raise ArtefactRefused("the files of the folder are not those the manifest lists")
    if not {SCORECARDS, GOLDEN, CARD} <= listed.keys():
        raise ArtefactRefused("the folder lacks its scorecards, golden rows or card")
    for name, sha256 in listed.items():
        if hashlib.sha256(files[name]).hexdigest() != sha256:
            raise ArtefactRefused(f"the hash of {name!r} differs from the manifest's")


def parts_from(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> DefaultParts:
    """Rebuild a model from its manifest and files; raises ValueError, KeyError or TypeError."""
    variables = tuple(from_dict(entry) for entry in manifest["variables"])
    names = [variable.name for variable in variables]
    folds = manifest["folds"]
    if len(set(names)) != len(names) or not isinstance(folds, int) or not 0 < folds <= _MOST_FOLDS:
        raise ValueError("variables repeat, or the number of folds is out of range")
    boosters = [_booster(files, fold, len(variables)) for fold in range(1, folds + 1)]
    codes = tuple(len(variable.categories) for variable in variables)
    cards = [scorecard_from(card, codes) for card in _json(files[SCORECARDS], SCORECARDS)]
    intercept, trees_weight, card_weight = (
        _finite(manifest["calibration"][key]) for key in ("intercept", "trees_weight", "card_weight")
    )
    if len(cards) != folds or min(trees_weight, card_weight) < 0:
        raise ValueError("scorecards and folds differ, or a weight of the calibration is negative")
    p99 = manifest["amount_p99"]
    return DefaultParts(
        variables,
        tabulate(boosters, len(variables)),
        cards,
        intercept,
        trees_weight,
        card_weight,
        {variable.name: _range(variable, manifest["ranges"][variable.name]) for variable in variables},
        None if p99 is None else _finite(p99),
    )


def _booster(files: Mapping[str, bytes], fold: int, features: int) -> Any:
    name = trees_name(fold)
    return booster_from(_json(files[name], name, infinite=True), features)


def trees_name(fold: int) -> str:
    return f"trees-{fold}.json"


def _range(variable: Variable, seen: Mapping[str, Any]) -> Range:
    """Read what training saw; nothing seen (null limits) leaves every known value outside."""
    if variable.type == "category":
        return Range(codes=tuple(float(variable.codes.index(code)) for code in seen["codes"]))
    if seen["min"] is None or seen["max"] is None:
        return Range(float("inf"), float("-inf"))
    return Range(_finite(seen["min"]), _finite(seen["max"]))


def _finite(value: Any) -> float:
    number = float(value)
    if isinstance(value, (bool, str)) or not np.isfinite(number):
        raise ValueError("a finite number was expected")
    return number


def _replay(scorer: Scorer, content: bytes) -> None:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
    if len(rows) < _GOLDEN_ROWS:
        raise ArtefactRefused("too few golden rows")
    columns = {
        variable.name: [_golden_value(variable, row[variable.name]) for row in rows]
        for variable in scorer.parts.variables
    }
    expected = np.array([float(row[GOLDEN_ANSWER]) for row in rows])
    if not np.all(np.abs(scorer.score_columns(columns, len(rows)).pd - expected) <= _TOLERANCE):
        raise ArtefactRefused("the golden rows do not give the probabilities written beside them")


def _golden_value(variable: Variable, cell: str) -> Value:
    if cell == "":
        return None
    return cell if variable.type == "category" else float(cell)


def store_files(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write files beside ``folder``, read them back, and only then give them its name; give the hash."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for name, content in files.items():
            (partial / name).write_bytes(content)
        sha256 = read(partial).sha256
        partial.rename(folder)
    except (OSError, ArtefactRefused):
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return sha256
