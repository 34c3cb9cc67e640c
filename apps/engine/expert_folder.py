"""An expert scorecard as a model folder, and its card in French."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.engine.contracts import Value
from apps.engine.dictionary import STANDARD, Dictionary
from apps.engine.expert import LOG_ODDS, ExpertBins, ExpertCard, points_range
from apps.engine.folders import (
    CARD,
    FORMAT,
    GOLDEN,
    GOLDEN_ANSWER,
    MANIFEST,
    NO_TREES,
    SCORECARDS,
    parts_from,
    store_files,
    trees_name,
)
from apps.engine.model import Artefact
from apps.engine.scorecard import logit
from apps.engine.scorer import Scorer
from apps.engine.variables import Variable
from apps.engine.wording import FIRM, NARROW, number

KIND = "expert"
_GOLDEN_ROWS = 24
_LARGEST = 1e15


def write_expert(folder: Path, card: ExpertCard, dictionary: Dictionary = STANDARD) -> str:
    """Write ``card`` as a model folder, which must not exist, and give the hash of its manifest."""
    if folder.exists():
        raise FileExistsError(f"{folder.name} already exists: a model folder is never changed")
    files = expert_files(card, dictionary)
    return store_files(folder, files)


def expert_files(card: ExpertCard, dictionary: Dictionary = STANDARD) -> dict[str, bytes]:
    """Give the files of the folder; the same declaration gives the same bytes."""
    declared = card.as_dict(dictionary)
    manifest = {**_described(card, declared, dictionary), "scorecard": declared}
    files = {
        trees_name(1): _bytes(NO_TREES),
        SCORECARDS: _bytes([_table(card, dictionary)]),
    }
    scorer = Scorer(Artefact(Path(), "", manifest, parts_from(manifest, files)))
    files[GOLDEN] = _golden(card, scorer)
    files[CARD] = expert_card_text(card, dictionary).encode()
    manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files[MANIFEST] = _bytes(manifest)
    return files


def _described(card: ExpertCard, declared: Mapping[str, Any], dictionary: Dictionary) -> dict[str, Any]:
    used = [dictionary[bins.name] for bins in card.variables]
    canonical = json.dumps(declared, sort_keys=True, ensure_ascii=False).encode()
    return {
        "format": FORMAT,
        "name": card.name,
        "version": card.version,
        "training_data": KIND,
        "variables": [variable.as_dict() for variable in used],
        "folds": 1,
        "trees": 0,
        "calibration": {"intercept": 0.0, "trees_weight": 0.0, "card_weight": 1.0},
        "ranges": {variable.name: _whole_range(variable) for variable in used},
        "amount_p99": None,
        "data": {"sha256": hashlib.sha256(canonical).hexdigest(), "rows": 0, "defaults": 0},
        "metrics": {"declared_default_rate": card.declared_rate},
    }


def _whole_range(variable: Variable) -> dict[str, Any]:
    if variable.type == "category":
        return {"codes": list(variable.codes)}
    low, high = variable.minimum, variable.maximum
    return {"min": -_LARGEST if low is None else low, "max": _LARGEST if high is None else high}


def _table(card: ExpertCard, dictionary: Dictionary) -> dict[str, Any]:
    return {
        "intercept": logit(card.declared_rate),
        "weights": [1.0] * len(card.variables),
        "means": [0.0] * len(card.variables),
        "bins": [_evidence(bins, dictionary[bins.name]) for bins in card.variables],
    }


def _evidence(bins: ExpertBins, variable: Variable) -> dict[str, Any]:
    category = variable.type == "category"
    return {
        "category": category,
        "cuts": [float(place) for place in range(len(variable.codes))] if category else list(bins.cuts),
        "woe": [-points * LOG_ODDS for points in bins.points],
        "missing": -bins.missing * LOG_ODDS,
        "information": 0.0,
    }


def _golden(card: ExpertCard, scorer: Scorer) -> bytes:
    """Write rows that together go through every bin, missing values included."""
    rows = max(_GOLDEN_ROWS, *(len(bins.points) + 1 for bins in card.variables))
    columns: dict[str, list[Value]] = {}
    for place, (bins, variable) in enumerate(zip(card.variables, scorer.parts.variables, strict=True)):
        values = [*_probes(bins, variable), None]
        columns[bins.name] = [values[(row + place) % len(values)] for row in range(rows)]
    answers = scorer.score_columns(columns, rows).pd
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, GOLDEN_ANSWER])
    for row, answer in enumerate(answers.tolist()):
        cells = [column[row] for column in columns.values()]
        writer.writerow(["" if cell is None else cell for cell in cells] + [repr(answer)])
    return text.getvalue().encode()


def _probes(bins: ExpertBins, variable: Variable) -> Sequence[Value]:
    """Give one value a bin: the code, or the lower edge (below the first cut, the least value)."""
    if variable.type == "category":
        return variable.codes
    least = variable.minimum if variable.minimum is not None else (bins.cuts[0] - 1 if bins.cuts else 0.0)
    return (least, *bins.cuts)


def expert_card_text(card: ExpertCard, dictionary: Dictionary = STANDARD) -> str:
    """Write ``card.md``, in French."""
    rate = f"{number(100 * card.declared_rate, 'fr', 1)}{NARROW}%"
    lowest, highest = points_range(card)
    parts = [
        f"# {card.name}, version {card.version}",
        "**Grille experte, non étalonnée.**",
        _section(
            "Origine",
            [
                "Points fixés par des personnes de l'institution, sans historique de crédits.",
                f"Taux de défaut déclaré d'un dossier sans points : {rate}.",
                f"Score possible : de {lowest} à {highest} points.",
            ],
        ),
        _section(
            "Variables",
            [f"{dictionary[bins.name].label_fr} (`{bins.name}`)" for bins in card.variables],
        ),
        _section(
            "Limites",
            [
                "Aucune mesure ne dit encore ce que vaut cette grille : la probabilité est une convention.",
                "À comparer aux défauts observés à partir de 50 crédits échus.",
                "Elle conseille : la décision reste à une personne.",
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Sequence[str]) -> str:
    listed = "\n".join(f"- {line}" for line in lines)
    return f"## {title}\n\n{listed}".replace(" :", f"{FIRM}:")


def _bytes(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
