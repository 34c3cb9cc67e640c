"""Model quality on any data set, by nested cross-validation: prints exactly one JSON line.

``python bench/quality.py --data FILE.csv --dictionary FILE.json [--folds 5] [--seed 42] [--threads 2]``.
The dictionary names the target and lists the variables: ``name``, ``type`` (``number`` or ``category``) and,
optionally, ``direction`` (``up`` or ``down``: how the risk moves when the value rises).

With ``--candidates`` every candidate of a training run is measured instead, one JSON line each, beside what
its own library gives in a plain script (``bench/plain.py``); the last line says which one a run advises.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from apps.engine.training.candidates import KINDS
from apps.engine.training.dataset import TrainingSet, training_set
from apps.engine.training.evaluate import figures, nested_scores
from apps.engine.training.pipeline import Settings
from apps.engine.training.runs import RunData, RunSettings, run
from apps.engine.variables import Category, Variable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dictionary", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--candidates", action="store_true", help="measure every candidate of a training run")
    asked = parser.parse_args()
    data = read(asked.data, asked.dictionary)
    if asked.candidates:
        compare(data, asked)
        return
    started = time.perf_counter()
    nested = nested_scores(data, asked.folds, asked.seed, Settings(seed=asked.seed, threads=asked.threads))
    seconds = time.perf_counter() - started
    found = figures(nested)
    names = ("auc", "ks", "gini", "brier", "log_loss", "ece")
    line = {name: round(getattr(found, name), 6) for name in names}
    print(json.dumps({**line, "fit_seconds": round(seconds, 1), "rows": data.rows}))


def compare(data: TrainingSet, asked: argparse.Namespace) -> None:
    """Run every candidate as an institution would, and hold it against its own library."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from plain import plain_aucs

    settings = RunSettings(tuple(KINDS), folds=asked.folds, seed=asked.seed, threads=asked.threads)
    found = run(RunData(data), settings)
    alone = plain_aucs(asked.data, asked.dictionary, asked.folds, asked.seed)
    for kind in KINDS:
        entry = found.of(kind)
        area = entry["figures"]["auc"]
        plain = alone.get(kind)
        line = {
            "candidate": kind,
            "auc": area["value"],
            "auc_low": area["low"],
            "auc_high": area["high"],
            "ece": entry["figures"]["ece"]["value"],
            "plain": None if plain is None else round(plain, 6),
            "difference": None if plain is None else round(area["value"] - plain, 6),
            "calibrated": found.recommended["calibrated"][kind],
            "seconds": entry["seconds"],
        }
        print(json.dumps(line))
    told = {name: found.recommended[name] for name in ("kind", "reason", "deployable_kind")}
    print(json.dumps({"recommended": told, "seconds": found.seconds}))


def read(data: Path, dictionary: Path) -> TrainingSet:
    """Read a CSV file with a header and its dictionary; an empty cell is missing."""
    described = json.loads(dictionary.read_text(encoding="utf-8"))
    with data.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    cells = {entry["name"]: [row[entry["name"]] or None for row in rows] for entry in described["variables"]}
    variables = [_variable(entry, cells[entry["name"]]) for entry in described["variables"]]
    columns = {
        variable.name: cells[variable.name]
        if variable.type == "category"
        else [None if cell is None else float(cell) for cell in cells[variable.name]]
        for variable in variables
    }
    return training_set(variables, columns, [int(float(row[described["target"]])) for row in rows])


def _variable(entry: dict[str, str], cells: list[str | None]) -> Variable:
    """Declare a column of the file; the codes of a category are those the file holds, in sorted order."""
    name = entry["name"]
    if entry["type"] == "category":
        codes = sorted({cell for cell in cells if cell is not None})
        return Variable(name, "category", name, name, categories=tuple(Category(c, c, c) for c in codes))
    return Variable(name, "decimal", name, name, direction=entry.get("direction"))


if __name__ == "__main__":
    main()
